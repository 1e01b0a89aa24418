// The audit log on disk: whole lines of JSON, or a failure that the caller hears of.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import type { AuditEvent, DecisionEvent } from '../../src/audit/event.ts'
import { JsonLinesSink } from '../../src/audit/sink.ts'
import { temporaryFolder } from '../servers/temporary.ts'

const run = promisify(execFile)

const DECISION: DecisionEvent = {
  event: 'decision',
  id: '0b1c',
  request: 'f3a0',
  decision: 'allow',
  reason: 'permitted',
  status: 200,
  route: 'app',
  method: 'GET',
  host: 'app.example.org',
  path: '/a?b=[withheld]',
  source: '203.0.113.7',
  user: 'jürgen\n"',
  groups: ['dev', '\u2028'],
  authenticator: 'staff',
  authentication: 'basic',
  credential: 'fingerprint',
  rule: 'all',
  forwarded: ['headers'],
  duration: 1_234,
  generation: 1,
}

const EVENTS: readonly AuditEvent[] = [
  DECISION,
  {
    event: 'decision',
    id: '1',
    decision: 'deny',
    reason: 'internal-error',
    status: 503,
    duration: 0,
    generation: 1,
  },
  { event: 'configuration-loaded', generation: 2, file: '/etc/countersign.yaml' },
  {
    event: 'configuration-rejected',
    generation: 2,
    file: '/etc/countersign.yaml',
    problems: ['a', 'b'],
  },
]

/** The events of the callers, without the records about the log. */
const linesOf = async (path: string): Promise<readonly unknown[]> => {
  const text = await readFile(path, 'utf8')
  assert.ok(text === '' || text.endsWith('\n'))
  return text
    .split('\n')
    .slice(0, -1)
    .filter((line) => !line.includes('"event":"log-opened"'))
    .map((line): unknown => JSON.parse(line))
}

const generationsIn = async (path: string): Promise<readonly unknown[]> =>
  (await linesOf(path)).map((line) =>
    typeof line === 'object' && line !== null && 'generation' in line ? line.generation : line,
  )

const loaded = (generation: number): AuditEvent => ({
  event: 'configuration-loaded',
  generation,
  file: 'x',
})

describe('an audit sink', () => {
  it('writes every kind of event as one line of JSON, with every field', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    using sink = new JsonLinesSink(path)
    await Promise.all(EVENTS.map((event) => sink.write(event)))
    const lines = await linesOf(path)
    assert.equal(lines.length, EVENTS.length)
    for (const [index, event] of EVENTS.entries()) {
      const line = lines[index]
      assert.ok(typeof line === 'object' && line !== null && 'time' in line && 'log' in line)
      const {
        time,
        log,
        chain: _,
        seq: __,
        hash: ___,
        ...fields
      } = { chain: '', seq: 0, hash: '', ...line }
      assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      assert.equal(log, 'audit')
      assert.deepEqual(fields, event)
    }
  })

  it('has written an event when its promise resolves', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    using sink = new JsonLinesSink(path)
    await sink.write(loaded(1))
    assert.deepEqual(await generationsIn(path), [1])
    await sink.write(loaded(2))
    assert.deepEqual(await generationsIn(path), [1, 2])
  })

  it('appends to an existing file', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    for (const generation of [1, 2]) {
      using sink = new JsonLinesSink(path)
      await sink.write(loaded(generation))
    }
    assert.deepEqual(await generationsIn(path), [1, 2])
  })

  it('creates a file that other users cannot read', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    using sink = new JsonLinesSink(path)
    await sink.write(loaded(1))
    assert.equal((await stat(path)).mode & 0o007, 0)
  })

  it('writes a line of 1 MB completely', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    using sink = new JsonLinesSink(path)
    await sink.write({ ...DECISION, path: 'x'.repeat(1_000_000) })
    await sink.write(loaded(2))
    assert.deepEqual(await generationsIn(path), [1, 2])
  })
})

