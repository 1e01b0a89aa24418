// `countersign signer` as a process: its signals, and how it refuses to start.
//
// Slow: it starts a process for each test.

import assert from 'node:assert/strict'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { SdsClient } from '../fakes/sds-client.ts'
import { signerSite, type SignerSite } from '../fakes/signer-site.ts'
import { until } from '../fakes/until.ts'
import { countersign, startService, jsonLines } from './run.ts'

const ask = async (site: SignerSite): Promise<number> => {
  using client = new SdsClient({ kind: 'unix', path: site.file('run/signer.sock') })
  const stream = client.open()
  stream.subscribe(site.handle())
  const { secrets } = await stream.next()
  return secrets.length
}

describe('countersign signer', { concurrency: true }, () => {
  it('writes audit to standard output and logs to standard error, and ends with 0 by SIGTERM', async () => {
    await using site = await signerSite()
    const text = await readFile(site.config, 'utf8')
    await writeFile(site.config, text.replace(/^audit.*$/m, '').replace('error', 'info'))
    await using signer = await startService('signer', site.config)
    assert.equal(await ask(site), 1)
    const { status, stdout, stderr } = await signer.end()
    assert.equal(status, 0)
    assert.deepEqual(
      jsonLines(stdout).map(({ log, event }) => [log, event]),
      [
        ['audit', 'log-opened'],
        ['audit', 'configuration-loaded'],
        ['audit', 'certificate-issued'],
      ],
    )
    assert.deepEqual(
      jsonLines(stderr).map(({ level, component, msg }) => [level, component, msg]),
      [['info', 'signer', 'listening']],
    )
    assert.doesNotMatch(stdout + stderr, /PRIVATE/)
  })

  it('reloads and reopens the audit file by SIGHUP', async () => {
    await using site = await signerSite()
    await using signer = await startService('signer', site.config)
    await rename(site.file('issued.jsonl'), site.file('issued.jsonl.1'))
    signer.signal('SIGHUP')
    for (let wait = 0; wait < 200; wait++) {
      const text = await readFile(site.file('issued.jsonl'), 'utf8').catch(() => '')
      if (/"configuration-loaded","generation":2/.test(text)) return
      await sleep(20)
    }
    assert.fail('no second generation')
  })

  it('reopens the audit file alone by SIGUSR2', async () => {
    await using site = await signerSite()
    await using signer = await startService('signer', site.config)
    await rename(site.file('issued.jsonl'), site.file('issued.jsonl.1'))
    signer.signal('SIGUSR2')
    await until(async () => {
      const text = await readFile(site.file('issued.jsonl'), 'utf8').catch(() => '')
      return text.includes('"cause":"reopened"') && !text.includes('configuration-loaded')
    })
  })

  it('serves the health check of gRPC', async () => {
    await using site = await signerSite()
    await using _ = await startService('signer', site.config)
    const address = `unix:${site.file('run/signer.sock')}`
    const { status, stderr } = await countersign(['health', '--address', address])
    assert.deepEqual([status, stderr], [0, ''])
  })

  it('ends with open streams', async () => {
    await using site = await signerSite()
    await using signer = await startService('signer', site.config)
    using client = new SdsClient({ kind: 'unix', path: site.file('run/signer.sock') })
    const stream = client.open()
    stream.subscribe(site.handle())
    await stream.next()
    assert.equal((await signer.end()).status, 0)
  })

  const BROKEN: readonly {
    readonly name: string
    readonly write: (site: SignerSite) => Promise<void>
    readonly says: RegExp
  }[] = [
    {
      name: 'an invalid configuration, of which all problems are listed',
      write: async ({ config }) => await writeFile(config, 'version: 1\nlisten: 127.0.0.1:1\nx: 1'),
      says: /listen: must be "unix:PATH"[^]*authorities: required[^]*x: unknown key\n3 problems found/,
    },
    {
      name: 'a key that is not the CA’s',
      write: async (site) => await writeFile(site.file('ca.key'), 'nonsense'),
      says: /authorities\.kube\.key: the key is not a private key in PEM\n1 problem found/,
    },
    {
      name: 'an audit file that cannot be opened',
      write: async ({ config }) =>
        await writeFile(config, (await readFile(config, 'utf8')).replace('issued', 'none/issued')),
      says: /^countersign: the audit file cannot be opened: the folder \S+\/none does not exist: make it$/m,
    },
    {
      name: 'a folder of its socket that does not exist',
      write: async ({ config }) =>
        await writeFile(config, (await readFile(config, 'utf8')).replace('unix:run', 'unix:/proc')),
      says: /^countersign: /,
    },
  ]
  for (const { name, write, says } of BROKEN) {
    it(`does not start with ${name}`, async () => {
      await using site = await signerSite()
      await write(site)
      const { status, stderr } = await countersign(['signer', '--config', site.config])
      assert.equal(status, 1)
      assert.match(stderr, says)
      assert.doesNotMatch(stderr, /\bat .*\.ts:\d/)
    })
  }
})
