// The hash chain over restarts, rotation and failures: what was acknowledged is in the log, and the verification agrees.

import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createReadStream, existsSync } from 'node:fs'
import { describe, it, mock } from 'node:test'
import { promisify } from 'node:util'
import { readChainFields } from '../../src/audit/chain.ts'
import { JsonLinesSink } from '../../src/audit/sink.ts'
import { verifyLog, type Verification } from '../../src/tools/audit-log/verify.ts'
import { temporaryFolder } from '../servers/temporary.ts'
import { findingsOf, loaded } from '../tools/audit-log/logs.ts'

const run = promisify(execFile)
const WRITER = join(import.meta.dirname, 'endless-writer.ts')

const verify = async (...files: readonly string[]): Promise<Verification> =>
  await verifyLog(files, (file) => createReadStream(file))

const linesOf = async (path: string): Promise<readonly string[]> =>
  (await readFile(path, 'utf8')).split('\n').slice(0, -1)

const sequencesOf = async (path: string): Promise<readonly (number | undefined)[]> =>
  (await linesOf(path)).map((line) => readChainFields(Buffer.from(line))?.fields.sequence)

const writeOne = async (path: string, generation = 1): Promise<void> => {
  using sink = new JsonLinesSink(path)
  await sink.write(loaded(generation))
}

describe('the chain of an audit log', () => {
  it('continues after a restart', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    await writeOne(path, 1)
    await writeOne(path, 2)
    assert.deepEqual(await sequencesOf(path), [1, 2, 3, 4])
    const { findings, chains } = await verify(path)
    assert.deepEqual([findings.length, chains.length], [0, 1])
  })

  it('continues in a new file after SIGHUP, and where the file was rotated away while no process ran', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    {
      using sink = new JsonLinesSink(path)
      await sink.write(loaded(1))
      await rename(path, folder.file('audit.jsonl.2'))
      sink.reopen()
      await sink.write(loaded(2))
    }
    await rename(path, folder.file('audit.jsonl.1'))
    await writeOne(path)
    const files = ['audit.jsonl', 'audit.jsonl.1', 'audit.jsonl.2'].map((name) => folder.file(name))
    const { findings, chains } = await verify(...files)
    assert.deepEqual(findings, [])
    assert.deepEqual(
      chains.map(({ first, last }) => [first, last]),
      [[1, 6]],
    )
  })

  it('begins the new file at once when it is reopened', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    using sink = new JsonLinesSink(path)
    await sink.write(loaded(1))
    await rename(path, folder.file('audit.jsonl.1'))
    sink.reopen()
    assert.match((await linesOf(path))[0] ?? '', /"event":"log-opened","cause":"reopened"/)
  })

  it('begins behind the events of an older release, which it leaves as they are', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    const old = '{"log":"audit","time":"2026-11-01T00:00:00.000Z","event":"configuration-loaded"}\n'
    await writeFile(path, old)
    await writeOne(path)
    const { findings, notes, chains } = await verify(path)
    assert.deepEqual(findings, [])
    assert.match(notes[0]?.text ?? '', /^1 events before the beginning of the chain/)
    assert.equal(chains[0]?.first, 1)
    await appendFile(path, old)
    assert.deepEqual(findingsOf(await verify(path)), [`unchained ${path}:4`])
  })

  it('does not depend on the clock', async (test) => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    const clock = mock.timers
    clock.enable({ apis: ['Date'], now: Date.parse('2036-01-01T00:00:00Z') })
    test.after(() => clock.reset())
    using sink = new JsonLinesSink(path)
    await sink.write(loaded(1))
    clock.setTime(Date.parse('2026-01-01T00:00:00Z'))
    await sink.write(loaded(2))
    clock.setTime(0)
    sink.reopen()
    await sink.write(loaded(3))
    assert.deepEqual(await sequencesOf(path), [1, 2, 3, 4])
    assert.deepEqual(findingsOf(await verify(path)), [])
  })

  it('is one of its own for each process on standard output', async () => {
    const events = Array.from({ length: 2 }, () => run(process.execPath, [WRITER, '', '3']))
    const outputs = (await Promise.all(events)).map(({ stdout }) => stdout)
    await using folder = await temporaryFolder()
    const path = folder.file('stream')
    const [one = [], other = []] = outputs.map((text) => text.trimEnd().split('\n'))
    await writeFile(path, one.flatMap((line, index) => [line, other[index]]).join('\n') + '\n')
    const { findings, chains } = await verify(path)
    assert.deepEqual(findings, [])
    assert.deepEqual(
      chains.map(({ records }) => records),
      [4, 4],
    )
  })
})