describe('an audit sink that cannot write', () => {
  it('does not open in a folder that does not exist', () => {
    assert.throws(() => new JsonLinesSink('/nonexistent/audit.jsonl'), {
      code: 'audit-unwritable',
      message: /^the audit file cannot be opened: the folder \S+ does not exist: make it$/,
    })
  })

  it('does not open a folder', async () => {
    await using folder = await temporaryFolder()
    assert.throws(() => new JsonLinesSink(folder.path), { code: 'audit-unwritable' })
  })

  it('rejects every event', { skip: !existsSync('/dev/full') }, async () => {
    using sink = new JsonLinesSink('/dev/full')
    for (const event of EVENTS) {
      await assert.rejects(sink.write(event), {
        code: 'audit-unwritable',
        message: /could not be written to \/dev\/full: ENOSPC/,
      })
    }
  })

  it('rejects events after it is closed, and writes to no other file', async () => {
    await using folder = await temporaryFolder()
    const sink = new JsonLinesSink(folder.file('audit.jsonl'))
    sink[Symbol.dispose]()
    await assert.rejects(sink.write(loaded(1)), { code: 'audit-unwritable' })
  })

  it('starts a new line after a truncated one', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    const script = join(import.meta.dirname, 'disk-full.ts')
    const limited = 'ulimit -f 2 && exec "$0" "$@"'
    const { stdout } = await run('sh', ['-c', limited, process.execPath, script, path])
    const report: unknown = JSON.parse(stdout)
    assert.ok(typeof report === 'object' && report !== null && 'rest' in report && 'code' in report)
    assert.equal(report.code, 'audit-unwritable')
    assert.ok(typeof report.rest === 'string' && report.rest.length > 0)
    const [cut, opened = '', whole = '', ...none] = (await readFile(path, 'utf8')).split('\n')
    assert.equal(cut, report.rest)
    assert.match(opened, /"event":"log-opened","cause":"write-failed",.*"cut":\[.*\],"lost":1,/)
    assert.deepEqual(none, [''])
    const line: unknown = JSON.parse(whole)
    assert.ok(typeof line === 'object' && line !== null && 'generation' in line)
    assert.equal(line.generation, 0)
  })
})

describe('an audit file that ends within a line, as after a crash', () => {
  const endsMidLine = async (path: string): Promise<void> => {
    await writeFile(path, '{"log":"audit","event":"deci')
  }

  it('gets a line end when it is opened', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    await endsMidLine(path)
    using sink = new JsonLinesSink(path)
    await sink.write(loaded(1))
    const [, opened = '', whole = ''] = (await readFile(path, 'utf8')).split('\n')
    assert.match(opened, /"event":"log-opened".*"cut":\[\{"bytes":28,/)
    assert.match(whole, /^\{.*"generation":1.*\}$/)
  })

  it('gets a line end when it is reopened', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    using sink = new JsonLinesSink(path)
    await endsMidLine(path)
    sink.reopen()
    await sink.write(loaded(1))
    const [, opened = '', whole = ''] = (await readFile(path, 'utf8')).split('\n')
    assert.match(opened, /"event":"log-opened".*"cut":\[\{"bytes":28,/)
    assert.match(whole, /^\{.*"generation":1.*\}$/)
  })
})

describe('audit events of one turn of the event loop', () => {
  it('are all written in order before any promise resolves', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    using sink = new JsonLinesSink(path)
    const writes = Array.from({ length: 100 }, (_, index) => sink.write(loaded(index)))
    await Promise.race(writes)
    assert.deepEqual(await generationsIn(path), [...writes.keys()])
    await Promise.all(writes)
  })

  it('are written where the sink is closed or reopened meanwhile', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    const sink = new JsonLinesSink(path)
    const first = sink.write(loaded(1))
    sink.reopen()
    const second = sink.write(loaded(2))
    sink[Symbol.dispose]()
    await Promise.all([first, second])
    assert.deepEqual(await generationsIn(path), [1, 2])
  })

  it('fail one by one: those that were written before the disk was full resolve', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    const script = join(import.meta.dirname, 'disk-full.ts')
    const limited = 'ulimit -f 2 && exec "$0" "$@"'
    const { stdout } = await run('sh', ['-c', limited, process.execPath, script, path, 'together'])
    const { resolved, rejected } = JSON.parse(stdout)
    const whole = (await readFile(path, 'utf8')).split('\n').slice(0, -1)
    assert.ok(rejected > 0)
    assert.equal(resolved, whole.length - 1) // besides `log-opened`
  })
})

describe('an audit sink that is reopened', () => {
  it('continues in a new file after rotation', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    const rotated = folder.file('audit.jsonl.1')
    using sink = new JsonLinesSink(path)
    await sink.write(loaded(1))
    await rename(path, rotated)
    await sink.write(loaded(2))
    sink.reopen()
    await sink.write(loaded(3))
    assert.deepEqual(await generationsIn(rotated), [1, 2])
    assert.deepEqual(await generationsIn(path), [3])
  })

  it('appends where the file was not rotated', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    using sink = new JsonLinesSink(path)
    await sink.write(loaded(1))
    sink.reopen()
    await sink.write(loaded(2))
    assert.deepEqual(await generationsIn(path), [1, 2])
  })

  it('keeps the old file where the new one cannot be opened', async () => {
    await using folder = await temporaryFolder()
    const place = folder.file('log')
    await mkdir(place)
    const path = join(place, 'audit.jsonl')
    using sink = new JsonLinesSink(path)
    const moved = folder.file('moved')
    await rename(place, moved)
    assert.throws(() => sink.reopen(), { code: 'audit-unwritable' })
    await sink.write(loaded(1))
    assert.deepEqual(await generationsIn(join(moved, 'audit.jsonl')), [1])
    await rm(moved, { recursive: true })
  })
})
