// The bound on what waits for sinks: what is refused, what is deleted, and what must stay.

import assert from 'node:assert/strict'
import { readdir, rm } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { writePosition } from '../../src/audit/forward/position.ts'
import { WaitingSince } from '../../src/audit/waiting-since.ts'
import { FakeClock } from '../fakes/clock.ts'
import { until } from '../fakes/until.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'
import { MemoryDelivery, openLog, startForwarder, upTo } from './forward/forwarding.ts'

const POSITION = '.audit.jsonl.siem.position'
const MEGABYTE = 1_048_576

const rotatedIn = async (folder: TemporaryFolder): Promise<readonly string[]> =>
  (await readdir(folder.path)).filter((name) => name.startsWith('audit.jsonl-')).toSorted()

const isFull = (cause: unknown): boolean =>
  cause instanceof Error && /the audit spool is full: .* the sink "siem"/.test(cause.message)

/** Writes until the log refuses, at most so many events. */
const fill = async (write: (count: number) => Promise<void>, most: number): Promise<number> => {
  for (let count = 0; count < most; count++) {
    try {
      await write(1)
    } catch (cause) {
      assert.ok(isFull(cause), String(cause))
      return count
    }
  }
  return most
}

describe('a spool that is full', () => {
  it('refuses events with `refuse`, within the bound, and takes them when the sink has taken some', async () => {
    await using folder = await temporaryFolder()
    using log = await openLog(folder, { spool: { maxBytes: MEGABYTE } })
    const written = await fill((count) => log.write(count), 10_000)
    assert.ok(written < 10_000)
    const { bytes = 0 } = log.spool.backlogs().get('siem') ?? {}
    assert.ok(bytes > 0.9 * MEGABYTE && bytes <= MEGABYTE, `${bytes} bytes wait`)
    assert.equal(log.log.statistics().lost, 1)
    assert.equal(log.log.statistics().failing, true)
    const delivery = new MemoryDelivery()
    await using _ = startForwarder(folder, delivery)
    await until(() => delivery.generations.length >= written)
    await until(async () => {
      await log.spool.refresh()
      return !log.spool.isFull
    })
    await log.write(1)
    assert.equal(log.log.statistics().failing, false)
    // What was lost is in the log, and so at the sink.
    await until(() => delivery.taken.some(({ line }) => line.includes('"lost":1')))
  })

  it('keeps files that wait beyond `keep`, and deletes them when they were sent', async () => {
    await using folder = await temporaryFolder()
    using log = await openLog(folder, { rotate: { size: 65_536, keep: 1 } })
    await log.write(1_500)
    await log.rotation.clean()
    const before = await rotatedIn(folder)
    assert.ok(before.length > 3, before.join(' '))
    const delivery = new MemoryDelivery()
    {
      await using _ = startForwarder(folder, delivery)
      await until(() => delivery.generations.length >= 1_500)
    }
    assert.deepEqual(delivery.generations, upTo(1_500))
    await log.rotation.cleanHeld()
    assert.equal((await rotatedIn(folder)).length, 1)
  })

  it('deletes the oldest files with `drop-oldest`, and the sink gets the rest and a report', async () => {
    await using folder = await temporaryFolder()
    const spool = { maxBytes: MEGABYTE / 4, whenFull: 'drop-oldest' } as const
    using log = await openLog(folder, { rotate: { size: 65_536, keep: 1 }, spool })
    await log.write(3_000)
    await log.rotation.clean()
    const kept = await rotatedIn(folder)
    assert.ok(kept.length >= 2 && kept.length <= 4, kept.join(' '))
    const delivery = new MemoryDelivery()
    await using running = startForwarder(folder, delivery)
    await until(() => delivery.generations.includes(3_000))
    const [skipped] = running.skipped
    assert.equal(skipped?.cause, 'deleted')
    assert.equal((skipped?.last ?? 0) + 1, delivery.taken[0]?.sequence)
    assert.equal(delivery.taken.length + (skipped?.last ?? 0), delivery.taken.at(-1)?.sequence)
  })

  it('is as full after a restart', async () => {
    await using folder = await temporaryFolder()
    {
      using log = await openLog(folder, { spool: { maxBytes: MEGABYTE } })
      await fill((count) => log.write(count), 10_000)
    }
    using log = await openLog(folder, { spool: { maxBytes: MEGABYTE } })
    await assert.rejects(log.write(1), isFull)
  })
})

describe('the backlog of a sink', () => {
  it('counts what the sink does not have', async () => {
    await using folder = await temporaryFolder()
    using log = await openLog(folder)
    await log.write(9)
    const { chain, bytes, hash } = log.log.tail
    await writePosition(folder.file(POSITION), { chain, sequence: 10, hash, offset: bytes })
    await log.write(5)
    await log.spool.refresh()
    const backlog = log.spool.backlogs().get('siem')
    assert.equal(backlog?.records, 5)
    assert.equal(backlog?.bytes, log.log.tail.bytes - bytes)
  })

  it('begins at the end of the log for a sink without a position', async () => {
    await using folder = await temporaryFolder()
    {
      using log = await openLog(folder)
      await log.write(9)
    }
    // As before the sink was configured.
    await rm(folder.file(POSITION))
    using log = await openLog(folder)
    assert.equal(log.spool.backlogs().get('siem')?.records, 0)
  })

  it('has waited since the record after the position was written, whatever the wall clock says', () => {
    const clock = new FakeClock()
    const since = new WaitingSince(clock)
    since.note(5)
    clock.advance(1_000)
    since.note(8)
    clock.advance(60_000)
    assert.equal(since.secondsAfter(5), 60)
    assert.equal(since.secondsAfter(4), 61)
    assert.equal(since.secondsAfter(8), 0)
    since.forgetUntil(8)
    assert.equal(since.secondsAfter(5), 0)
  })
})
