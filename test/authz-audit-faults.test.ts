// authz whose audit log fails: what was answered is in the log, what was not permitted is not, and the verification agrees.

import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { verifyLog, type Verification } from '../src/tools/audit-log/verify.ts'
import { basic } from './fakes/envoy.ts'
import { EnvoyClient, type Outcome } from './fakes/envoy-client.ts'
import { cheapHash } from './fakes/hashes.ts'
import { MINIMAL_CONFIGURATION } from './fakes/minimal-configuration.ts'
import { temporaryFolder, type TemporaryFolder } from './servers/temporary.ts'

const COMMAND = join(import.meta.dirname, '../src/countersign.ts')
const WRITER = join(import.meta.dirname, 'audit/endless-writer.ts')
const ALICE = { headers: [['authorization', basic('alice', 'secret')]] } as const

interface Running extends AsyncDisposable {
  readonly child: ChildProcess
  readonly client: EnvoyClient
}

/** Starts authz in a process of its own, in a shell that sets limits first. */
const start = async (
  folder: TemporaryFolder,
  { limits = 'true', audit = 'audit: { file: audit.jsonl }' } = {},
): Promise<Running> => {
  const users = `users: { alice: { password: '${await cheapHash('secret')}' } }`
  await writeFile(folder.file('users.yaml'), users)
  const config = folder.file('countersign.yaml')
  await writeFile(config, `${MINIMAL_CONFIGURATION}${audit}\nlog: { level: error }\n`)
  const child = spawn(
    'sh',
    ['-c', `${limits} && exec "$0" "$@"`, process.execPath, COMMAND, 'authz', '--config', config],
    { stdio: ['ignore', 'pipe', 'ignore', 'ipc'] },
  )
  await once(child, 'message')
  const client = new EnvoyClient({ kind: 'unix', path: folder.file('authz.sock') })
  return {
    child,
    client,
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]()
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill()
      await once(child, 'exit')
    },
  }
}

/** The ids of permits in the log. */
const permitsIn = async (folder: TemporaryFolder): Promise<ReadonlySet<string>> => {
  const text = await readFile(folder.file('audit.jsonl'), 'utf8')
  const decisions = text
    .split('\n')
    .filter((line) => line.endsWith('"}') && line.includes('"decision":"allow"'))
    .map((line): { readonly id: string } => JSON.parse(line))
  return new Set(decisions.map(({ id }) => id))
}

const verify = async (folder: TemporaryFolder): Promise<Verification> =>
  await verifyLog([folder.file('audit.jsonl')], (file) => createReadStream(file))

const isAllowed = ({ allow }: Outcome): boolean => allow

describe('authz with an audit log on a full disk', () => {
  it('permits what is in the log, and refuses the rest', async () => {
    await using folder = await temporaryFolder()
    const outcomes: Outcome[] = []
    {
      // Of 512 bytes each: room for some fifty events.
      await using authz = await start(folder, { limits: 'ulimit -f 64' })
      for (let call = 0; call < 120; call++) outcomes.push(await authz.client.check(ALICE))
    }
    const permitted = outcomes.filter(isAllowed).map(({ id }) => id)
    assert.ok(permitted.length > 10 && permitted.length < 110, `${permitted.length} permits`)
    assert.deepEqual(await permitsIn(folder), new Set(permitted))
    // With room again, the log says what was lost.
    await (await start(folder))[Symbol.asyncDispose]()
    const { findings, chains } = await verify(folder)
    assert.deepEqual(findings, [])
    assert.equal(chains.length, 1)
  })
})

describe('authz that is killed while it answers', () => {
  it('has each permit in the log that a caller received, and the next start continues the chain', async () => {
    await using folder = await temporaryFolder()
    const permitted: string[] = []
    {
      await using authz = await start(folder)
      const exited = once(authz.child, 'exit')
      const ended = exited.then(() => undefined)
      const calls = Array.from({ length: 50 }, async () => {
        for (;;) {
          const answer = authz.client.check(ALICE).catch(() => undefined)
          const outcome = await Promise.race([answer, ended])
          if (outcome?.allow !== true) return
          permitted.push(outcome.id)
          if (permitted.length > 1_000) authz.child.kill('SIGKILL')
        }
      })
      await Promise.all(calls)
      await exited
      assert.equal(authz.child.signalCode, 'SIGKILL')
    }
    const recorded = await permitsIn(folder)
    assert.deepEqual(
      permitted.filter((id) => !recorded.has(id)),
      [],
    )
    await (await start(folder))[Symbol.asyncDispose]()
    const { findings, chains } = await verify(folder)
    assert.deepEqual(findings, [])
    assert.equal(chains.length, 1)
  })
})

describe('authz whose standard output has no reader', () => {
  it('permits nothing any more', async () => {
    await using folder = await temporaryFolder()
    await using authz = await start(folder, { audit: '' })
    assert.ok((await authz.client.check(ALICE)).allow)
    authz.child.stdout?.destroy()
    const outcome = await authz.client.check(ALICE)
    assert.equal(outcome.allow, false)
  })
})

describe('a writer whose standard output is read slowly', () => {
  it('loses no event', async () => {
    const writer = spawn(process.execPath, [WRITER, '', '3000'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const chunks: Buffer[] = []
    for await (const chunk of writer.stdout) {
      chunks.push(chunk)
      for (let wait = 0; wait < 20; wait++) await turn()
    }
    const { findings, chains } = await verifyLog(['-'], () => Readable.from(chunks))
    assert.deepEqual(findings, [])
    assert.equal(chains[0]?.records, 3_001)
  })
})
