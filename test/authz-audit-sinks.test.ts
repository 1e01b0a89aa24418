// authz with sinks, as a process: killed while it sends, a sink that is away, and a spool that is full.

import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { verifyLog } from '../src/tools/audit-log/verify.ts'
import { basic } from './fakes/envoy.ts'
import { EnvoyClient, type Outcome } from './fakes/envoy-client.ts'
import { cheapHash } from './fakes/hashes.ts'
import { MINIMAL_CONFIGURATION } from './fakes/minimal-configuration.ts'
import { until } from './fakes/until.ts'
import { startScriptedHttp, type ScriptedHttp } from './servers/scripted-http.ts'
import { temporaryFolder, type TemporaryFolder } from './servers/temporary.ts'

const COMMAND = join(import.meta.dirname, '../src/countersign.ts')
const CLOCK = join(import.meta.dirname, 'e2e/moved-clock.ts')
const DAY_MINUTES = 24 * 60
const ALICE = { headers: [['authorization', basic('alice', 'secret')]] } as const
const POSITION = '.audit.jsonl.siem.position'
/** Without the header, the wait between two attempts would grow to a minute. */
const DOWN = { status: 500, headers: { 'retry-after': '1' } }

interface Running extends AsyncDisposable {
  readonly child: ChildProcess
  readonly client: EnvoyClient
  /** What it logged. */
  log(): string
}

const audit = (origin: string, { size = 65_536, more = '' } = {}): string => `
audit:
  file: audit.jsonl
  rotate: { size: ${size}, keep: 1, gzip: true }
  sinks:
    siem: { http: { url: '${origin}/audit' }, batch: { every: 10ms }${more} }
  spool: { maxBytes: 1048576 }
`

const start = async (
  folder: TemporaryFolder,
  section: string,
  { route = '', preload = [] }: { route?: string; preload?: readonly string[] } = {},
): Promise<Running> => {
  const users = `users: { alice: { password: '${await cheapHash('secret')}' } }`
  await writeFile(folder.file('users.yaml'), users)
  const config = folder.file('countersign.yaml')
  const text = MINIMAL_CONFIGURATION.replace('name: app,', `name: app, ${route}`)
  await writeFile(config, `${text}${section}`)
  const args = [...preload, COMMAND, 'authz', '--config', config]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  let log = ''
  child.stderr?.setEncoding('utf8').on('data', (text_: string) => (log += text_))
  await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => assert.fail(`authz ended: ${log}`)),
  ])
  const client = new EnvoyClient({ kind: 'unix', path: folder.file('authz.sock') })
  return {
    child,
    client,
    log: () => log,
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]()
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill()
      await once(child, 'exit')
    },
  }
}

interface Arrived {
  readonly event: string
  readonly id?: string
  readonly seq: number
  readonly time: string
}

// Each is parsed once: the sink answers from this process, which must not be busy with what it has.
const parsed = new WeakMap<Buffer, readonly Arrived[]>()

const recordsIn = (body: Buffer): readonly Arrived[] => {
  const known = parsed.get(body)
  if (known !== undefined) return known
  const lines = body.toString().trimEnd().split('\n')
  const records = lines.map((line): Arrived => JSON.parse(line))
  parsed.set(body, records)
  return records
}

const arrivedAt = (sink: ScriptedHttp): readonly Arrived[] =>
  sink.requests.flatMap(({ body }) => recordsIn(body))

const idsAt = (sink: ScriptedHttp): ReadonlySet<string | undefined> =>
  new Set(arrivedAt(sink).map(({ id }) => id))

