// When all logins of a user were revoked, as the store has it and as it is cached.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { endedTokenCheck } from '../../src/authenticate/session/token-status.ts'
import { RevocationMarks } from '../../src/logins/revocation-marks.ts'
import { MemoryRecords } from '../../src/state/memory-records.ts'
import { FakeClock } from '../fakes/clock.ts'

const HOUR = 3_600_000

const opened = () => {
  const clock = new FakeClock()
  const records = new MemoryRecords(clock)
  // Of tokens from before it began a memory knows nothing, so they count as signed out.
  return { clock, start: records.floor, revocationMarks: new RevocationMarks(records, clock) }
}

describe('revocation marks', () => {
  it('are of one user or of all users: the later one counts', async () => {
    const { clock, start, revocationMarks } = opened()
    assert.ok(start > clock.now() - 1_001 && start < clock.now())
    assert.equal(await revocationMarks.lastOf('alice'), start)
    const first = clock.now()
    await revocationMarks.note('alice')
    clock.advance(HOUR)
    assert.equal(await revocationMarks.lastOf('alice'), first)
    assert.equal(await revocationMarks.lastOf('bob'), start)
    const second = clock.now()
    await revocationMarks.note()
    assert.equal(await revocationMarks.lastOf('alice'), second)
    assert.equal(await revocationMarks.lastOf('bob'), second)
    clock.advance(HOUR)
    const third = clock.now()
    await revocationMarks.note('bob')
    assert.deepEqual(
      [await revocationMarks.lastOf('alice'), await revocationMarks.lastOf('bob')],
      [second, third],
    )
  })

  it('are kept as long as a token can live', async () => {
    const { clock, start, revocationMarks } = opened()
    clock.advance(1_000)
    await revocationMarks.note('alice')
    clock.advance(24 * HOUR - 1)
    assert.notEqual(await revocationMarks.lastOf('alice'), start)
    clock.advance(2)
    assert.equal(await revocationMarks.lastOf('alice'), start)
  })
})

describe('a cached revocation mark', () => {
  const GOOD = 7_000
  /** Asks about a token of second 7, whose user was signed out at `answer` milliseconds. */
  const asking = (remember: number) => {
    const state = { requests: 0, answer: (): Promise<number> => Promise.resolve(0) }
    const lastOf = async (): Promise<number> => {
      state.requests += 1
      return await state.answer()
    }
    const grant = async (): Promise<never> => await Promise.reject(new Error('names no grant'))
    const isEnded = endedTokenCheck({ grant, revocationMarks: { lastOf }, cacheTtl: remember })
    return { state, ask: async () => await isEnded({ sub: 'alice', iat: GOOD / 1_000 }) }
  }

  it('is used for `remember`, shared meanwhile, and cached even where there is none', async (t) => {
    let later = 0
    const now = performance.now.bind(performance)
    t.mock.method(performance, 'now', () => now() + later) // which the cache uses
    const { state, ask } = asking(60_000)
    assert.deepEqual(await Promise.all([ask(), ask()]), [false, false])
    await ask()
    assert.equal(state.requests, 1)
    state.answer = () => Promise.resolve(GOOD)
    later = 60_001
    await sleep(5) // the cache reads its clock once in a millisecond
    assert.equal(await ask(), true)
    assert.equal(state.requests, 2)
  })

  it('is not used with `remember: 0`', async () => {
    const { state, ask } = asking(0)
    await ask()
    await ask()
    assert.equal(state.requests, 2)
  })

  it('is not kept of a lookup that failed', async () => {
    const { state, ask } = asking(60_000)
    state.answer = () => Promise.reject(new Error('down'))
    await assert.rejects(ask(), /down/)
    state.answer = () => Promise.resolve(GOOD)
    assert.equal(await ask(), true)
  })
})
