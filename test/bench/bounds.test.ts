// Bounds: a ratio that is too high fails the bench, and one round disturbed by other work does not.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  boundsTable,
  judge,
  recordedBounds,
  type Bound,
  type BoundedRow,
} from '../../bench/bounds.ts'

const bound: Bound = { part: 'checks', row: 'a', floor: 'b', most: 2, reason: 'a test' }

const rowOf = (name: string, ...cpus: readonly (number | undefined)[]): BoundedRow => ({
  name,
  rounds: cpus.map((cpu) => ({ cpu })),
})

const NO_ROWS = {
  checks: [],
  processes: [],
  credentials: [],
  tokens: [],
  sessions: [],
  certificates: [],
} as const

describe('judge', () => {
  const cases = [
    { name: 'keeps a ratio at the bound', a: [20, 20], b: [10, 10], measured: 2, exceeded: false },
    { name: 'finds a ratio above it', a: [21, 30], b: [10, 10], measured: 2.1, exceeded: true },
    {
      name: 'takes the lowest of rounds',
      a: [90, 15],
      b: [10, 40],
      measured: 1.5,
      exceeded: false,
    },
    { name: 'leaves out a round without CPU', a: [0, 30], b: [10, 0], measured: 3, exceeded: true },
    {
      name: 'says nothing of a row without CPU',
      a: [undefined],
      b: [10],
      measured: undefined,
      exceeded: false,
    },
  ]
  for (const { name, a, b, measured, exceeded } of cases) {
    it(name, () => {
      const rows = { ...NO_ROWS, checks: [rowOf('a', ...a), rowOf('b', ...b)] }
      assert.deepEqual(judge([bound], rows), [{ bound, measured, exceeded }])
    })
  }

  it('says nothing where the floor was not measured', () => {
    const rows = { ...NO_ROWS, checks: [rowOf('a', 30)], tokens: [rowOf('b', 10)] }
    assert.deepEqual(judge([bound], rows), [{ bound, measured: undefined, exceeded: false }])
  })
})

describe('boundsTable', () => {
  it('names what is exceeded', () => {
    const text = boundsTable([
      { bound, measured: 2.5, exceeded: true },
      { bound: { ...bound, row: 'c' }, measured: undefined, exceeded: false },
    ])
    assert.match(text, /checks: a \/ b +2\.50 +2 +EXCEEDED/)
    assert.ok(!text.includes('checks: c'))
  })
})

describe('bounds.json', () => {
  it('has a reason for each bound, and none twice', () => {
    const bounds = recordedBounds()
    const pairs = bounds.map(({ part, row, floor }) => [part, row, floor].join('/'))
    assert.equal(new Set(pairs).size, pairs.length)
    assert.ok(bounds.length > 0)
  })
})
