// The signer whole, in this process: what Envoy gets by its socket, and what a reload changes.

import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { chmod, mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { newGrantKeyLine } from '../src/keys/grant-keys.ts'
import { startSigner } from '../src/signer.ts'
import { sealed, grantOf, subjectOf } from './fakes/grant.ts'
import { SdsClient, type SdsAnswer } from './fakes/sds-client.ts'
import { signerSite, type SignerSite } from './fakes/signer-site.ts'
import { makeCa } from './ca/authorities.ts'

/** Asks for one name on a stream of its own, as Envoy does. */
const ask = async (site: SignerSite, name: string): Promise<SdsAnswer> => {
  using client = new SdsClient({ kind: 'unix', path: site.file('run/signer.sock') })
  const stream = client.open()
  stream.subscribe(name)
  const answer = await stream.next()
  stream.cancel()
  return answer
}

const eventsOf = async (site: SignerSite): Promise<readonly Record<string, unknown>[]> =>
  (await readFile(site.file('issued.jsonl'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line): Record<string, unknown> => JSON.parse(line))

const untilEvent = async (site: SignerSite, name: string, count = 1): Promise<void> => {
  for (let wait = 0; wait < 300; wait++) {
    const found = (await eventsOf(site)).filter(({ event }) => event === name)
    if (found.length >= count) return
    await sleep(20)
  }
  assert.fail(`${name} was never recorded ${count} times`)
}

describe('the signer, with one process and its files', { concurrency: true }, () => {
  it('answers a certificate handle with a certificate, its key and its lifetime', async () => {
    await using site = await signerSite()
    await using _ = await startSigner(site.config)
    const handle = site.handle()
    const { secrets, removed } = await ask(site, handle)
    assert.deepEqual(removed, [])
    const [secret] = secrets
    assert.equal(secret?.name, handle)
    const leaf = new X509Certificate(secret.certificate)
    assert.equal(leaf.subject, 'CN=alice\nO=developers')
    assert.ok(leaf.verify(new X509Certificate(site.ca.certificate).publicKey))
    assert.ok(leaf.checkPrivateKey(createPrivateKey(secret.key)))
    assert.ok(secret.ttl > 1_850_000 && secret.ttl <= 1_860_000, String(secret.ttl))
    const issued = (await eventsOf(site)).filter(({ event }) => event === 'certificate-issued')
    assert.equal(issued.length, 1)
    assert.equal(issued[0]?.['serial'], leaf.serialNumber.toLowerCase())
  })

  it('answers any other name with a removal, and records the reason', async () => {
    await using site = await signerSite()
    await using _ = await startSigner(site.config)
    const names = ['-', site.handle({ subject: subjectOf(['O', 'system:masters']) })]
    const answers = await Promise.all(names.map((name) => ask(site, name)))
    assert.deepEqual(
      answers.map(({ removed }) => removed),
      names.map((name) => [name]),
    )
    const refused = (await eventsOf(site)).filter(({ event }) => event === 'certificate-refused')
    assert.deepEqual(
      refused.map(({ reason }) => reason),
      ['handle-malformed', 'value-reserved'],
    )
  })

  it(
    'hands nothing out that it cannot record',
    { skip: process.platform !== 'linux' },
    async () => {
      await using site = await signerSite()
      await rm(site.file('issued.jsonl'), { force: true })
      await symlink(site.file('good.jsonl'), site.file('issued.jsonl'))
      await using signer = await startSigner(site.config)
      const point = async (target: string): Promise<void> => {
        await rm(site.file('issued.jsonl'))
        await symlink(target, site.file('issued.jsonl'))
        await signer.reload()
      }
      await point('/dev/full') // where every write fails as on a full disk
      assert.deepEqual((await ask(site, site.handle())).secrets, [])
      await point(site.file('good.jsonl'))
      assert.equal((await ask(site, site.handle())).secrets.length, 1)
    },
  )

  it(
    'does not start when it cannot record that',
    { skip: process.platform !== 'linux' },
    async () => {
      await using site = await signerSite()
      const text = await readFile(site.config, 'utf8')
      await writeFile(site.config, text.replace('issued.jsonl', '/dev/full'))
      await assert.rejects(startSigner(site.config), { code: 'audit-unwritable' })
    },
  )

  it('uses a key that was added to the keyring a moment ago', async () => {
    await using site = await signerSite()
    await using _ = await startSigner(site.config)
    const [, fresh] = await site.writeKeyring(newGrantKeyLine(), newGrantKeyLine())
    assert.ok(fresh !== undefined)
    const now = Math.floor(Date.now() / 1_000)
    const times = { notBefore: now, notAfter: now + 600, renewAt: now + 300 }
    const { secrets } = await ask(site, sealed(grantOf(times), fresh))
    assert.equal(secrets.length, 1)
    await untilEvent(site, 'configuration-loaded', 2)
  })

  it('issues with another CA once that is in the file', async () => {
    await using site = await signerSite()
    await using signer = await startSigner(site.config)
    const before = (await ask(site, site.handle())).secrets[0]
    const next = await makeCa({ subject: 'CN=Next' })
    await site.writeCa(next)
    await signer.reload()
    const after = (await ask(site, site.handle())).secrets[0]
    assert.ok(before !== undefined && after !== undefined)
    assert.notEqual(after.version, before.version)
    const leaf = new X509Certificate(after.certificate)
    assert.ok(leaf.verify(new X509Certificate(next.certificate).publicKey))
  })

  const BROKEN: readonly { name: string; write: (site: SignerSite) => Promise<void> }[] = [
    { name: 'signer.yaml', write: async ({ config }) => await writeFile(config, 'version: 2') },
    { name: 'the keyring', write: async (site) => await writeFile(site.file('grant.keys'), 'x') },
    { name: 'the key', write: async (site) => await writeFile(site.file('ca.key'), 'x') },
    {
      name: 'the certificate, which is another’s',
      write: async (site) => await writeFile(site.file('ca.pem'), (await makeCa()).certificate),
    },
  ]
  for (const { name, write } of BROKEN) {
    it(`continues with its configuration when a file is broken: ${name}`, async () => {
      await using site = await signerSite()
      await using signer = await startSigner(site.config)
      const before = (await ask(site, site.handle())).secrets[0]
      await write(site)
      await signer.reload()
      await untilEvent(site, 'configuration-rejected')
      const after = (await ask(site, site.handle())).secrets[0]
      assert.ok(after !== undefined)
      assert.equal(after.version.split('-')[0], before?.version.split('-')[0])
      const rejected = (await eventsOf(site)).find(
        ({ event }) => event === 'configuration-rejected',
      )
      assert.equal(rejected?.['generation'], 1)
    })
  }

  it('reopens the audit file at a reload', async () => {
    await using site = await signerSite()
    await using signer = await startSigner(site.config)
    await rename(site.file('issued.jsonl'), site.file('issued.jsonl.1'))
    await signer.reload()
    await ask(site, site.handle())
    const events = (await eventsOf(site)).map(({ event }) => event)
    assert.deepEqual(events, ['log-opened', 'configuration-loaded', 'certificate-issued'])
  })

  it('continues with the old audit file when that cannot be reopened', async () => {
    await using site = await signerSite()
    await mkdir(site.file('log'))
    const text = await readFile(site.config, 'utf8')
    await writeFile(site.config, text.replace('issued.jsonl', 'log/issued.jsonl'))
    await using signer = await startSigner(site.config)
    await rename(site.file('log'), site.file('old'))
    await signer.reload()
    assert.equal((await ask(site, site.handle())).secrets.length, 1)
    assert.match(await readFile(site.file('old/issued.jsonl'), 'utf8'), /certificate-issued/)
  })
})

describe('the signer’s socket', { concurrency: true }, () => {
  it('is open to its owner and group by default', async () => {
    await using site = await signerSite()
    await using _ = await startSigner(site.config)
    assert.equal((await stat(site.file('run/signer.sock'))).mode & 0o777, 0o660)
  })

  it('has the configured mode, owner and group', async () => {
    await using site = await signerSite()
    const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0]
    // Only root can give a file away.
    const [owner, group] = uid === 0 ? [12_345, 54_321] : [uid, gid]
    const text = await readFile(site.config, 'utf8')
    const listen = `listen: { address: 'unix:run/signer.sock', mode: '0600', owner: ${owner}, group: ${group} }`
    await writeFile(site.config, text.replace('listen: unix:run/signer.sock', listen))
    await using _ = await startSigner(site.config)
    const status = await stat(site.file('run/signer.sock'))
    assert.deepEqual([status.mode & 0o777, status.uid, status.gid], [0o600, owner, group])
  })

  it('is refused in a folder where every user could replace it', async () => {
    await using site = await signerSite()
    await mkdir(site.file('run'))
    await chmod(site.file('run'), 0o777)
    await assert.rejects(startSigner(site.config), {
      code: 'listen-failed',
      message: /every user may write to .*\/run and replace the socket/,
    })
    await chmod(site.file('run'), 0o1777) // as /tmp is
    await using _ = await startSigner(site.config)
  })

  it('is removed when the signer ends', async () => {
    await using site = await signerSite()
    {
      await using _ = await startSigner(site.config)
    }
    await assert.rejects(stat(site.file('run/signer.sock')), { code: 'ENOENT' })
  })

  it('is not taken over from a signer that runs', async () => {
    await using site = await signerSite()
    await using _ = await startSigner(site.config)
    await assert.rejects(startSigner(site.config), /another process writes to the audit file/)
    const other = (await readFile(site.config, 'utf8')).replace('issued.jsonl', 'other.jsonl')
    await writeFile(site.file('other.yaml'), other)
    await assert.rejects(startSigner(site.file('other.yaml')), /another process listens/)
    assert.equal((await ask(site, site.handle())).secrets.length, 1)
  })
})