describe('authz that is killed while it sends its audit log', () => {
  it('has sent each answered decision at least once after the next start, and nothing is missing', async () => {
    await using folder = await temporaryFolder()
    await using sink = await startScriptedHttp(() => ({}))
    const answered: string[] = []
    for (let round = 0; round < 3; round++) {
      await using authz = await start(folder, audit(sink.origin))
      const exited = once(authz.child, 'exit')
      const before = sink.requests.length
      const ended = exited.then(() => undefined)
      await Promise.all(
        Array.from({ length: 10 }, async () => {
          for (;;) {
            const answer = authz.client.check(ALICE).catch(() => undefined)
            const outcome = await Promise.race([answer, ended])
            if (outcome === undefined) return
            answered.push(outcome.id)
            if (answered.length <= 300 * (round + 1)) continue
            if (sink.requests.length > before + 2) authz.child.kill('SIGKILL')
            else await sleep(5) // a slow machine has enough of them
          }
        }),
      )
      await exited
    }
    await using _ = await start(folder, audit(sink.origin))
    await until(() => {
      const ids = idsAt(sink)
      return answered.every((id) => ids.has(id))
    }, 'all answered decisions arrive')
    const sequences = [...new Set(arrivedAt(sink).map(({ seq }) => seq))].toSorted((a, b) => a - b)
    assert.equal(sequences.at(-1), sequences.length, 'no number of the chain is missing')
  })
})

describe('authz with a sink that is away', () => {
  it('answers all the same, and sends everything when the sink is back', async () => {
    await using folder = await temporaryFolder()
    let port = 0
    {
      await using sink = await startScriptedHttp(() => ({}))
      port = Number(new URL(sink.origin).port)
    }
    await using authz = await start(folder, audit(`http://127.0.0.1:${port}`))
    const outcomes: Outcome[] = []
    for (let call = 0; call < 50; call++) outcomes.push(await authz.client.check(ALICE))
    assert.ok(outcomes.every(({ allow }) => allow))
    await until(() => authz.log().includes('audit sink did not take a batch'))
    await using sink = await startScriptedHttp(() => ({}), port)
    await until(() => {
      const ids = idsAt(sink)
      return outcomes.every(({ id }) => ids.has(id))
    })
  })

  it('answers all the same where the sink accepts batches and is silent', async () => {
    await using folder = await temporaryFolder()
    await using sink = await startScriptedHttp(() => new Promise(() => undefined))
    await using authz = await start(folder, audit(sink.origin))
    await until(async () => {
      await authz.client.check(ALICE)
      return sink.requests.length > 0
    })
    const outcomes: Outcome[] = []
    for (let call = 0; call < 200; call++) outcomes.push(await authz.client.check(ALICE))
    assert.ok(outcomes.every(({ allow }) => allow))
  })
})

describe('authz with a slow sink', () => {
  it('is answered before the sink is, and the sink gets everything in the end', async () => {
    await using folder = await temporaryFolder()
    const { promise: first, resolve: release } = Promise.withResolvers<void>()
    await using sink = await startScriptedHttp(async () => {
      await first
      return {}
    })
    await using authz = await start(folder, audit(sink.origin))
    const outcomes: Outcome[] = []
    for (let call = 0; call < 500; call++) outcomes.push(await authz.client.check(ALICE))
    assert.ok(outcomes.every(({ allow }) => allow))
    await until(() => sink.requests.length > 0)
    // Its first answer comes after all checks: one batch at a time waits for it.
    assert.equal(sink.requests.length, 1)
    release()
    await until(() => {
      const ids = idsAt(sink)
      return outcomes.every(({ id }) => ids.has(id))
    })
  })
})

describe('authz whose wall clock is set', () => {
  it('records and sends each answered decision, and the chain verifies', async () => {
    await using folder = await temporaryFolder()
    await using sink = await startScriptedHttp(() => ({}))
    const preload = ['--import', CLOCK]
    const answered: string[] = []
    {
      await using authz = await start(folder, audit(sink.origin), { preload })
      for (const minutes of [0, 2 * DAY_MINUTES, -4 * DAY_MINUTES]) {
        const passed = once(authz.child, 'message')
        authz.child.send({ minutes, jumps: true })
        await passed
        for (let call = 0; call < 20; call++) {
          const { allow, id } = await authz.client.check(ALICE)
          assert.ok(allow)
          answered.push(id)
        }
      }
      await until(() => {
        const ids = idsAt(sink)
        return answered.every((id) => ids.has(id))
      })
    }
    const file = folder.file('audit.jsonl')
    const { findings } = await verifyLog([file], (path) => createReadStream(path))
    assert.deepEqual(findings, [])
    const times = arrivedAt(sink)
      .filter(({ id }) => answered.includes(id ?? ''))
      .map(({ time }) => Date.parse(time))
    assert.ok(Math.max(...times) - Math.min(...times) > 3 * DAY_MINUTES * 60_000)
  })
})

