// What one source may cause, and what a client with many addresses may.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SourceBudgets, type SourceBudgetsOptions } from '../../src/runtime/source-budgets.ts'
import { FakeClock } from '../fakes/clock.ts'

const open = (options: Partial<SourceBudgetsOptions> = {}) => {
  const clock = new FakeClock()
  const budgets = new SourceBudgets({ burst: 5, perSecond: 10, clock, ...options })
  return { clock, budgets }
}

/** How many of so many are admitted. */
const admitted = (count: number, take: (index: number) => boolean): number =>
  Array.from({ length: count }, (_, index) => take(index)).filter(Boolean).length

describe('the budget of one source', () => {
  it('is its burst at once, and its rate from then on', () => {
    const { clock, budgets } = open()
    assert.equal(
      admitted(100, () => budgets.take('192.0.2.1')),
      5,
    )
    assert.equal(budgets.refused, 95)
    clock.advance(300)
    assert.equal(
      admitted(100, () => budgets.take('192.0.2.1')),
      3,
    )
    clock.advance(60_000)
    assert.equal(
      admitted(100, () => budgets.take('192.0.2.1')),
      5,
    )
  })

  it('is not spent by another source', () => {
    const { budgets } = open()
    admitted(100, () => budgets.take('192.0.2.1'))
    assert.equal(budgets.take('192.0.2.2'), true)
  })

  it('is one for all addresses of an IPv6 network, and for both notations of an IPv4 address', () => {
    const { budgets } = open()
    assert.equal(
      admitted(100, (index) => budgets.take(`2001:db8:1:2::${index.toString(16)}`)),
      5,
    )
    assert.equal(budgets.take('2001:db8:1:3::1'), true)
    admitted(100, () => budgets.take('192.0.2.1'))
    assert.equal(budgets.take('::ffff:192.0.2.1'), false)
  })

  it('takes amounts, and none of one that exceeds what is left', () => {
    const { budgets } = open()
    assert.equal(budgets.take('192.0.2.1', 4), true)
    assert.equal(budgets.take('192.0.2.1', 2), false)
    assert.equal(budgets.take('192.0.2.1', 1), true)
  })

  it('says when there is enough again', () => {
    const { budgets, clock } = open()
    assert.equal(budgets.waitOf('192.0.2.1'), 0)
    admitted(5, () => budgets.take('192.0.2.1'))
    assert.equal(budgets.waitOf('192.0.2.1'), 100)
    assert.equal(budgets.waitOf('192.0.2.1', 3), 300)
    clock.advance(100)
    assert.equal(budgets.waitOf('192.0.2.1'), 0)
    assert.equal(budgets.take('192.0.2.1'), true)
  })
})

describe('work that is outstanding', () => {
  it('is bounded until it ends, whatever the rate allows', () => {
    const { budgets, clock } = open({ outstanding: 2 })
    const first = budgets.begin('192.0.2.1')
    assert.ok(first)
    assert.ok(budgets.begin('192.0.2.1'))
    clock.advance(60_000)
    assert.equal(budgets.begin('192.0.2.1'), undefined)
    first.end()
    first.end() // counts once
    assert.ok(budgets.begin('192.0.2.1'))
    assert.equal(budgets.begin('192.0.2.1'), undefined)
  })

  it('takes nothing from the budget where it is refused', () => {
    const { budgets } = open({ outstanding: 1 })
    budgets.begin('192.0.2.1')
    admitted(10, () => budgets.begin('192.0.2.1') !== undefined)
    assert.equal(
      admitted(10, () => budgets.take('192.0.2.1')),
      4,
    )
  })

  it('does not count where it is given back', () => {
    const { budgets } = open()
    for (let round = 0; round < 100; round += 1) {
      const work = budgets.begin('192.0.2.1')
      assert.ok(work, `round ${round}`)
      work.giveBack()
      work.end()
    }
  })
})

describe('many sources', () => {
  const addressOf = (index: number): string => `2001:db8:${index.toString(16)}::1`

  it('take bounded memory', () => {
    const { budgets, clock } = open({ sources: 100 })
    for (let index = 0; index < 5_000; index += 1) {
      clock.advance(100) // each has refilled when the table is full
      assert.equal(budgets.take(addressOf(index)), true)
    }
    assert.equal(budgets.size, 100)
  })

  it('yield no fresh budgets to a client that comes back from each', () => {
    const { budgets } = open({ sources: 100 })
    const rounds = [0, 1, 2, 3].map(() =>
      admitted(10_000, (index) => budgets.take(addressOf(Math.floor(index / 10)))),
    )
    // 100 sources with a budget of 5 each, and 20 such budgets for the other 900 together.
    assert.deepEqual(rounds, [600, 0, 0, 0])
  })

  it('leave something to a new source: the shared budget refills', () => {
    const { budgets, clock } = open({ sources: 100 })
    for (let index = 0; index < 1_000; index += 1) {
      admitted(10, () => budgets.take(addressOf(index)))
    }
    assert.equal(budgets.take('192.0.2.1'), false)
    assert.ok(budgets.waitOf('192.0.2.1') > 0)
    clock.advance(10)
    assert.equal(budgets.take('192.0.2.1'), true)
  })

  it('are not forgotten while they have something outstanding', () => {
    const { budgets, clock } = open({ sources: 20, outstanding: 1 })
    const busy = Array.from({ length: 5 }, (_, index) => budgets.begin(addressOf(index)))
    clock.advance(1_000)
    for (let index = 100; index < 200; index += 1) {
      clock.advance(100)
      budgets.take(addressOf(index))
    }
    for (const [index, work] of busy.entries()) {
      assert.equal(budgets.begin(addressOf(index)), undefined)
      work?.end()
      assert.ok(budgets.begin(addressOf(index)))
    }
  })
})
