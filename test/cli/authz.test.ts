// `countersign authz` as a process: its signals, and how it refuses to start.
//
// Slow: it starts a process for each test.

import assert from 'node:assert/strict'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { basic } from '../fakes/envoy.ts'
import { clientIn } from '../fakes/envoy-client.ts'
import { cheapHash } from '../fakes/hashes.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'
import {
  countersign,
  countersignProcess,
  startAuthzCommand,
  type RunningService,
  jsonLines,
} from './run.ts'
import { MINIMAL_CONFIGURATION } from '../fakes/minimal-configuration.ts'

const writeSite = async (folder: TemporaryFolder, more = ''): Promise<void> => {
  const hash = await cheapHash('secret')
  await writeFile(folder.file('users.yaml'), `users: { alice: { password: '${hash}' } }`)
  await writeFile(folder.file('countersign.yaml'), MINIMAL_CONFIGURATION + more)
}

const start = async (folder: TemporaryFolder, more = ''): Promise<RunningService> => {
  await writeSite(folder, more)
  return await startAuthzCommand(folder.file('countersign.yaml'))
}

/** A module in which a process ends itself with what it reports to its parent. */
const ENDED_WHEN_READY = `data:text/javascript,${encodeURIComponent(
  "process.send = () => process.kill(process.pid, 'SIGTERM')",
)}`

const ALICE = { headers: [['authorization', basic('alice', 'secret')]] } as const

const untilFile = async (path: string, wanted: RegExp): Promise<string> => {
  for (let wait = 0; wait < 200; wait++) {
    const text = await readFile(path, 'utf8').catch(() => '')
    if (wanted.test(text)) return text
    await sleep(20)
  }
  return assert.fail(`${path} never held ${String(wanted)}`)
}

describe('countersign authz', { concurrency: true }, () => {
  it('writes audit to standard output and logs to standard error, and ends with 0 by SIGTERM', async () => {
    await using folder = await temporaryFolder()
    await using authz = await start(folder)
    using client = clientIn(folder)
    assert.ok((await client.check(ALICE)).allow)
    const { status, stdout, stderr } = await authz.end()
    assert.equal(status, 0)
    assert.deepEqual(
      jsonLines(stdout).map(({ log, event, decision }) => [log, event, decision]),
      [
        ['audit', 'log-opened', undefined],
        ['audit', 'configuration-loaded', undefined],
        ['audit', 'decision', 'allow'],
      ],
    )
    assert.deepEqual(
      jsonLines(stderr).map(({ level, component, msg }) => [level, component, msg]),
      [['info', 'authz', 'listening']],
    )
  })

  it('ends with 0 by a SIGTERM that comes as soon as it has reported that it is ready', async () => {
    await using folder = await temporaryFolder()
    await writeSite(folder)
    const args = ['authz', '-c', folder.file('countersign.yaml')]
    const { status } = await countersignProcess(args, '', ['--import', ENDED_WHEN_READY])
    assert.equal(status, 0)
  })

  it('reloads and reopens the audit file by SIGHUP', async () => {
    await using folder = await temporaryFolder()
    await using authz = await start(folder, 'audit: { file: audit.jsonl }')
    const [file, rotated] = [folder.file('audit.jsonl'), folder.file('audit.jsonl.1')]
    await rename(file, rotated)
    authz.signal('SIGHUP')
    const text = await untilFile(file, /"configuration-loaded","generation":2/)
    assert.equal(jsonLines(text).length, 2)
    assert.equal(jsonLines(await readFile(rotated, 'utf8')).length, 2)
  })

  it('reopens the audit file alone by SIGUSR2', async () => {
    await using folder = await temporaryFolder()
    await using authz = await start(folder, 'audit: { file: audit.jsonl }')
    using client = clientIn(folder)
    const [file, rotated] = [folder.file('audit.jsonl'), folder.file('audit.jsonl.1')]
    await rename(file, rotated)
    authz.signal('SIGUSR2')
    await untilFile(file, /"cause":"reopened"/)
    assert.ok((await client.check(ALICE)).allow)
    const events = jsonLines(await untilFile(file, /"event":"decision"/)).map(({ event }) => event)
    assert.deepEqual(events, ['log-opened', 'decision'])
  })

  it('continues after a SIGHUP where the audit file cannot be opened, and reloads anyway', async () => {
    await using folder = await temporaryFolder()
    await mkdir(folder.file('log'))
    await using authz = await start(folder, 'audit: { file: log/audit.jsonl }')
    using client = clientIn(folder)
    await rename(folder.file('log'), folder.file('old'))
    authz.signal('SIGHUP')
    await untilFile(folder.file('old/audit.jsonl'), /"configuration-loaded","generation":2/)
    assert.ok((await client.check(ALICE)).allow)
    const { status, stderr } = await authz.end()
    assert.equal(status, 0)
    assert.match(stderr, /"level":"error".*audit file/)
  })

  it('keeps the last valid configuration where the next one is broken', async () => {
    await using folder = await temporaryFolder()
    await using authz = await start(folder)
    using client = clientIn(folder)
    await writeFile(folder.file('countersign.yaml'), 'version: 2')
    authz.signal('SIGHUP')
    await sleep(300)
    assert.ok((await client.check(ALICE)).allow)
    const { stdout } = await authz.end()
    const rejected = jsonLines(stdout).filter(({ event }) => event === 'configuration-rejected')
    assert.ok(rejected.length > 0)
    assert.equal(rejected[0]?.['generation'], 1)
  })

  const BROKEN = [
    { name: 'a broken configuration', config: 'version: 1\nmore: 2', says: /more: unknown key/ },
    {
      name: 'an address that cannot be listened on',
      config: MINIMAL_CONFIGURATION.replace('unix:authz.sock', 'unix:/proc/authz.sock'),
      says: /^countersign: cannot listen on unix:\/proc\/authz\.sock/m,
    },
    {
      name: 'an audit file that cannot be opened',
      config: `${MINIMAL_CONFIGURATION}audit: { file: none/audit.jsonl }`,
      says: /^countersign: the audit file cannot be opened: the folder \S+\/none does not exist: make it$/m,
    },
  ]
  for (const { name, config, says } of BROKEN) {
    it(`does not start with ${name}`, async () => {
      await using folder = await temporaryFolder()
      await writeFile(folder.file('countersign.yaml'), config)
      const hash = await cheapHash('secret')
      await writeFile(folder.file('users.yaml'), `users: { alice: { password: '${hash}' } }`)
      const { status, stderr } = await countersign(['authz', '-c', folder.file('countersign.yaml')])
      assert.equal(status, 1)
      assert.match(stderr, says)
    })
  }
})
