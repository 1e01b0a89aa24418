// The `certificate` section, built from real files, and the problems with it.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { codeOf } from '../../fakes/authenticator.ts'
import { presented } from '../../pki/asking.ts'
import { make, makeAuthority, makeClient, pemOf } from '../../pki/making.ts'
import { requestOf, type RequestParts } from '../../fakes/envoy.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { buildFrom, type Built } from '../building.ts'

const FOREVER = new AbortController().signal
const root = makeAuthority({ subject: 'root' })
const between = makeAuthority({ subject: 'between', signer: root })
const alice = makeClient({ signer: between })

const FILES: Readonly<Record<string, string>> = {
  'ca.pem': `the CA of Jörg\n${pemOf(root)}`,
  'between.pem': pemOf(between),
  'empty.pem': '',
  'client.pem': pemOf(root, alice),
  'broken.pem': pemOf({ ...root, der: root.der.subarray(4) }),
  'unsigning.pem': pemOf(makeAuthority({ subject: 'x', usages: ['cRLSign'] })),
  'plain.pem': pemOf(make({ subject: 'x' })),
}

const built = async (section: string, check: (built: Built, folder: string) => unknown) => {
  await using folder = await temporaryFolder()
  for (const [name, text] of Object.entries(FILES)) {
    await writeFile(folder.file(name), text, name === 'ca.pem' ? 'latin1' : 'utf8')
  }
  await using result = await buildFrom(
    folder.file('countersign.yaml'),
    `{ certificate: { ${section} } }`,
  )
  await check(result, folder.path)
}

const ask = async ({ link, problems }: Built, parts: RequestParts): Promise<string> => {
  assert.ok(link !== undefined, problems.join())
  return codeOf(await link.authenticator.authenticate(requestOf(parts), FOREVER))
}

describe('a certificate section', () => {
  it('trusts what its files hold, and watches them', async () => {
    await built('trust: ca.pem, intermediates: between.pem', async (result, folder) => {
      assert.equal(await ask(result, { peerCertificate: presented(alice) }), 'authenticated')
      assert.deepEqual(result.files, [`${folder}/ca.pem`, `${folder}/between.pem`])
      assert.deepEqual(result.link?.authenticator.locations, [{ kind: 'connection' }])
    })
    await built('trust: ca.pem', async (result) => {
      const code = await ask(result, { peerCertificate: presented(alice) })
      assert.equal(code, 'certificate-untrusted')
    })
  })

  it('takes the certificate from where it says', async () => {
    const xfcc = `Cert="${presented(alice)}"`
    const SOURCES = [
      { from: 'x-forwarded-client-cert', headers: [['x-forwarded-client-cert', xfcc]] },
      {
        from: 'x-forwarded-client-cert, element: last',
        headers: [['x-forwarded-client-cert', `By=x,${xfcc}`]],
      },
      { from: 'client-cert', headers: [['client-cert', `:${alice.der.toString('base64')}:`]] },
    ] as const
    for (const { from, headers } of SOURCES) {
      await built(`trust: ca.pem, intermediates: between.pem, from: ${from}`, async (result) => {
        assert.equal(await ask(result, { headers }), 'authenticated')
        const elsewhere = { peerCertificate: presented(alice) }
        assert.equal(await ask(result, elsewhere), 'not-applicable')
        // So that it is in conflict with no password or token, as the connection’s own is not.
        const kinds = result.link?.authenticator.locations.map(({ kind }) => kind)
        assert.deepEqual(new Set(kinds), new Set(['connection']))
      })
    }
  })

  it('asks about revocation', async () => {
    const section =
      'trust: ca.pem, intermediates: between.pem, revocation: { denied: { entries: ["subject CN=alice,O=developers"] } }'
    await built(section, async (result) => {
      assert.equal(await ask(result, { peerCertificate: presented(alice) }), 'certificate-denied')
    })
  })

  const PROBLEMS = [
    { section: 'trust: empty.pem', want: /empty\.pem holds no certificate in PEM$/ },
    { section: 'trust: missing.pem', want: /missing\.pem does not exist$/ },
    {
      section: 'trust: client.pem',
      want: /^certificate 2 of .*client\.pem is not the certificate of a CA/,
    },
    {
      section: 'trust: broken.pem',
      want: /^certificate 1 of .*broken\.pem cannot be read: malformed/,
    },
    { section: 'trust: unsigning.pem', want: /may not sign certificates/ },
    { section: 'trust: plain.pem', want: /is not the certificate of a CA/ },
    { section: 'trust: ca.pem, intermediates: empty.pem', want: /empty\.pem holds no certificate/ },
    {
      section: 'trust: ca.pem, revocation: { denied: { file: missing.txt } }',
      want: /missing\.txt does not exist$/,
    },
    { section: 'trust: ca.pem, element: last', want: /has an "element", which is of/ },
    { section: 'trust: ca.pem, from: x-client-cert', want: /must be one of/ },
    { section: 'from: connection', want: /required|expected/i },
  ]
  for (const { section, want } of PROBLEMS) {
    it(`has a problem: ${section}`, async () => {
      await built(section, ({ link, problems }) => {
        assert.equal(link, undefined)
        assert.equal(problems.length, 1, problems.join('; '))
        assert.match(problems[0] ?? '', want)
      })
    })
  }
})
