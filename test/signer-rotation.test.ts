// Keys that are replaced while certificates are requested: whole, half, and as Kubernetes does it. What is
// issued is always by one CA, whose key and certificate belong together, and by a grant key of the keyring.
//
// Slow: processes mint certificates for seconds.

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { newGrantKeyLine, parseGrantKeys } from '../src/keys/grant-keys.ts'
import { startSigner } from '../src/signer.ts'
import { makeCa, type TestCa } from './ca/authorities.ts'
import { grantOf, sealed, subjectOf } from './fakes/grant.ts'
import { SdsClient, type SdsAnswer } from './fakes/sds-client.ts'
import { signerSite, type SignerSite } from './fakes/signer-site.ts'

const LIMIT = { timeout: 300_000 }

const connect = (site: SignerSite): SdsClient =>
  new SdsClient({ kind: 'unix', path: site.file('run/signer.sock') })

const ask = async (client: SdsClient, name: string): Promise<SdsAnswer> => {
  const stream = client.open()
  stream.subscribe(name)
  const answer = await stream.next()
  stream.cancel()
  return answer
}

/** The CA that issued a certificate. */
const issuerOf = (answer: SdsAnswer, cas: readonly TestCa[]): TestCa => {
  const leaf = new X509Certificate(answer.secrets[0]?.certificate ?? assert.fail('refused'))
  const found = cas.filter(({ certificate }) =>
    leaf.verify(new X509Certificate(certificate).publicKey),
  )
  assert.equal(found.length, 1)
  const [ca] = found
  assert.ok(ca !== undefined && leaf.checkIssued(new X509Certificate(ca.certificate)))
  return ca
}

const timesNow = () => {
  const now = Math.floor(Date.now() / 1_000)
  return { notBefore: now - 10, notAfter: now + 600, renewAt: now + 300 }
}

/** Puts the files into a folder and turns the link `..data` to it, as the kubelet does. */
const publish = async (site: SignerSite, version: number, ca: TestCa): Promise<void> => {
  const folder = site.file(`secret/..v${version}`)
  await mkdir(folder, { recursive: true })
  await writeFile(`${folder}/ca.pem`, ca.certificate)
  await writeFile(`${folder}/ca.key`, ca.key.export({ type: 'pkcs8', format: 'pem' }), {
    mode: 0o600,
  })
  await symlink(`..v${version}`, site.file('secret/..data_tmp'))
  await rename(site.file('secret/..data_tmp'), site.file('secret/..data'))
  await rm(site.file(`secret/..v${version - 1}`), { recursive: true, force: true })
}

describe('a CA that is replaced', LIMIT, () => {
  it('by a new target of the link, 30 times, causes no refusal and no mixed key pair', async () => {
    await using site = await signerSite()
    const cas = await Promise.all([1, 2, 3].map((n) => makeCa({ subject: `CN=CA ${n}` })))
    const [first] = cas
    assert.ok(first !== undefined)
    await publish(site, 0, first)
    for (const name of ['ca.pem', 'ca.key']) {
      await rm(site.file(name))
      await symlink(`secret/..data/${name}`, site.file(name))
    }
    await using signer = await startSigner(site.config)
    using client = connect(site)
    const over = new AbortController()
    const rotation = (async () => {
      for (let version = 1; version <= 30; version++) {
        await publish(site, version, cas[version % 3] ?? assert.fail())
        await signer.reload()
      }
      over.abort()
    })()
    const seen = new Set<TestCa>()
    for (let user = 0; !over.signal.aborted || user < 10; user++) {
      const handle = site.handle({ subject: subjectOf(['CN', `user-${user % 20}`]) })
      seen.add(issuerOf(await ask(client, handle), cas))
    }
    await rotation
    assert.ok(seen.size > 1, 'CAs have changed meanwhile')
    assert.equal(issuerOf(await ask(client, site.handle()), cas), cas[0])
  })

  it('file by file, is used from when both files are there', async () => {
    await using site = await signerSite()
    await using signer = await startSigner(site.config)
    using client = connect(site)
    const next = await makeCa({ subject: 'CN=Next' })
    const cas = [site.ca, next]
    const issuer = async (): Promise<TestCa> => issuerOf(await ask(client, site.handle()), cas)
    assert.equal(await issuer(), site.ca)
    const key = next.key.export({ type: 'pkcs8', format: 'pem' }).toString()
    await writeFile(site.file('ca.pem'), next.certificate)
    await signer.reload()
    assert.equal(await issuer(), site.ca, 'the key is missing')
    await writeFile(site.file('ca.key'), key.slice(0, key.length / 2))
    await signer.reload()
    assert.equal(await issuer(), site.ca, 'half of the key is missing')
    await writeFile(site.file('ca.key'), key)
    await signer.reload()
    assert.equal(await issuer(), next, 'also for a certificate that was kept')
  })
})

describe('a grant key that is replaced', LIMIT, () => {
  it('at authz first, is refused until the signer has it', async () => {
    await using site = await signerSite()
    await using _ = await startSigner(site.config)
    using client = connect(site)
    const before = await readFile(site.file('grant.keys'), 'utf8')
    const added = newGrantKeyLine()
    const [fresh] = parseGrantKeys('test', added)
    assert.ok(fresh !== undefined)
    const handle = sealed(grantOf(timesNow()), fresh)
    assert.deepEqual((await ask(client, handle)).removed, [handle])
    await writeFile(site.file('grant.keys'), `${before}\n${added.slice(0, 10)}`)
    assert.deepEqual((await ask(client, handle)).removed, [handle], 'half of the line is there')
    await writeFile(site.file('grant.keys'), `${before}\n${added}`)
    for (;;) if ((await ask(client, handle)).secrets.length === 1) break
  })

  it('at the signer first, opens what authz seals with the old one until the old one is removed', async () => {
    await using site = await signerSite()
    await using signer = await startSigner(site.config)
    using client = connect(site)
    const handle = site.handle()
    const other = site.handle({ subject: subjectOf(['CN', 'bob']) })
    const old = await readFile(site.file('grant.keys'), 'utf8')
    const fresh = newGrantKeyLine()
    await writeFile(site.file('grant.keys'), `${fresh}\n${old}`)
    await signer.reload()
    assert.equal((await ask(client, handle)).secrets.length, 1)
    await writeFile(site.file('grant.keys'), fresh)
    await signer.reload()
    assert.deepEqual((await ask(client, other)).removed, [other])
    assert.deepEqual((await ask(client, handle)).removed, [handle], 'though it was kept')
  })
})
