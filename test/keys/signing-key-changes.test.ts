// Changes of a list of signing keys.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  creation,
  findKey,
  keptPrivateKeys,
  livingAlgorithms,
  revocation,
  rotation,
  withoutDead,
  type SigningKeyChange,
} from '../../src/keys/signing-key-changes.ts'
import { NO_SIGNING_KEYS, type SigningKeyList } from '../../src/keys/signing-keys.ts'
import { DAY, HOUR, instant, keysIn, made, MINUTE, planned, START, statesAt } from './lists.ts'

/** The changed list, with keys named `new ALGORITHM`. */
const changed = ({ needs, apply }: SigningKeyChange): SigningKeyList =>
  apply(needs.map((algorithm) => made(`new ${algorithm}`, algorithm)))

/** `KID signsFrom`, in milliseconds after the start. */
const startsOf = (list: SigningKeyList): readonly string[] =>
  list.keys.map(({ kid, signsFrom }) => `${kid} ${Date.parse(signsFrom) - START}`)

describe('the creation of signing keys', () => {
  it('makes a key for each algorithm, which signs at once, also by a slow clock', () => {
    const list = changed(creation(NO_SIGNING_KEYS, ['ES256', 'RS256', 'ES256'], START))
    assert.deepEqual(startsOf(list), ['new ES256 -300000', 'new RS256 -300000'])
    assert.deepEqual(statesAt(list, -5 * MINUTE), ['new ES256 signing', 'new RS256 signing'])
    assert.equal(list.keys[0]?.created, instant(0))
  })

  it('keeps existing keys and those that wait', () => {
    const list = planned({
      a: { signsFrom: 0 },
      b: { signsFrom: HOUR },
      c: { signsFrom: HOUR, algorithm: 'EdDSA' },
    })
    const change = creation(list, ['ES256', 'EdDSA', 'RS256'], START + MINUTE)
    assert.deepEqual(change.needs, ['RS256'])
    assert.deepEqual(changed(change).keys.slice(0, 3), list.keys)
  })

  it('replaces the keys of an algorithm of which all were revoked', () => {
    const list = planned({ a: { signsFrom: 0, revoked: HOUR } })
    const next = changed(creation(list, ['ES256'], START + 2 * HOUR))
    assert.deepEqual(startsOf(next), ['a 0', `new ES256 ${2 * HOUR}`])
    assert.deepEqual(statesAt(next, 2 * HOUR - MINUTE), ['a revoked', 'new ES256 signing'])
  })
})

describe('the rotation of signing keys', () => {
  const one = planned({ a: { signsFrom: 0 } })
  const rotate = (list: SigningKeyList, overlap: number, after: number): SigningKeyChange =>
    rotation(list, { algorithms: ['ES256'], overlap }, START + after)

  it('publishes the next key, which signs after the overlap', () => {
    const list = changed(rotate(one, HOUR, DAY))
    assert.deepEqual(statesAt(list, DAY), ['a signing', 'new ES256 next'])
    assert.deepEqual(statesAt(list, DAY + HOUR - 1), ['a signing', 'new ES256 next'])
    assert.deepEqual(statesAt(list, DAY + HOUR), ['a retired', 'new ES256 signing'])
  })

  it('makes no further key while one waits, however often it is requested', () => {
    const list = changed(rotate(one, HOUR, DAY))
    for (const after of [DAY, DAY + 1, DAY + HOUR - 1]) {
      const change = rotate(list, HOUR, after)
      assert.deepEqual(change.needs, [])
      assert.deepEqual(changed(change), list)
    }
    assert.deepEqual(rotate(list, HOUR, DAY + HOUR).needs, ['ES256'])
  })

  it('lets a new key sign at once, with an overlap of 0', () => {
    const list = changed(rotate(one, 0, DAY))
    assert.deepEqual(statesAt(list, DAY - 1), ['a signing', 'new ES256 next'])
    assert.deepEqual(statesAt(list, DAY), ['a retired', 'new ES256 signing'])
  })

  it('lets the waiting key sign at once, with an overlap of 0', () => {
    const list = planned({
      a: { signsFrom: 0 },
      b: { signsFrom: HOUR },
      c: { signsFrom: 2 * HOUR },
    })
    const change = rotate(list, 0, MINUTE)
    assert.deepEqual(change.needs, [])
    assert.deepEqual(statesAt(changed(change), MINUTE), ['a retired', 'b signing', 'c next'])
  })

  it('rotates each algorithm separately', () => {
    const list = planned({
      a: { signsFrom: 0 },
      b: { signsFrom: 0, algorithm: 'RS256' },
      c: { signsFrom: DAY, algorithm: 'RS256' },
    })
    const change = rotation(list, { algorithms: ['ES256', 'RS256'], overlap: HOUR }, START + HOUR)
    assert.deepEqual(change.needs, ['ES256'])
  })

  it('removes keys without valid tokens from the list', () => {
    const list = planned({ a: { signsFrom: 0 }, b: { signsFrom: HOUR } })
    assert.deepEqual(startsOf(changed(rotate(list, HOUR, 2 * DAY))), [
      `b ${HOUR}`,
      `new ES256 ${2 * DAY + HOUR}`,
    ])
  })

  it('puts the next key after one that replaced a revoked one early', () => {
    const list = planned({ a: { signsFrom: 0, revoked: HOUR }, b: { signsFrom: DAY } })
    const next = changed(rotate(list, HOUR, 2 * HOUR))
    assert.deepEqual(statesAt(next, 2 * HOUR), ['a revoked', 'b signing', 'new ES256 next'])
    assert.deepEqual(statesAt(next, 3 * HOUR), ['a revoked', 'b retired', 'new ES256 signing'])
  })
})

