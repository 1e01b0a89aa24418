import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { decodePem } from '../../../src/x509/pem.ts'
import { nameOf, pemOf } from '../../pki/making.ts'
import { runProgram } from '../../servers/daemon.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { createOpensslCa, skipWithoutOpenssl, type OpensslCa } from '../../servers/ocsp.ts'
import { startScriptedHttp, type ScriptedHttp } from '../../servers/scripted-http.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { verdictOn } from '../asking.ts'
import { ALICE, eventually, startSite, type Site } from '../site.ts'
import { as, makeCa, makeCaller, writePem, type Caller } from './callers.ts'
import { reconfigure, reloaded, replaceFile } from './changing.ts'

const NAMES = ['alice', 'bob', 'carol', 'dave'] as const

describe('revoked certificates', { skip: skipWithoutEnvoy() || skipWithoutOpenssl() }, () => {
  const root = makeCa('Staff CA')
  let folder: TemporaryFolder
  let ca: OpensslCa
  let site: Site
  before(async () => {
    folder = await temporaryFolder()
    ca = await createOpensslCa()
    for (const name of NAMES) {
      await ca.issue(name)
    }
    const both = `${pemOf(root)}${await readFile(ca.folder.file('ca.crt'), 'utf8')}`
    await writeFile(folder.file('edge.pem'), both)
    site = await startSite({ listener: { clientCa: folder.file('edge.pem') } })
  })
  after(async () => {
    await site[Symbol.asyncDispose]()
    await ca[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  const configure = (trust: string, revocation: object): Promise<void> =>
    reconfigure(site, {
      authenticators: { cards: { certificate: { trust, revocation } } },
      authenticate: ['cards', 'staff'],
    })

  const verdictFor = (name: (typeof NAMES)[number]): Promise<string> =>
    verdictOn(
      as(site, {
        certificate: ca.folder.file(`${name}.crt`),
        key: ca.folder.file(`${name}.key`),
      }),
    )

  describe('on the deny-list', () => {
    let lost: Caller
    let other: Caller
    let list: string
    before(async () => {
      list = folder.file('denied.txt')
      await writeFile(list, '# empty\n')
      const subject = nameOf(['O', 'dev'], ['CN', 'mallory'])
      lost = await makeCaller(folder, { signer: root, subject })
      other = await makeCaller(folder, { signer: root })
      const trust = await writePem(folder, 'trust.pem', root)
      await configure(trust, { denied: { file: list } })
    })

    const ENTRIES: readonly { readonly name: string; readonly entry: () => string }[] = [
      { name: 'serial number', entry: () => `serial ${lost.serial}` },
      {
        name: 'serial number, as other programs write it',
        entry: () => `serial ${(lost.serial.toUpperCase().match(/../g) ?? []).join(':')}`,
      },
      {
        name: 'serial number and issuer',
        entry: () => `serial ${lost.serial} issuer CN=Staff CA`,
      },
      { name: 'fingerprint', entry: () => `sha256 ${lost.fingerprint}` },
      { name: 'subject', entry: () => 'subject CN=mallory,O=dev' },
    ]
    for (const { name, entry } of ENTRIES) {
      it(`by ${name}, are refused from the next request on, though they were proven before`, async () => {
        assert.equal(await verdictOn(as(site, lost)), '200 permitted')
        await reloaded(site, () => replaceFile(list, `# lost on the train\n${entry()}\n`))
        assert.equal(await verdictOn(as(site, lost)), '401 certificate-denied')
        assert.equal((await site.events()).at(-1)?.user, 'mallory')
        assert.equal(await verdictOn(as(site, lost), ALICE), '401 certificate-denied')
        assert.equal(await verdictOn(as(site, other)), '200 permitted')
        await reloaded(site, () => replaceFile(list, '# found again\n'))
        assert.equal(await verdictOn(as(site, lost)), '200 permitted')
      })
    }

    it('stay refused where the list is replaced by an unreadable one', async () => {
      await reloaded(site, () => replaceFile(list, `sha256 ${lost.fingerprint}\n`))
      await replaceFile(list, 'sha256 ABC\n')
      await eventually(
        () => readFile(site.files.audit, 'utf8'),
        (text) => text.includes('"configuration-rejected"'),
      )
      assert.equal(await verdictOn(as(site, lost)), '401 certificate-denied')
      assert.equal(await verdictOn(as(site, other)), '200 permitted')
    })
  })

  describe('on a CRL in a file', () => {
    let file: string
    before(async () => {
      file = folder.file('list.crl')
      await writeFile(file, await ca.completeCrl())
      await configure(ca.folder.file('ca.crt'), { crl: { files: [file] } })
    })

    it('are refused once it is replaced, and other certificates are still accepted', async () => {
      assert.equal(await verdictFor('alice'), '200 permitted')
      assert.equal(await verdictFor('bob'), '200 permitted')
      await ca.revoke('alice')
      const [der] = decodePem('X509 CRL', (await ca.completeCrl()).toString('latin1'))
      assert.ok(der !== undefined)
      await reloaded(site, () => replaceFile(file, der))
      assert.equal(await verdictFor('alice'), '401 certificate-revoked')
      assert.equal(await verdictFor('bob'), '200 permitted')
    })

    it('are still refused after its nextUpdate; the status of other certificates is unavailable', async () => {
      const old = await ca.completeCrl({ outOfDate: true })
      await reloaded(site, () => replaceFile(file, old))
      assert.equal(await verdictFor('alice'), '401 certificate-revoked')
      assert.equal(await verdictFor('bob'), '503 authenticator-unavailable')
      assert.equal(await verdictOn(site, ALICE), '200 permitted')
    })
  })

  describe('on a published CRL', () => {
    let server: ScriptedHttp
    let body: Buffer
    before(async () => {
      body = await ca.completeCrl()
      server = await startScriptedHttp(() => ({ body }))
      await configure(ca.folder.file('ca.crt'), {
        crl: {
          urls: [`${server.origin}/ca.crl`],
          refresh: { min: '100ms', max: '100ms' },
          coolDown: '100ms',
          skew: '0s',
        },
      })
    })
    after(() => server[Symbol.asyncDispose]())

    /** Waits until a list has arrived that was requested after now. */
    const refreshed = async (): Promise<void> => {
      const requests = server.requests.length
      // The third: the first may have been in transit, and the second ends when that is requested.
      await eventually(
        () => Promise.resolve(server.requests.length),
        (count) => count >= requests + 3,
      )
    }

    it('are refused once it has been fetched again in the background', async () => {
      assert.equal(await verdictFor('bob'), '200 permitted')
      assert.equal(await verdictFor('carol'), '200 permitted')
      await ca.revoke('bob')
      body = await ca.completeCrl()
      await refreshed()
      const verdict = await eventually(
        () => verdictFor('bob'),
        (one) => one !== '200 permitted',
      )
      assert.equal(verdict, '401 certificate-revoked')
      assert.equal(await verdictFor('carol'), '200 permitted')
    })

    it('are accepted until its nextUpdate while it cannot be fetched, then their status is unavailable', async () => {
      const SECONDS = 3
      const end = Date.now() + SECONDS * 1_000
      body = await crlOfSeconds(SECONDS)
      await refreshed()
      const { origin } = server
      await server.stop()
      const last = await eventually(
        async () => {
          const verdict = await verdictFor('carol')
          // In whole seconds, and made after the time was taken.
          if (verdict !== '200 permitted') assert.ok(Date.now() >= end - 1_000, verdict)
          return verdict
        },
        (verdict) => verdict !== '200 permitted',
      )
      assert.equal(last, '503 authenticator-unavailable')
      assert.equal(await verdictFor('bob'), '401 certificate-revoked')
      assert.equal(await verdictOn(site, ALICE), '200 permitted')

      body = await ca.completeCrl()
      server = await startScriptedHttp(() => ({ body }), Number(new URL(origin).port))
      const verdict = await eventually(
        () => verdictFor('carol'),
        (one) => !one.startsWith('503'),
      )
      assert.equal(verdict, '200 permitted')
    })

    /** A CRL that ends so soon. */
    const crlOfSeconds = async (seconds: number): Promise<Buffer> => {
      const file = folder.file('short.crl')
      const configuration = ['-config', ca.folder.file('ca.cnf')]
      const times = ['-crlsec', String(seconds)]
      await runProgram('openssl', ['ca', ...configuration, '-gencrl', ...times, '-out', file])
      return await readFile(file)
    }
  })
})