describe('an audit log after a crash', () => {
  for (const missing of [1, 2, 30, 200]) {
    it(`tells of a last line that lacks ${missing} bytes`, async () => {
      await using folder = await temporaryFolder()
      const path = folder.file('audit.jsonl')
      await writeOne(path, 1)
      const whole = await readFile(path)
      await truncate(path, whole.length - missing)
      assert.deepEqual(findingsOf(await verify(path)), [`incomplete ${path}:2`])
      await writeOne(path, 2)
      const { findings, notes, chains } = await verify(path)
      assert.deepEqual(findings, [])
      assert.equal(notes.length, 1)
      assert.equal(notes[0]?.line, 2)
      assert.equal(chains[0]?.last, 3)
    })
  }

  it('is not intact where the incomplete line is removed or changed', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    await writeOne(path)
    await truncate(path, (await readFile(path)).length - 30)
    await writeOne(path)
    const lines = await linesOf(path)
    const other = lines.with(1, (lines[1] ?? '').replace('countersign', 'Countersign'))
    await writeFile(path, `${other.join('\n')}\n`)
    assert.deepEqual(findingsOf(await verify(path)), [`unreadable ${path}:2`])
  })

  it('has all that was acknowledged before kill -9, and continues', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    for (let round = 0; round < 3; round++) {
      const writer = spawn(process.execPath, [WRITER, path], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let acknowledged = 0
      for await (const line of createInterface(writer.stdout)) {
        acknowledged = Math.max(acknowledged, Number(line))
        if (acknowledged > 2_000) writer.kill('SIGKILL')
      }
      if (writer.exitCode === null && writer.signalCode === null) await once(writer, 'exit')
      assert.equal(writer.signalCode, 'SIGKILL')
      const events = (await linesOf(path)).filter((line) => line.includes(`"file":"${writer.pid}"`))
      assert.ok(events.length >= acknowledged, `${events.length} of ${acknowledged}`)
    }
    await writeOne(path)
    const { findings, chains } = await verify(path)
    assert.deepEqual(findings, [])
    assert.equal(chains.length, 1)
  })
})

describe('an audit log on a full disk', () => {
  it('has what was acknowledged and nothing else, and says how much was lost', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    // A limit of the file's size, as quotas have: 8 blocks of 512 bytes.
    const limited = 'ulimit -f 8 && exec "$0" "$@"'
    const { stdout } = await run('sh', ['-c', limited, process.execPath, WRITER, path, '100'])
    const acknowledged = stdout.trimEnd().split('\n').length
    const events = (await linesOf(path)).filter((line) => line.includes('configuration-loaded'))
    assert.equal(events.length, acknowledged)
    assert.deepEqual(findingsOf(await verify(path)), [`incomplete ${path}:${acknowledged + 2}`])
    await writeOne(path)
    const { findings, notes } = await verify(path)
    assert.deepEqual(findings, [])
    assert.equal(notes.length, 1)
  })
})

describe(
  'an audit log that cannot be written for a while',
  { skip: !existsSync('/dev/full') },
  () => {
    it('continues the chain at the last record that was written, and says how much was lost', async () => {
      await using folder = await temporaryFolder()
      const path = folder.file('audit.jsonl')
      const before = folder.file('before')
      using sink = new JsonLinesSink(path)
      await sink.write(loaded(1))
      await rename(path, before)
      await symlink('/dev/full', path)
      sink.reopen()
      const lost = [sink.write(loaded(2)), sink.write(loaded(3))]
      for (const { status } of await Promise.allSettled(lost)) assert.equal(status, 'rejected')
      await rm(path)
      sink.reopen()
      await sink.write(loaded(4))
      const { findings, notes, chains } = await verify(before, path)
      assert.deepEqual(findings, [])
      assert.equal(chains[0]?.records, 4)
      assert.match(notes[0]?.text ?? '', /^2 events could not be written/)
    })
  },
)

describe('a second writer of an audit file', () => {
  const refusal = {
    code: 'audit-unwritable',
    message:
      /^another process writes to the audit file \S+: end it, or give each process a file of its own$/,
  }

  it('is refused', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    {
      using sink = new JsonLinesSink(path)
      assert.throws(() => new JsonLinesSink(path), refusal)
      await sink.write(loaded(1))
    }
    await writeOne(path)
  })

  it('is refused while another process has the file, and no longer when that was killed', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    const writer = spawn(process.execPath, [WRITER, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(writer.stdout, 'data')
    assert.throws(() => new JsonLinesSink(path), refusal)
    writer.stdout.resume()
    writer.kill('SIGKILL')
    await once(writer, 'exit')
    await writeOne(path)
    assert.deepEqual(findingsOf(await verify(path)), [])
  })
})
