// The end of a credential: the certificate ends sooner, never later, and credentials of many ends need few
// certificates.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { validityAt } from '../../src/grant/validity.ts'
import { subjectOf } from '../fakes/grant.ts'
import { ALICE, at, HOUR, NEVER, START } from './slots.ts'

describe('a certificate near the end of its credential', () => {
  const second = START / 1_000
  const STEP = 225 // a 16th of an hour

  it('is as usual while that is far away', () => {
    assert.deepEqual(at(START, HOUR, START + 3_600_000), at(START))
  })

  const CASES = [
    { name: 'that is in the second half of the slot', seconds: 3_599, step: STEP, renewAt: 1_800 },
    {
      name: 'that is in the first half of the slot',
      seconds: 1_000,
      step: STEP,
      renewAt: undefined,
    },
    { name: 'that is within a 16th of the lifetime', seconds: 100, step: 14, renewAt: undefined },
    { name: 'that is within some seconds', seconds: 13, step: 14, renewAt: undefined },
    { name: 'that is in the next second', seconds: 1, step: 1, renewAt: undefined },
  ]
  for (const { name, seconds, step, renewAt: renewal } of CASES) {
    it(`ends not after the credential, ${name}`, () => {
      for (let index = 0; index < 50; index++) {
        const subject = subjectOf(['CN', `user-${index}`])
        const start = at(START, HOUR, NEVER, subject).renewAt
        const end = start + seconds
        const validity = at(start * 1_000, HOUR, end * 1_000 + 999, subject)
        assert.ok(validity.notAfter <= end, 'never after')
        assert.ok(validity.notAfter > end - step, `${end - validity.notAfter} s before`)
        assert.ok(validity.notAfter > start, 'and not over')
        assert.equal(validity.renewAt, renewal === undefined ? validity.notAfter : start + renewal)
      }
    })
  }

  it('is issued until the last second, in few successive certificates', () => {
    const expires = START + 1_700_000
    const ends: number[] = []
    for (let now = START; now < expires; now += 1_000) {
      const { notAfter } = at(now, HOUR, expires)
      if (ends.at(-1) !== notAfter) ends.push(notAfter)
    }
    assert.equal(ends.at(-1), expires / 1_000)
    assert.ok(ends.length <= 4, `${ends.length} certificates`)
    assert.deepEqual(
      ends,
      ends.toSorted((one, other) => one - other),
      'each ends later than the one before',
    )
    assert.throws(() => at(expires, HOUR, expires))
    assert.ok((ends[0] ?? 0) > second + 1_700 - STEP)
  })

  it('for thousands of tokens of one account needs a bounded number of certificates', () => {
    for (const account of ['a', 'b', 'c']) {
      const subject = subjectOf(['CN', account])
      for (const lifetime of [600_000, 3_600_000, 86_400_000]) {
        for (let look = 0; look < 8; look++) {
          const now = START + look * 7_919_000
          const handles = new Set<string>()
          for (let token = 1; token <= 2_000; token++) {
            const expires = now + (token * 1.2 * lifetime) / 2_000
            handles.add(
              JSON.stringify(validityAt(now, { lifetime, backdate: 0 }, expires, subject)),
            )
          }
          // 16 for each step: of 225, 14 and 10 seconds for an hour; and one for each of the last ten.
          assert.ok(handles.size <= 60, `${handles.size} for ${lifetime} ms`)
        }
      }
    }
  })

  it('ends at one of 16 times of a lifetime', () => {
    const handles = new Set<string>()
    for (let end = 1_800; end < 7_200; end++) {
      handles.add(JSON.stringify(at(START, HOUR, START + end * 1_000)))
    }
    assert.ok(handles.size <= 10, `${handles.size}`)
  })

  for (const input of [START + 999, START, START - 1, START - 86_400_000, 0, -1]) {
    it(`is refused ${input - START} ms from the end`, () => {
      assert.equal(validityAt(START, HOUR, input, ALICE), undefined)
    })
  }

  it('is the same for the same end, until its renewal', () => {
    const expires = START + 1_000_000
    const first = at(START, HOUR, expires)
    assert.deepEqual(at(first.renewAt * 1_000 - 1, HOUR, expires), first)
  })
})
