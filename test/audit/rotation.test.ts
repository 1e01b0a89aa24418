// Rotation by the process: nothing is lost, the files are linked, and old ones are compressed and deleted.

import assert from 'node:assert/strict'
import { createReadStream } from 'node:fs'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, mock, type TestContext } from 'node:test'
import { createGunzip, gunzipSync } from 'node:zlib'
import type { RotateConfig } from '../../src/audit/file-schema.ts'
import { Rotation } from '../../src/audit/rotation.ts'
import { JsonLinesSink } from '../../src/audit/sink.ts'
import { verifyLog, type Verification } from '../../src/tools/audit-log/verify.ts'
import { memoryLogger } from '../fakes/logger.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'
import { loaded } from '../tools/audit-log/logs.ts'

const NOON = Date.parse('2026-11-28T12:00:00Z')
const HOUR = 3_600_000

/** A sink that rotates. */
const open = (folder: TemporaryFolder, config: Partial<RotateConfig>) => {
  const path = folder.file('audit.jsonl')
  const { logger, lines } = memoryLogger()
  const rotation = new Rotation(path, { gzip: false, ...config }, logger)
  return { sink: new JsonLinesSink(path, { rotation }), rotation, log: lines }
}

const filesIn = async (folder: TemporaryFolder): Promise<readonly string[]> =>
  (await readdir(folder.path)).filter((name) => !name.startsWith('.')).toSorted()

const verifyAll = async (folder: TemporaryFolder): Promise<Verification> =>
  await verifyLog(
    (await filesIn(folder)).map((name) => folder.file(name)),
    (file) => {
      const stream = createReadStream(file)
      return file.endsWith('.gz') ? stream.pipe(createGunzip()) : stream
    },
  )

const at = (test: TestContext, now: number): typeof mock.timers => {
  const clock = mock.timers
  clock.enable({ apis: ['Date'], now })
  test.after(() => clock.reset())
  return clock
}

describe('rotation by size', () => {
  it('loses no event, keeps each file within its size, and links the files', async () => {
    await using folder = await temporaryFolder()
    const { sink, log } = open(folder, { size: 65_536 })
    for (let turn = 0; turn < 200; turn++) {
      await Promise.all(Array.from({ length: 10 }, (_, index) => sink.write(loaded(index))))
    }
    sink[Symbol.dispose]()
    assert.deepEqual(log, [])
    const files = await filesIn(folder)
    assert.ok(files.length > 3)
    for (const file of files) {
      assert.match(file, /^audit\.jsonl(-\d{8}T\d{6}Z-00000\d)?$/)
    }
    const { findings, chains } = await verifyAll(folder)
    assert.deepEqual(findings, [])
    assert.equal(chains.length, 1)
    assert.equal(chains[0]?.records, 2_000 + files.length)
  })

  it('rotates before the file is larger', async () => {
    await using folder = await temporaryFolder()
    const { sink } = open(folder, { size: 65_536 })
    for (let index = 0; index < 800; index++) await sink.write(loaded(index))
    sink[Symbol.dispose]()
    const files = await filesIn(folder)
    assert.equal(files.length, 3)
    for (const file of files) assert.ok((await readFile(folder.file(file))).length <= 65_536)
  })

  it('compresses and deletes rotated files, also those of an earlier process', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('audit.jsonl-20260101T000000Z-000007'), 'earlier')
    await writeFile(folder.file('audit.jsonl-20360101T000000Z-000006.gz'), 'the oldest')
    await writeFile(folder.file('audit.jsonl-20260101T000000Z.keep'), 'of another program')
    const { sink, rotation } = open(folder, { size: 65_536, keep: 2, gzip: true })
    await rotation.clean()
    assert.equal(
      gunzipSync(await readFile(folder.file('audit.jsonl-20260101T000000Z-000007.gz'))).toString(),
      'earlier',
    )
    for (let index = 0; index < 800; index++) await sink.write(loaded(index))
    sink[Symbol.dispose]()
    await rotation.clean()
    const files = await filesIn(folder)
    assert.deepEqual(
      files.map((name) => name.replace(/\d{8}T\d{6}Z/, 'TIME')).toSorted(),
      [
        'audit.jsonl',
        'audit.jsonl-TIME-000008.gz',
        'audit.jsonl-TIME-000009.gz',
        'audit.jsonl-TIME.keep',
      ].toSorted(),
    )
  })
})

