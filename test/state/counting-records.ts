// How every store of records counts what is in a set.

import assert from 'node:assert/strict'
import { LONG, MEDIUM, SHORT } from './prefixed-records.ts'
import type { Test } from './record-conformance.ts'

/** The test; see `record-conformance.ts`. */
export const COUNTING: Test = {
  name: 'counts the keys of a set that have not ended, as they come and go',
  async run({ one, other, pass }) {
    assert.equal(await one.countIn('s'), 0)
    await one.put('a', 'x', LONG, ['s', 't'])
    await other.put('b', 'x', LONG, ['s', 's'])
    await one.put('prolonged', 'x', MEDIUM, ['s'])
    await one.replace('prolonged', 'x', 'y', LONG)
    assert.deepEqual([await one.countIn('s'), await other.countIn('s')], [3, 3])
    assert.deepEqual([await one.countIn('t'), await one.countIn('u')], [1, 0])
    await one.put('short', 'x', SHORT, ['s', 'v'])
    await pass(SHORT + 1)
    assert.deepEqual([await one.countIn('s'), await one.countIn('v')], [3, 0])
    await other.put('a', 'x', LONG, ['u'])
    assert.deepEqual([await one.countIn('s'), await one.countIn('u')], [2, 1])
    await one.take('b')
    await other.remove('prolonged', 'none')
    assert.deepEqual([await one.countIn('s'), await other.countIn('s')], [0, 0])
  },
}