describe('the revocation of a signing key', () => {
  const three = planned({ a: { signsFrom: 0 }, b: { signsFrom: HOUR }, c: { signsFrom: 3 * HOUR } })
  const revoke = (list: SigningKeyList, kid: string, after: number): SigningKeyChange =>
    revocation(list, kid, START + after)

  it('the revocation of a key that signs lets the next one sign at once', () => {
    const change = revoke(three, 'b', 2 * HOUR)
    assert.deepEqual(change.needs, [])
    const list = changed(change)
    assert.deepEqual(statesAt(list, 2 * HOUR), ['a retired', 'b revoked', 'c signing'])
    // A replica whose clock is behind, too.
    assert.deepEqual(statesAt(list, 2 * HOUR - MINUTE), ['a retired', 'b revoked', 'c signing'])
    assert.deepEqual(startsOf(list).at(-1), `c ${2 * HOUR}`)
  })

  it('the revocation of a key that signs makes a new one, where none waits', () => {
    const two = planned({ a: { signsFrom: 0 }, b: { signsFrom: HOUR } })
    const change = revoke(two, 'b', 2 * HOUR)
    assert.deepEqual(change.needs, ['ES256'])
    for (const after of [HOUR, 2 * HOUR, 3 * HOUR]) {
      assert.deepEqual(statesAt(changed(change), after), [
        'a retired',
        'b revoked',
        'new ES256 signing',
      ])
    }
  })

  it('the revocation of a key that is the only one makes a new one', () => {
    const list = changed(revoke(planned({ a: { signsFrom: 0 } }), 'a', HOUR))
    assert.deepEqual(statesAt(list, HOUR - MINUTE), ['a revoked', 'new ES256 signing'])
  })

  it('the revocation of a key that is the only one and does not sign yet makes a new one, too', () => {
    const list = changed(revoke(planned({ a: { signsFrom: HOUR } }), 'a', 0))
    assert.deepEqual(statesAt(list, 0), ['a revoked', 'new ES256 signing'])
  })

  for (const kid of ['a', 'c']) {
    it(`the revocation of a key that does not sign leaves the signing key as it is: ${kid}`, () => {
      const change = revoke(three, kid, 2 * HOUR)
      assert.deepEqual(change.needs, [])
      const list = changed(change)
      assert.deepEqual(
        keysIn(list, 2 * HOUR, 'signing').map((key) => key.kid),
        ['b'],
      )
      assert.deepEqual(
        keysIn(list, 2 * HOUR, 'revoked').map((key) => key.kid),
        [kid],
      )
    })
  }

  it('the revocation of a key that is revoked or unknown changes nothing', () => {
    const list = changed(revoke(three, 'b', 2 * HOUR))
    for (const kid of ['b', 'x']) {
      const change = revoke(list, kid, 9 * HOUR)
      assert.deepEqual([change.needs, changed(change)], [[], list])
    }
  })

  it('does not restore a removed key', () => {
    const two = planned({ a: { signsFrom: 0 }, b: { signsFrom: HOUR } })
    const list = changed(revoke(two, 'b', 9 * DAY))
    assert.deepEqual(statesAt(list, 9 * DAY), ['a dead', 'b revoked', 'new ES256 signing'])
  })

  it('at the instant when it begins to sign leaves one that signs', () => {
    const list = changed(revoke(three, 'b', HOUR))
    assert.deepEqual(keysIn(list, HOUR, 'signing').length, 1)
  })
})

