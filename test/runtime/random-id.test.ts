import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { randomId } from '../../src/runtime/random-id.ts'

// More than one filling of the pool.
const MANY = 5_000

describe('a random id', () => {
  const ids = Array.from({ length: MANY }, () => randomId())

  it('is a UUID of version 4 (RFC 9562 §5.4)', () => {
    for (const id of ids) {
      assert.match(id, /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
    }
  })

  it('does not occur again', () => {
    assert.equal(new Set(ids).size, MANY)
  })

  it('has each digit at each place that is random', () => {
    const form = ids[0] ?? ''
    for (let place = 0; place < form.length; place++) {
      const seen = new Set(ids.map((id) => id[place])).size
      const want = form[place] === '-' || place === 14 ? 1 : place === 19 ? 4 : 16
      assert.equal(seen, want, `place ${place}`)
    }
  })
})
