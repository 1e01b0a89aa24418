// When certificates begin and end: the same for a while, never past the credential, and never close
// to the end while in use.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { validityAt } from '../../src/grant/validity.ts'
import { subjectOf } from '../fakes/grant.ts'
import { randomFrom } from '../fakes/random.ts'
import { ALICE, at, HOUR, NEVER, START, NOW } from './slots.ts'

describe('the slot of a certificate', () => {
  it('has half the lifetime, and the certificate is valid for the whole', () => {
    const second = START / 1_000
    assert.deepEqual(at(START), {
      notBefore: second - 300,
      notAfter: second + 3_600,
      renewAt: second + 1_800,
    })
  })

  it('is the same to its last millisecond, and another at its end', () => {
    const first = at(START)
    for (const later of [1, 999, 1_000, 900_000, 1_799_000, 1_799_999]) {
      assert.deepEqual(at(START + later), first, String(later))
    }
    const next = at(START + 1_800_000)
    assert.equal(next.renewAt, first.renewAt + 1_800)
    assert.equal(next.notAfter, first.notAfter + 1_800)
    assert.deepEqual(at(START - 1).renewAt, first.renewAt - 1_800)
  })

  it('follows the previous one, over any time', () => {
    let validity = at(NOW)
    for (let slots = 0; slots < 1_000; slots++) {
      const next = at(validity.renewAt * 1_000)
      assert.equal(next.renewAt - validity.renewAt, 1_800)
      validity = next
    }
  })

  const LIFETIMES = [
    { name: 'the shortest lifetime there is', input: 10_000, slot: 5, whole: 10 },
    { name: 'a lifetime of an odd second', input: 11_000, slot: 5, whole: 11 },
    { name: 'a lifetime of a fraction', input: 10_999, slot: 5, whole: 10 },
    { name: 'a lifetime of a day', input: 86_400_000, slot: 43_200, whole: 86_400 },
    { name: 'a lifetime of a year', input: 31_536_000_000, slot: 15_768_000, whole: 31_536_000 },
  ]
  for (const { name, input, slot, whole } of LIFETIMES) {
    it(`of ${name}`, () => {
      const lifetime = { lifetime: input, backdate: 0 }
      const validity = at(NOW, lifetime)
      assert.equal(validity.notAfter - validity.notBefore, whole)
      assert.equal(validity.renewAt - validity.notBefore, slot)
    })
  }

  it('is not moved by the backdating', () => {
    const far = at(NOW, { ...HOUR, backdate: 86_400_000 })
    const near = at(NOW, { ...HOUR, backdate: 0 })
    assert.deepEqual({ ...far, notBefore: 0 }, { ...near, notBefore: 0 })
    assert.equal(near.notBefore - far.notBefore, 86_400)
  })
})

describe('the renewals of many certificates', () => {
  const slot = 1_800
  const offsets = Array.from({ length: 2_000 }, (_, index) => {
    const subject = subjectOf(['CN', `user-${index}`], ['O', 'dev'])
    return at(NOW, HOUR, NEVER, subject).renewAt % slot
  })

  it('have different times', () => {
    assert.notEqual(at(NOW, HOUR, NEVER, subjectOf(['CN', 'bob'])).renewAt, at(NOW).renewAt)
    assert.ok(new Set(offsets).size > 1_000, `${new Set(offsets).size} of 2000`)
  })

  it('are spread evenly over the slot', () => {
    const buckets = Array.from({ length: 20 }, () => 0)
    for (const offset of offsets) {
      const bucket = Math.floor((offset * buckets.length) / slot)
      buckets[bucket] = (buckets[bucket] ?? 0) + 1
    }
    // Pearson's chi-squared with 19 degrees of freedom exceeds 43.8 once in a thousand times.
    const expected = offsets.length / buckets.length
    const deviation = buckets.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
    assert.ok(deviation < 43.8, `chi-squared ${deviation}: ${buckets.join(' ')}`)
  })

  it('are at most a few in one second', () => {
    const perSecond = Map.groupBy(offsets, (offset) => offset)
    assert.ok(Math.max(...[...perSecond.values()].map(({ length }) => length)) < 12)
  })

  it('are at the same time for one identity, in every process', () => {
    assert.deepEqual(at(NOW, HOUR, NEVER, Buffer.from(ALICE)), at(NOW))
  })
})

describe('a clock that is set', () => {
  it('forward yields the certificate of that time', () => {
    const later = at(START + 86_400_000)
    assert.equal(later.renewAt, at(START).renewAt + 86_400)
  })

  it('back yields the certificate of that time, which was valid then', () => {
    const before = at(START - 1_800_000)
    assert.deepEqual(at(START - 900_000), before)
    assert.ok(before.notAfter > START / 1_000 - 900)
  })

  it('back and forth over the end of a slot yields two certificates', () => {
    const handles = new Set(
      [0, -1, 1, -500, 500, -1_000, 1_000].map((jitter) => JSON.stringify(at(START + jitter))),
    )
    assert.equal(handles.size, 2)
  })

  it('before 1970 still yields slots in order', () => {
    const early = at(-1)
    assert.ok(early.renewAt > -1 && early.notAfter > early.renewAt - 1)
    assert.ok(at(-10 * 3_600_000).renewAt <= early.renewAt - 1_800)
  })
})

describe('any certificate, for random times,', () => {
  it('is valid now, ends with the credential, and is renewed with half of its lifetime left', () => {
    const random = randomFrom(0x5107)
    for (let round = 0; round < 20_000; round++) {
      const lifetime = 10_000 + random(2 ** (7 + random(25)))
      const backdate = random(3) === 0 ? 0 : random(600_000)
      const now = NOW + random(2 ** 31) * 100 + random(1_000)
      const expires = random(3) === 0 ? NEVER : now + random(2 ** (1 + random(31)))
      const subject = subjectOf(['CN', `user-${random(50)}`])
      const validity = validityAt(now, { lifetime, backdate }, expires, subject)
      const values = JSON.stringify({ lifetime, backdate, now, expires, validity })
      if (validity === undefined) {
        assert.ok(expires < now + 1_000, values)
        continue
      }
      const { notBefore, notAfter, renewAt: renewal } = validity
      assert.ok([notBefore, notAfter, renewal].every(Number.isSafeInteger), values)
      // It holds now, and for as long as it is given out.
      assert.ok(notBefore * 1_000 <= now && now < renewal * 1_000, values)
      assert.ok(renewal <= notAfter, values)
      // Never past the credential, and never longer than configured.
      assert.ok(notAfter * 1_000 <= expires, values)
      assert.ok((notAfter - notBefore) * 1_000 <= lifetime + backdate, values)
      // Half its life is left, unless the credential ends.
      const left = notAfter * 1_000 - now
      const step = Math.max(10, lifetime / 16_000)
      const isCut = expires < NEVER && notAfter > Math.floor(expires / 1_000) - step
      assert.ok(isCut || left >= Math.floor(lifetime / 1_000) * 500, values)
      // Equal until it is renewed.
      const later = now + random(Math.max(1, renewal * 1_000 - now))
      assert.deepEqual(
        validityAt(later, { lifetime, backdate }, expires, subject),
        validity,
        values,
      )
    }
  })
})
