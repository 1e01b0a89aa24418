// The forwarder: every record arrives at least once, over rotation, restarts and failures of the sink; what cannot arrive is reported.

import assert from 'node:assert/strict'
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { NotTaken } from '../../../src/audit/forward/delivery.ts'
import { readPosition, writePosition } from '../../../src/audit/forward/position.ts'
import { until } from '../../fakes/until.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { badRequest, MemoryDelivery, openLog, startForwarder, upTo } from './forwarding.ts'

const POSITION = '.audit.jsonl.siem.position'

const rotatedIn = async (folder: TemporaryFolder): Promise<readonly string[]> =>
  (await readdir(folder.path)).filter((name) => name.startsWith('audit.jsonl-')).toSorted()

const has = async (delivery: MemoryDelivery, count: number): Promise<void> =>
  await until(() => delivery.generations.length >= count, `${count} records arrive`)

describe('a forwarder', () => {
  it('sends each record once and in order, over rotations', async () => {
    await using folder = await temporaryFolder()
    using log = await openLog(folder)
    const delivery = new MemoryDelivery()
    await using _ = startForwarder(folder, delivery)
    await log.write(1_000)
    await has(delivery, 1_000)
    assert.ok((await rotatedIn(folder)).length > 1)
    assert.deepEqual(delivery.generations, upTo(1_000))
    const sequences = delivery.taken.map(({ sequence }) => sequence)
    assert.deepEqual(sequences, upTo(sequences.length))
  })

  it('continues after its end where it was, with compressed files in between', async () => {
    await using folder = await temporaryFolder()
    using log = await openLog(folder)
    const first = new MemoryDelivery()
    {
      await using _ = startForwarder(folder, first)
      await log.write(10)
      await has(first, 10)
    }
    await log.write(1_000)
    for (const name of await rotatedIn(folder)) {
      const file = folder.file(name)
      await writeFile(`${file}.gz`, gzipSync(await readFile(file)))
      await rm(file)
    }
    const second = new MemoryDelivery()
    await using _ = startForwarder(folder, second)
    await has(second, 1_000)
    assert.deepEqual(second.generations, upTo(1_010).slice(10))
  })

  it('sends a batch again until it is acknowledged', async () => {
    await using folder = await temporaryFolder()
    using log = await openLog(folder)
    const delivery = new MemoryDelivery()
    delivery.refuse = () => {
      if (delivery.attempts <= 5) throw new Error('connection refused')
    }
    await using running = startForwarder(folder, delivery)
    await log.write(20)
    await has(delivery, 20)
    assert.deepEqual(delivery.generations, upTo(20))
    assert.equal(running.forwarder.counts().failures, 5)
    assert.equal(running.forwarder.counts().failing, false)
  })

  it('waits as long as the sink wants', async () => {
    await using folder = await temporaryFolder()
    using log = await openLog(folder)
    const delivery = new MemoryDelivery()
    const attempts: number[] = []
    delivery.refuse = () => {
      attempts.push(performance.now())
      if (attempts.length > 1) return
      throw new NotTaken('429', { isAboutContent: false, retryAfter: 300 })
    }
    await using _ = startForwarder(folder, delivery)
    await log.write(1)
    await has(delivery, 1)
    const [first = 0, second = 0] = attempts
    assert.ok(second - first >= 299, `${second - first} ms`)
  })

  it('keeps the bounds of a batch', async () => {
    await using folder = await temporaryFolder()
    using log = await openLog(folder)
    const delivery = new MemoryDelivery()
    const sizes: number[] = []
    delivery.refuse = (batch) => {
      sizes.push(batch.length)
      const bytes = batch.reduce((sum, { line }) => sum + line.length, 0)
      assert.ok(batch.length === 1 || bytes <= 2_048, `${bytes} bytes`)
    }
    await log.write(100)
    await using _ = startForwarder(folder, delivery, { records: 7, bytes: 2_048 })
    await has(delivery, 100)
    assert.ok(Math.max(...sizes) <= 7)
  })

  it('has a position on the disk only for what was acknowledged', async () => {
    await using folder = await temporaryFolder()
    using log = await openLog(folder)
    const delivery = new MemoryDelivery()
    delivery.refuse = () => {
      throw new Error('down')
    }
    {
      await using _ = startForwarder(folder, delivery)
      await log.write(5)
      await until(() => delivery.attempts > 3)
    }
    assert.equal((await readPosition(folder.file(POSITION)))?.sequence, 0)
  })
})