describe('rotation by time', () => {
  it('rotates at a multiple of the time, and names the file by it', async (test) => {
    await using folder = await temporaryFolder()
    const clock = at(test, NOON - 2)
    const { sink } = open(folder, { every: HOUR })
    await sink.write(loaded(1))
    clock.setTime(NOON - 1)
    await sink.write(loaded(2))
    clock.setTime(NOON)
    await sink.write(loaded(3))
    sink[Symbol.dispose]()
    assert.deepEqual(await filesIn(folder), ['audit.jsonl', 'audit.jsonl-20261128T120000Z-000001'])
    const { findings, chains } = await verifyAll(folder)
    assert.deepEqual([findings, chains[0]?.records], [[], 5])
  })

  it('rotates what an earlier process wrote', async (test) => {
    await using folder = await temporaryFolder()
    const clock = at(test, NOON - 2)
    {
      using sink = open(folder, { every: HOUR }).sink
      await sink.write(loaded(1))
    }
    clock.setTime(NOON + 2)
    using sink = open(folder, { every: HOUR }).sink
    await sink.write(loaded(2))
    assert.equal((await filesIn(folder)).length, 2)
  })

  it('rotates once where the clock jumps, either way', async (test) => {
    await using folder = await temporaryFolder()
    const clock = at(test, NOON)
    using sink = open(folder, { every: HOUR, keep: 2 }).sink
    for (const now of [NOON, NOON + 10 * 365 * 24 * HOUR, NOON + 1, NOON + 2]) {
      clock.setTime(now)
      await sink.write(loaded(1))
    }
    assert.deepEqual(await filesIn(folder), [
      'audit.jsonl',
      'audit.jsonl-20261128T120000Z-000002',
      'audit.jsonl-20361125T120000Z-000001',
    ])
    assert.deepEqual((await verifyAll(folder)).findings, [])
  })
})

describe('rotation that fails', () => {
  it('keeps the name where no new file can be opened', async () => {
    await using folder = await temporaryFolder()
    const place = folder.file('log')
    await mkdir(place)
    const path = join(place, 'audit.jsonl')
    const { logger, lines } = memoryLogger()
    const rotation = new Rotation(path, { size: 65_536, gzip: false }, logger)
    using sink = new JsonLinesSink(path, { rotation })
    await sink.write(loaded(0))
    const moved = folder.file('moved')
    await rename(place, moved)
    for (let index = 1; index < 600; index++) await sink.write(loaded(index))
    assert.deepEqual(
      (await readdir(moved)).filter((name) => !name.startsWith('.')),
      ['audit.jsonl'],
    )
    assert.equal(lines.filter((line) => line.includes('audit file not rotated')).length, 1)
    assert.equal((await readFile(join(moved, 'audit.jsonl'), 'utf8')).split('\n').length, 602)
  })
})

describe('rotated files that wait for a sink', () => {
  it('are not deleted where they were rotated while it was found out which wait', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    const fileOf = (number: number): string => `${path}-20261128T120000Z-00000${number}`
    await writeFile(fileOf(1), 'one')
    const holder = {
      async held(): Promise<ReadonlySet<string>> {
        for (const number of [2, 3]) await writeFile(fileOf(number), 'more')
        return new Set()
      },
    }
    const config = { size: 65_536, keep: 1, gzip: false }
    await new Rotation(path, config, memoryLogger().logger, holder).clean()
    assert.equal((await filesIn(folder)).length, 3)
  })
})