describe('the removal of signing keys', () => {
  const END = HOUR + DAY + 5 * MINUTE
  const two = planned({ a: { signsFrom: 0 }, b: { signsFrom: HOUR } })

  it('includes a key without valid tokens', () => {
    assert.deepEqual(withoutDead(two, START + END - 1), two)
    assert.deepEqual(startsOf(withoutDead(two, START + END)), [`b ${HOUR}`])
  })

  it('includes a revoked key after a day, which is listed until then', () => {
    const list = planned({ a: { signsFrom: 0, revoked: HOUR }, b: { signsFrom: HOUR } })
    assert.equal(withoutDead(list, START + END - 1).keys.length, 2)
    assert.deepEqual(startsOf(withoutDead(list, START + END)), [`b ${HOUR}`])
  })

  it('keeps the key that replaced it', () => {
    const list = planned({ a: { signsFrom: 0, revoked: HOUR }, b: { signsFrom: 9 * DAY } })
    const pruned = withoutDead(list, START + 2 * DAY)
    assert.deepEqual(statesAt(pruned, 2 * DAY), ['b signing'])
  })

  it('includes a private key that no longer signs by any clock', () => {
    const kept = (after: number) => [...keptPrivateKeys(two, START + after)]
    assert.deepEqual(kept(0), ['a', 'b'])
    assert.deepEqual(kept(HOUR + 5 * MINUTE - 1), ['a', 'b'])
    assert.deepEqual(kept(HOUR + 5 * MINUTE), ['b'])
  })

  it('includes the private key of a revoked key, at once', () => {
    const list = planned({ a: { signsFrom: 0, revoked: HOUR }, b: { signsFrom: HOUR } })
    assert.deepEqual([...keptPrivateKeys(list, START)], ['b'])
  })
})

describe('the algorithms of a folder of signing keys', () => {
  it('are those with a key that signs or will sign', () => {
    const list = planned({
      a: { signsFrom: 0 },
      b: { signsFrom: HOUR, algorithm: 'RS256' },
      c: { signsFrom: 0, revoked: 1, algorithm: 'EdDSA' },
    })
    assert.deepEqual([...livingAlgorithms(list, START)], ['ES256', 'RS256'])
  })
})

describe('a signing key by the beginning of its kid', () => {
  const list = planned({
    abcdefgh1: { signsFrom: 0 },
    abcdefgh2: { signsFrom: 0 },
    'abcdefg-3': { signsFrom: 0 },
  })
  const CASES = [
    { name: 'is found by the whole kid', input: 'abcdefgh1', want: 'abcdefgh1' },
    { name: 'is found by a unique prefix', input: 'abcdefg-', want: 'abcdefg-3' },
    {
      name: 'is not found by a prefix of two keys',
      input: 'abcdefgh',
      want: 'ambiguous',
    },
    { name: 'is not found by fewer than eight characters', input: 'abcdefg', want: 'short' },
    { name: 'is not found by an empty text', input: '', want: 'short' },
    { name: 'is not found by an unknown kid', input: 'bcdefgh1', want: 'unknown' },
    { name: 'is not found by more than its kid', input: 'abcdefgh11', want: 'unknown' },
  ]
  for (const { name, input, want } of CASES) {
    it(name, () => {
      const search = findKey(list, input)
      assert.equal(search.outcome === 'found' ? search.key.kid : search.outcome, want)
    })
  }
})
