// Events of one turn of the event loop: however many and however long, each is in the log at its place, and those who wait for
// them may have more.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { readdir, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { Batch } from '../../src/audit/batch.ts'
import { Chain, readChainFields } from '../../src/audit/chain.ts'
import type { AuditEvent } from '../../src/audit/event.ts'
import { auditLine } from '../../src/audit/line.ts'
import { Rotation } from '../../src/audit/rotation.ts'
import { JsonLinesSink } from '../../src/audit/sink.ts'
import { verifyLog, type Verification } from '../../src/tools/audit-log/verify.ts'
import { memoryLogger } from '../fakes/logger.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'
import { loaded } from '../tools/audit-log/logs.ts'

const run = promisify(execFile)
const HEAP_GROWTH = join(import.meta.dirname, 'heap-growth.ts')

const verifyAll = async (folder: TemporaryFolder): Promise<Verification> => {
  const names = (await readdir(folder.path)).filter((name) => !name.startsWith('.'))
  return await verifyLog(
    names.map((name) => folder.file(name)),
    (file) => createReadStream(file),
  )
}

const ofFile = (file: string): AuditEvent => ({
  event: 'configuration-loaded',
  generation: 1,
  file,
})

const generationsOf = (text: string): readonly number[] =>
  [...text.matchAll(/"generation":(\d+)/g)].map(([, generation]) => Number(generation))

describe('the events of one turn', () => {
  it('are all written, in their order, where they need several writes', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    using sink = new JsonLinesSink(path)
    const numbers = Array.from({ length: 5_000 }, (_, index) => index + 1)
    await Promise.all(numbers.map((number) => sink.write(loaded(number))))
    assert.deepEqual(generationsOf(await readFile(path, 'utf8')), numbers)
    const { findings, chains } = await verifyAll(folder)
    assert.deepEqual([findings, chains[0]?.last], [[], 5_001])
  })

  // From a little less to a little more than there is room for in one write.
  for (const units of [86_000, 87_000, 87_320, 87_381, 87_400, 100_000]) {
    it(`may be as long as three bytes for each of ${units} characters`, async () => {
      await using folder = await temporaryFolder()
      const path = folder.file('audit.jsonl')
      const file = '\u20ac'.repeat(units)
      using sink = new JsonLinesSink(path)
      await Promise.all(
        [loaded(1), ofFile(file), loaded(2), ofFile(file)].map((e) => sink.write(e)),
      )
      const lines = (await readFile(path, 'utf8')).trimEnd().split('\n')
      const events = lines.map((line): unknown => JSON.parse(line))
      assert.deepEqual(
        events.map((event) =>
          typeof event === 'object' && event !== null && 'file' in event ? event.file : '',
        ),
        ['', 'countersign.yaml', file, 'countersign.yaml', file],
      )
      assert.deepEqual((await verifyAll(folder)).findings, [])
    })
  }

  it('are rotated where the file would be larger', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    const rotation = new Rotation(path, { size: 65_536, gzip: false }, memoryLogger().logger)
    using sink = new JsonLinesSink(path, { rotation })
    const numbers = Array.from({ length: 1_000 }, (_, index) => index + 1)
    await Promise.all(numbers.map((number) => sink.write(loaded(number))))
    const names = (await readdir(folder.path)).filter((name) => !name.startsWith('.'))
    assert.ok(names.length >= 3)
    for (const name of names) assert.ok((await stat(folder.file(name))).size <= 65_536, name)
    const { findings, chains } = await verifyAll(folder)
    assert.deepEqual([findings, chains[0]?.records], [[], 1_000 + names.length])
  })
})

describe('an event that follows from the outcome of another', () => {
  const follow = (sink: JsonLinesSink, done: () => void): void => {
    sink.record(loaded(1), () => sink.record(loaded(2), done))
  }

  it('is in the new file where the outcome came by a reopening', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    using sink = new JsonLinesSink(path)
    const { promise, resolve } = Promise.withResolvers<void>()
    await sink.write(loaded(0))
    await rename(path, folder.file('audit.jsonl.1'))
    follow(sink, resolve)
    sink.reopen()
    await promise
    assert.deepEqual(generationsOf(await readFile(folder.file('audit.jsonl.1'), 'utf8')), [0, 1])
    const text = await readFile(path, 'utf8')
    assert.deepEqual(generationsOf(text), [2])
    assert.match(text, /^[^\n]*"event":"log-opened","cause":"reopened"/)
    assert.deepEqual((await verifyAll(folder)).findings, [])
  })

  it('is behind the first record of the new file where the outcome came by a rotation', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    const rotation = new Rotation(path, { size: 2_048, gzip: false }, memoryLogger().logger)
    using sink = new JsonLinesSink(path, { rotation })
    const followed = Array.from({ length: 40 }, async () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      follow(sink, resolve)
      await promise
    })
    await Promise.all(followed)
    const { findings, chains } = await verifyAll(folder)
    assert.deepEqual(findings, [])
    const names = (await readdir(folder.path)).filter((name) => !name.startsWith('.'))
    assert.equal(chains[0]?.records, 80 + names.length)
    for (const name of names) {
      assert.match(await readFile(folder.file(name), 'utf8'), /^[^\n]*"event":"log-opened"/)
    }
  })
})

describe('a batch', () => {
  const RECORD = auditLine(loaded(1), 0)

  const linesOf = (batch: Batch): readonly string[] => {
    const { bytes, start, length } = batch.take()
    return bytes.toString('utf8', start, length).split('\n').slice(0, -1)
  }

  it('numbers records as their number is written, also after some are taken back', () => {
    for (const first of [1, 9, 98, 998, 999, 1_000, 9_998, 999_998, 1_000_000, 2 ** 40]) {
      const chain = new Chain({ chain: 'abcdefghijkl', sequence: first - 1, hash: 'h'.repeat(43) })
      const batch = new Batch(chain)
      const write = (count: number): readonly number[] => {
        batch.begin([RECORD], false)
        for (let index = 0; index < count; index++) batch.add(RECORD)
        return linesOf(batch).map(
          (line) => readChainFields(Buffer.from(line))?.fields.sequence ?? Number.NaN,
        )
      }
      assert.deepEqual(write(3), [first, first + 1, first + 2])
      chain.rewind({ sequence: first - 1, hash: 'h'.repeat(43) }, Buffer.alloc(0), 0, 0)
      assert.deepEqual(write(4), [first, first + 1, first + 2, first + 3])
    }
  })

  it('leaves nothing of a record in the old generation of the heap', async () => {
    // With the young generation that authz has.
    const { stdout } = await run(process.execPath, ['--max-semi-space-size=4', HEAP_GROWTH])
    // Texts of the numbers would be 24 bytes for each of 200,000.
    assert.ok(Number(stdout) < 1_000_000, `${stdout} bytes`)
  })
})