describe('a sink that refuses records', () => {
  it('gets all but the one that it refuses, and this one is reported', async () => {
    await using folder = await temporaryFolder()
    using log = await openLog(folder)
    const delivery = new MemoryDelivery()
    delivery.refuse = (batch) => {
      if (batch.some(({ line }) => line.includes('"generation":57,'))) throw badRequest()
    }
    await using running = startForwarder(folder, delivery)
    await log.write(100)
    await until(() => new Set(delivery.generations).size === 99)
    assert.deepEqual(
      [...new Set(delivery.generations)],
      upTo(100).filter((generation) => generation !== 57),
    )
    const [{ cause, first, last } = {}] = running.skipped
    assert.deepEqual(
      { cause, first, last, count: running.skipped.length },
      {
        cause: 'refused',
        first: 58, // the first record is log-opened
        last: 58,
        count: 1,
      },
    )
    assert.equal(running.forwarder.counts().refused, 1)
  })

  it('gets everything once it takes records again, where it refused all', async () => {
    await using folder = await temporaryFolder()
    using log = await openLog(folder)
    const delivery = new MemoryDelivery()
    await using running = startForwarder(folder, delivery)
    await log.write(10)
    await has(delivery, 10)
    const before = delivery.attempts
    delivery.refuse = () => {
      if (delivery.attempts < before + 40) throw badRequest()
    }
    await log.write(50)
    await until(() => new Set(delivery.generations).size === 60)
    assert.deepEqual(running.skipped, [])
    assert.deepEqual([...new Set(delivery.generations)], upTo(60))
  })
})

describe('a log that is not what the position says', () => {
  it('is sent again from the beginning of the file where the record of the position has another hash', async () => {
    await using folder = await temporaryFolder()
    using log = await openLog(folder, { rotate: { size: 10_000_000 } })
    await log.write(20)
    const { chain } = log.log.tail
    const forged = { chain, sequence: 10, hash: 'A'.repeat(43), offset: 1_000 }
    await writePosition(folder.file(POSITION), forged)
    const delivery = new MemoryDelivery()
    await using running = startForwarder(folder, delivery)
    await has(delivery, 20)
    assert.deepEqual(delivery.generations, upTo(20))
    assert.match(running.lines.join(''), /audit log does not continue where the sink is/)
  })

  it('is sent again where the log ends before the position, as after a power failure', async () => {
    await using folder = await temporaryFolder()
    {
      using log = await openLog(folder)
      await log.write(20)
      const { chain, hash, bytes } = log.log.tail
      await writePosition(folder.file(POSITION), { chain, sequence: 21, hash, offset: bytes })
    }
    const text = await readFile(folder.file('audit.jsonl'), 'utf8')
    const lines = text.split('\n').slice(0, 11)
    await truncate(folder.file('audit.jsonl'), Buffer.byteLength(`${lines.join('\n')}\n`))
    const delivery = new MemoryDelivery()
    await using running = startForwarder(folder, delivery)
    await has(delivery, 10)
    assert.deepEqual(delivery.generations, upTo(10))
    assert.match(running.lines.join(''), /does not continue/)
  })

  it('is another log: all of it is sent', async () => {
    await using folder = await temporaryFolder()
    await writePosition(folder.file(POSITION), {
      chain: 'AAAAAAAAAAAA',
      sequence: 7,
      hash: 'A'.repeat(43),
      offset: 1_000,
    })
    using log = await openLog(folder)
    await log.write(20)
    const delivery = new MemoryDelivery()
    await using running = startForwarder(folder, delivery)
    await has(delivery, 20)
    assert.match(running.lines.join(''), /does not continue/)
  })

  it('has lost rotated files: the records are reported, and the rest is sent', async () => {
    await using folder = await temporaryFolder()
    using log = await openLog(folder)
    await log.write(1_000)
    const [first, second] = await rotatedIn(folder)
    for (const name of [first, second]) await rm(folder.file(name ?? ''))
    const delivery = new MemoryDelivery()
    await using running = startForwarder(folder, delivery)
    await until(() => delivery.generations.includes(1_000))
    const [skipped] = running.skipped
    assert.equal(skipped?.cause, 'deleted')
    assert.equal(skipped?.first, 1)
    assert.equal((skipped?.last ?? 0) + 1, delivery.taken[0]?.sequence)
    assert.equal(running.forwarder.counts().deleted, skipped?.last)
  })

  it('has an unreadable position: all of it is sent', async () => {
    await using folder = await temporaryFolder()
    using log = await openLog(folder)
    await log.write(20)
    await writeFile(folder.file(POSITION), '{"version":1,"cha')
    const delivery = new MemoryDelivery()
    await using _ = startForwarder(folder, delivery)
    await has(delivery, 20)
    assert.deepEqual(delivery.generations, upTo(20))
  })
})
