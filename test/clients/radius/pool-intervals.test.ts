// The intervals between transmissions (RFC 5080 §2.2.1).

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { intervalAfter } from '../../../src/clients/radius/pool.ts'

describe('the intervals between transmissions', () => {
  it('double, up to 8 s, a tenth more or less', () => {
    const middle = [0, 1, 2, 3, 9].map((sent) => intervalAfter(sent, 500, () => 0.5))
    assert.deepEqual(middle, [500, 1_000, 2_000, 4_000, 8_000])
    assert.equal(Math.round(intervalAfter(0, 500, () => 0)), 450)
    assert.equal(Math.round(intervalAfter(0, 500, () => 1)), 550)
  })
})