/** Checks until one is not recorded. */
const fill = async ({ client }: Running, isRefused: (outcome: Outcome) => Promise<boolean>) => {
  const path = `/${'x'.repeat(1_500)}`
  for (let call = 0; call < 5_000; call++) {
    const outcome = await client.check({ ...ALICE, path })
    if (await isRefused(outcome)) return outcome
  }
  return assert.fail('the spool is never full')
}

describe('authz with a full spool', () => {
  it('refuses with 503 where onAuditFailure is deny, until the sink is back', async () => {
    await using folder = await temporaryFolder()
    await using sink = await startScriptedHttp(() => DOWN)
    await using authz = await start(folder, audit(sink.origin))
    const refused = await fill(authz, ({ allow }) => Promise.resolve(!allow))
    assert.ok(!refused.allow)
    assert.equal(refused.status, 'ServiceUnavailable')
    assert.match(authz.log(), /the audit spool is full: more than 1048576 bytes/)
    sink.script = () => ({})
    await until(async () => (await authz.client.check(ALICE)).allow)
  })

  it('permits without a record where onAuditFailure is allow, and the log counts what is lost', async () => {
    await using folder = await temporaryFolder()
    await using sink = await startScriptedHttp(() => DOWN)
    await using authz = await start(folder, audit(sink.origin), {
      route: 'onAuditFailure: allow,',
    })
    const outcome = await fill(
      authz,
      async () => await Promise.resolve(authz.log().includes('spool is full')),
    )
    assert.ok(outcome.allow)
    sink.script = () => ({})
    await until(async () => {
      await authz.client.check(ALICE)
      return arrivedAt(sink).some((record) => record.event === 'log-opened' && 'lost' in record)
    })
  })

  it('drops the oldest files with drop-oldest, and both the log and the sink have the gap', async () => {
    await using folder = await temporaryFolder()
    await using sink = await startScriptedHttp(() => DOWN)
    const section = audit(sink.origin)
      .replace('maxBytes: 1048576', '$&, whenFull: drop-oldest')
      .replace('gzip: true', 'gzip: false')
    await using authz = await start(folder, section)
    // It has read a batch, and reads the next when the sink has taken it.
    await until(() => sink.requests.length > 0)
    const path = `/${'x'.repeat(1_500)}`
    const firstFile = async (): Promise<string> =>
      (await readdir(folder.path))
        .filter((name) => name.startsWith('audit.jsonl-'))
        .toSorted()[0] ?? ''
    await until(async () => {
      const checks = Array.from({ length: 50 }, () => authz.client.check({ ...ALICE, path }))
      assert.ok((await Promise.all(checks)).every(({ allow }) => allow))
      return Number((await firstFile()).slice(-6)) > 3
    })
    sink.script = () => ({})
    await until(() => arrivedAt(sink).some(({ event }) => event === 'records-skipped'))
    const text = await readFile(folder.file('audit.jsonl'), 'utf8')
    assert.match(text, /"event":"records-skipped","sink":"siem","cause":"deleted"/)
  })
})

describe('authz with the position of its sink', () => {
  it('sends nothing again after an orderly end', async () => {
    await using folder = await temporaryFolder()
    await using sink = await startScriptedHttp(() => ({}))
    {
      await using authz = await start(folder, audit(sink.origin))
      const { id } = await authz.client.check(ALICE)
      await until(() => idsAt(sink).has(id))
    }
    const position = await readFile(folder.file(POSITION), 'utf8')
    const { seq }: { readonly seq: number } = JSON.parse(position)
    assert.ok(seq > 1)
    const before = arrivedAt(sink).length
    await using authz = await start(folder, audit(sink.origin))
    const { id } = await authz.client.check(ALICE)
    await until(() => idsAt(sink).has(id))
    const again = arrivedAt(sink).slice(before)
    assert.ok(again.every((record) => record.seq > seq))
  })
})
