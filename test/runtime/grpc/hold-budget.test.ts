// One bound for what many peers make a server hold.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HoldBudget, type Holder } from '../../../src/runtime/grpc/hold-budget.ts'
import { FakeClock } from '../../fakes/clock.ts'

const world = (most: number, longest?: number) => {
  const clock = new FakeClock()
  const budget = new HoldBudget({ most, ...(longest !== undefined && { longest }) }, clock)
  const dropped: string[] = []
  const holder = (name: string): Holder => ({ drop: () => dropped.push(name) })
  return { clock, budget, dropped, holder }
}

describe('a budget of what is held', () => {
  it('drops the one that began first, until the rest is within the bound', () => {
    const { budget, dropped, holder } = world(100)
    const [a, b, c] = [holder('a'), holder('b'), holder('c')]
    budget.hold(a, 10)
    budget.hold(b, 50)
    budget.hold(a, 40)
    assert.deepEqual([dropped, budget.total], [[], 90])
    budget.hold(c, 60)
    assert.deepEqual([dropped, budget.total], [['a', 'b'], 60])
  })

  it('drops one that alone is more than the bound', () => {
    const { budget, dropped, holder } = world(100)
    budget.hold(holder('a'), 101)
    assert.deepEqual([dropped, budget.total], [['a'], 0])
  })

  it('counts nothing for what was released, however often', () => {
    const { budget, dropped, holder } = world(100)
    const a = holder('a')
    budget.hold(a, 100)
    budget.release(a)
    budget.release(a)
    budget.hold(holder('b'), 100)
    assert.deepEqual([dropped, budget.total], [[], 100])
  })

  it('drops what has been held for too long since it began, though it changes or is nothing', () => {
    const { clock, budget, dropped, holder } = world(100, 20_000)
    using _ = budget
    const [a, b, c] = [holder('a'), holder('b'), holder('c')]
    budget.hold(a, 0)
    budget.hold(c, 5)
    clock.advance(10_000)
    budget.hold(a, 1)
    budget.hold(b, 1)
    budget.release(c)
    budget.hold(c, 5)
    clock.advance(9_999)
    budget.dropOverdue()
    assert.deepEqual(dropped, [])
    clock.advance(1)
    budget.dropOverdue()
    assert.deepEqual(dropped, ['a'])
    clock.advance(10_000)
    budget.dropOverdue()
    assert.deepEqual([dropped, budget.total], [['a', 'b', 'c'], 0])
  })
})
