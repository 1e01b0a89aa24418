import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { alternativeNames, generalName, nameOf, pemOf } from '../../pki/making.ts'
import { http1, http2, type HeaderLine } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { send, verdictOf, verdictOn } from '../asking.ts'
import { ALICE, HOST, received, receivedBy, startSite, type Site } from '../site.ts'
import { as, makeCa, makeCaller, writePem, type Caller } from './callers.ts'
import { reconfigure } from './changing.ts'
import {
  configurationOf,
  forwarding,
  inFrontOf,
  LIKE_A_GATEWAY,
  startFurtherEnvoy,
  VALIDATION,
  WITHOUT_NAMES,
  type Edit,
} from './envoys.ts'

const root = makeCa('Staff CA')

const elementOf = ({ made }: Caller): string => `Cert="${encodeURIComponent(pemOf(made))}"`
const xfcc = (text: string): HeaderLine => ['X-Forwarded-Client-Cert', text]
const clientCert = ({ made }: Caller): HeaderLine => [
  'Client-Cert',
  `:${made.der.toString('base64')}:`,
]

describe('client certificates in a header of a proxy', { skip: skipWithoutEnvoy() }, () => {
  const stack = new AsyncDisposableStack()
  let folder: TemporaryFolder
  /** With the generated bootstrap. */
  let site: Site
  let trust: string
  let carol: Caller
  /** A caller whose certificate is public, and whose key no caller here has. */
  let boss: Caller
  let startEnvoy: (...edits: readonly Edit[]) => Promise<Site>
  before(async () => {
    folder = stack.use(await temporaryFolder())
    trust = await writePem(folder, 'trust.pem', root)
    const [one, other] = [nameOf(['O', 'dev'], ['CN', 'carol']), nameOf(['CN', 'boss'])]
    carol = await makeCaller(folder, { signer: root, subject: one })
    boss = await makeCaller(folder, { signer: root, subject: other })
    site = stack.use(await startSite({ listener: { clientCa: trust } }))
    // Also of the certificate that one Envoy shows another.
    const edge = folder.file('edge.pem')
    await writeFile(edge, `${pemOf(root)}${await readFile(site.pki.ca, 'utf8')}`)
    const configuration = await configurationOf(site)
    startEnvoy = async (...edits) => {
      const trusting: Edit = [[...VALIDATION, 'trusted_ca', 'filename'], edge]
      const envoy = stack.use(await startFurtherEnvoy(site, configuration, [...edits, trusting]))
      return { ...site, target: envoy.target }
    }
  })
  after(() => stack.disposeAsync())

  /** From now on the certificate is looked for there, and after it a password. */
  const takeFrom = (
    from: 'x-forwarded-client-cert' | 'client-cert',
    more: object = {},
    authenticate: readonly string[] = ['told', 'staff'],
  ): Promise<void> =>
    reconfigure(site, {
      authenticators: { told: { certificate: { trust, from, ...more } } },
      authenticate,
      withoutEnvoy: true,
    })

  /** The user that the upstream received; no other identity may have reached it. */
  const userAt = async (
    through: Site,
    headers: readonly HeaderLine[] = [],
    ask = http1,
  ): Promise<string> => {
    const answer = await ask(through.target, { host: HOST, headers })
    if (answer.status !== 200) return await verdictOf(site, answer)
    const names = receivedBy(answer).map(([name]) => name)
    assert.ok(!names.some((name) => /client-cert|authorization/.test(name)), names.join())
    return received(answer, 'x-remote-user').join()
  }

  describe('an Envoy that writes X-Forwarded-Client-Cert itself (SANITIZE_SET)', () => {
    let gateway: Site
    before(async () => {
      gateway = await startEnvoy(...LIKE_A_GATEWAY, ...forwarding('SANITIZE_SET'))
      await takeFrom('x-forwarded-client-cert')
    })

    for (const ask of [http1, http2]) {
      it(`names the caller, whatever X-Forwarded-Client-Cert the caller sends (${ask.name})`, async () => {
        const caller = as(gateway, carol)
        assert.equal(await userAt(caller, [], ask), 'carol')
        const event = (await site.events()).at(-1)
        assert.equal(event?.authenticator, 'told')
        assert.deepEqual(event.groups, ['dev'])
        assert.equal(await userAt(caller, [xfcc(elementOf(boss))], ask), 'carol')
        assert.equal(await userAt(caller, [clientCert(boss)], ask), 'carol')
      })

      it(`yields no identity without a certificate, whatever the caller sends (${ask.name})`, async () => {
        const forged = xfcc(elementOf(boss))
        assert.equal(await userAt(gateway, [forged], ask), '401 credential-missing')
        assert.equal(await userAt(gateway, [forged, forged], ask), '401 credential-missing')
        assert.equal(await userAt(gateway, [forged, ALICE], ask), 'alice')
      })
    }

    it('forwards certificates that authz does not trust, which authz refuses', async () => {
      assert.equal(await verdictOn(as(gateway, site.pki.alice)), '401 certificate-untrusted')
      assert.equal(await verdictOn(as(gateway, site.pki.alice), ALICE), '401 certificate-untrusted')
    })

    it('is combined with a password in the same request: the first authenticator decides', async () => {
      assert.equal(await userAt(as(gateway, carol), [ALICE]), 'carol')
      await takeFrom('x-forwarded-client-cert', {}, ['staff', 'told'])
      assert.equal(await userAt(as(gateway, carol), [ALICE]), 'alice')
      assert.equal(await userAt(as(gateway, carol)), 'carol')
    })
  })

  describe('an Envoy that appends to X-Forwarded-Client-Cert (APPEND_FORWARD)', () => {
    let appending: Site
    /** Behind a proxy, which writes URIs and DNS names; and behind one that writes none. */
    let balanced: Site
    let nameless: Site
    before(async () => {
      appending = await startEnvoy(...LIKE_A_GATEWAY, ...forwarding('APPEND_FORWARD'))
      balanced = await startEnvoy(...inFrontOf(appending.target.port))
      nameless = await startEnvoy(...inFrontOf(appending.target.port), ...WITHOUT_NAMES)
    })

    it('yields no identity behind a proxy that writes unquoted names of certificates', async () => {
      await takeFrom('x-forwarded-client-cert', { element: 'last' })
      assert.equal(await userAt(as(balanced, carol)), '400 credential-conflict')
    })

    it('yields no identity where the caller adds elements of its own', async () => {
      await takeFrom('x-forwarded-client-cert')
      const caller = as(appending, carol)
      assert.equal(await userAt(caller), 'carol')
      assert.equal(await userAt(caller, [xfcc(elementOf(boss))]), '400 credential-conflict')
      assert.equal(await userAt(appending, [xfcc(elementOf(boss))]), '401 credential-missing')
    })

    it('names the caller in the last element, whatever precedes it', async () => {
      await takeFrom('x-forwarded-client-cert', { element: 'last' })
      const caller = as(appending, carol)
      assert.equal(await userAt(caller), 'carol')
      assert.equal(await userAt(caller, [xfcc(elementOf(boss))]), 'carol')
      assert.equal(await userAt(caller, [xfcc(`By=x,${elementOf(boss)}`)]), 'carol')
      assert.equal(await userAt(caller, [clientCert(boss)]), 'carol')
    })

    for (const [kind, named] of Object.entries({
      URI: generalName.uri,
      'DNS name': generalName.dns,
    })) {
      it(`yields no identity where a ${kind} of the caller contains an element (hostile)`, async () => {
        await takeFrom('x-forwarded-client-cert', { element: 'last' })
        const forged = `Hash=${boss.fingerprint};${elementOf(boss)}`
        for (const text of [
          `spiffe://x/y,${forged}`,
          `,${forged}`,
          `x;Subject="",${forged}`,
          `x,By=y;${forged}`,
          `x;${forged}`,
        ]) {
          const mallory = await makeCaller(folder, {
            signer: root,
            subject: nameOf(['CN', 'mallory']),
            extensions: [alternativeNames(named(text))],
          })
          const seen = await userAt(as(appending, mallory))
          assert.match(seen, /^(400 credential-conflict|401 credential-malformed)$/, text)
          assert.equal(await userAt(as(appending, mallory), [xfcc(elementOf(boss))]), seen, text)
        }
      })
    }

    it('is refused where the caller has left a quote open (hostile)', async () => {
      for (const text of [
        'Subject="',
        `${elementOf(boss)};Subject="`,
        `${elementOf(boss)};URI="\\`,
      ]) {
        assert.equal(await userAt(as(appending, carol), [xfcc(text)]), '401 credential-malformed')
      }
    })

    it('names the proxy in front, where that has a certificate itself, and is refused', async () => {
      await takeFrom('x-forwarded-client-cert', { element: 'last' })
      assert.equal(await userAt(as(nameless, carol)), '401 certificate-untrusted')
      assert.equal((await site.events()).at(-1)?.user, 'front-proxy')
      await takeFrom('x-forwarded-client-cert')
      assert.equal(await userAt(as(balanced, carol)), '400 credential-conflict')
    })
  })

  describe('an Envoy that only a proxy can reach (FORWARD_ONLY)', () => {
    let front: Site
    before(async () => {
      const behind = await startEnvoy(...LIKE_A_GATEWAY, ...forwarding('FORWARD_ONLY'))
      front = await startEnvoy(...inFrontOf(behind.target.port))
    })

    for (const from of ['x-forwarded-client-cert', 'client-cert'] as const) {
      it(`forwards the header ${from} of the proxy, and none of callers`, async () => {
        await takeFrom(from)
        const forged = [xfcc(elementOf(boss)), clientCert(boss)]
        for (const ask of [http1, http2]) {
          assert.equal(await userAt(as(front, carol), [], ask), 'carol')
          assert.equal(await userAt(as(front, carol), forged, ask), 'carol')
          assert.equal(await userAt(front, forged, ask), '401 credential-missing')
        }
        assert.equal(await userAt(as(front, carol), [ALICE]), 'carol')
        assert.equal(await userAt(front, [ALICE]), 'alice')
        await takeFrom(from, {}, ['staff', 'told'])
        assert.equal(await userAt(as(front, carol), [ALICE]), 'alice')
      })
    }
  })

  describe('the generated bootstrap (SANITIZE)', () => {
    for (const from of ['x-forwarded-client-cert', 'client-cert'] as const) {
      it(`removes ${from}, so that authz receives no certificate`, async () => {
        await takeFrom(from)
        const forged = [xfcc(elementOf(boss)), clientCert(boss)]
        for (const caller of [site, as(site, carol)]) {
          for (const ask of [http1, http2]) {
            assert.equal(await userAt(caller, forged, ask), '401 credential-missing')
          }
        }
        assert.equal((await send(site, ALICE, ...forged)).status, 200)
      })
    }

    it('removes X-Forwarded-Client-Cert twice: either removal suffices', async () => {
      const sanitizing = await startEnvoy(...LIKE_A_GATEWAY)
      await takeFrom('x-forwarded-client-cert')
      const forged = xfcc(elementOf(boss))
      assert.equal(await userAt(as(sanitizing, carol), [forged]), '401 credential-missing')
      assert.equal(await userAt(sanitizing, [forged]), '401 credential-missing')
    })
  })
})
