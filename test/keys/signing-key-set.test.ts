// The signing keys at work, by a clock that is held still: which one signs, what is published, and that
// another library can verify what was signed.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readKeys } from '../../src/authenticate/bearer/keys.ts'
import { readToken } from '../../src/authenticate/bearer/token.ts'
import { checkToken, refusalOf } from '../../src/authenticate/bearer/verify-token.ts'
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '../../src/keys/mint-schema.ts'
import { SigningKeySet } from '../../src/keys/signing-key-set.ts'
import type { SigningKeyList } from '../../src/keys/signing-keys.ts'
import { FakeClock } from '../fakes/clock.ts'
import { Seeded } from '../fakes/seeded.ts'
import { madeKey, signingKeysOf, type MadeKey } from '../fakes/signing-keys.ts'
import { DAY, HOUR, instant, MINUTE, START } from './lists.ts'
import { changed, setAt } from './made-keys.ts'

const END = DAY + 5 * MINUTE

const made = async (algorithm: SigningAlgorithm, after = 0): Promise<MadeKey> =>
  await madeKey(algorithm, START + after)

const [a, b, c, rsa, ed] = await Promise.all([
  made('ES256'),
  made('ES256', HOUR),
  made('ES256', 2 * HOUR),
  made('RS256'),
  made('EdDSA', MINUTE),
])

const revoked = (key: MadeKey, after: number): MadeKey => changed(key, { revoked: instant(after) })

const NAMES = new Map([
  [a.entry.kid, 'a'],
  [b.entry.kid, 'b'],
  [c.entry.kid, 'c'],
  [rsa.entry.kid, 'rsa'],
  [ed.entry.kid, 'ed'],
])

/** The name of the key that signs, or `none`. */
const signer = async (set: SigningKeySet, algorithm: SigningAlgorithm = 'ES256'): Promise<string> =>
  await set.sign(algorithm, 'JWT', {}).then(
    ({ kid }) => NAMES.get(kid) ?? kid,
    (cause: unknown) => {
      assert.ok(cause instanceof Error && 'code' in cause)
      assert.equal(cause.code, 'signing-keys-invalid')
      return 'none'
    },
  )

const published = (set: SigningKeySet): string =>
  set
    .published()
    .map(({ kid }) => NAMES.get(kid) ?? kid)
    .join(' ')

describe('the signing key of an algorithm', () => {
  const CASES: readonly {
    readonly name: string
    readonly keys: readonly MadeKey[]
    readonly at: number
    readonly algorithm?: SigningAlgorithm
    readonly signs: string
    readonly shows: string
  }[] = [
    { name: 'is none before its time', keys: [a, b], at: -1, signs: 'none', shows: 'a b' },
    { name: 'is the first at its time', keys: [a, b], at: 0, signs: 'a', shows: 'a b' },
    { name: 'is the first after its time', keys: [a, b], at: 1, signs: 'a', shows: 'a b' },
    {
      name: 'is the first a millisecond before the next',
      keys: [a, b],
      at: HOUR - 1,
      signs: 'a',
      shows: 'a b',
    },
    { name: 'is the next at its time', keys: [a, b], at: HOUR, signs: 'b', shows: 'a b' },
    { name: 'is the next after its time', keys: [a, b], at: HOUR + 1, signs: 'b', shows: 'a b' },
    {
      name: 'is the next while the previous one is published',
      keys: [a, b],
      at: HOUR + END - 1,
      signs: 'b',
      shows: 'a b',
    },
    {
      name: 'is the next when the previous one is published no longer',
      keys: [a, b],
      at: HOUR + END,
      signs: 'b',
      shows: 'b',
    },
    {
      name: 'is one of its algorithm',
      keys: [a, b, rsa],
      at: HOUR,
      algorithm: 'RS256',
      signs: 'rsa',
      shows: 'a b rsa',
    },
    {
      name: 'does not depend on another algorithm',
      keys: [a, ed],
      at: 0,
      algorithm: 'EdDSA',
      signs: 'none',
      shows: 'a ed',
    },
    {
      name: 'is none where the algorithm has none',
      keys: [rsa],
      at: HOUR,
      signs: 'none',
      shows: 'rsa',
    },
    {
      name: 'is the next where it is revoked itself',
      keys: [a, revoked(b, 90 * MINUTE), c],
      at: 91 * MINUTE,
      signs: 'c',
      shows: 'a c',
    },
    {
      name: 'stays where the next is revoked',
      keys: [a, revoked(b, MINUTE)],
      at: 2 * HOUR,
      signs: 'a',
      shows: 'a',
    },
    {
      name: 'stays where a retired one is revoked',
      keys: [revoked(a, 2 * HOUR), b],
      at: 2 * HOUR,
      signs: 'b',
      shows: 'b',
    },
    {
      name: 'is none where all are revoked',
      keys: [revoked(a, HOUR), revoked(b, HOUR)],
      at: HOUR,
      signs: 'none',
      shows: '',
    },
    {
      name: 'is none where all are revoked, also by a slow clock',
      keys: [revoked(a, HOUR)],
      at: MINUTE,
      signs: 'none',
      shows: '',
    },
    { name: 'is none in an empty list', keys: [], at: 0, signs: 'none', shows: '' },
  ]
  for (const { name, keys, at, algorithm, signs, shows } of CASES) {
    it(name, async () => {
      const set = setAt(keys, at)
      assert.equal(await signer(set, algorithm), signs)
      assert.equal(published(set), shows)
      for (const { entry } of keys) {
        assert.equal(
          set.publishes(entry.kid),
          shows.split(' ').includes(NAMES.get(entry.kid) ?? ''),
        )
      }
    })
  }

  it('is none without its private key', async () => {
    const list: SigningKeyList = { version: 1, keys: [a.entry] }
    const set = new SigningKeySet({ list, privateKeys: new Map() }, new FakeClock(START))
    assert.equal(await signer(set), 'none')
  })

  it('changes with the clock only', async () => {
    const clock = new FakeClock(START)
    const set = signingKeysOf([a, b], clock)
    assert.equal(await signer(set), 'a')
    clock.advance(HOUR)
    assert.equal(await signer(set), 'b')
  })
})

describe('the published key set', () => {
  it('has the public key with kid, alg and use', () => {
    const { kid, jwk } = a.entry
    assert.deepEqual(setAt([a], 0).published(), [{ ...jwk, kid, alg: 'ES256', use: 'sig' }])
    assert.ok(!JSON.stringify(setAt([a, rsa, ed], 0).published()).includes('"d"'))
  })

  it('does not have a key that is published no longer', () => {
    assert.ok(!setAt([a], 0).publishes('x'))
    assert.ok(!setAt([a], 0).publishes('__proto__'))
  })

  it('has keys that Countersign’s own validator accepts', () => {
    const reading = readKeys({ keys: setAt([a, b, rsa, ed], HOUR).published() })
    assert.deepEqual([reading?.keys.size, reading?.ignored], [4, []])
  })
})

describe('the algorithms of a key set', () => {
  it('are those of keys that sign, or will sign', () => {
    assert.deepEqual([...setAt([a, b, rsa, ed], 0).algorithms], ['ES256', 'RS256', 'EdDSA'])
    assert.deepEqual([...setAt([revoked(a, 1), rsa], 0).algorithms], ['RS256'])
  })
})

describe('the status of a key set', () => {
  it('has every key with its role', () => {
    const states = setAt([a, b, revoked(c, 1)], 2 * DAY)
      .statuses()
      .map(({ state }) => state)
    assert.deepEqual(states, ['dead', 'signing', 'revoked'])
  })
})

const rules = {
  issuer: 'https://id.example.org',
  audiences: ['kubernetes'],
  kind: 'any',
  algorithms: SIGNING_ALGORITHMS,
  skew: 0,
} as const

/** Whether our own reader takes a token: `taken`, or why not. It verifies by node:crypto. */
const verdictOn = async (token: string, set: SigningKeySet, now: number): Promise<string> => {
  const reading = readToken(token)
  const keys = readKeys({ keys: set.published() })?.keys
  assert.ok(reading.outcome === 'token' && keys !== undefined)
  const judgement = checkToken(reading.token, rules, now)
  if (judgement.outcome === 'rejected') return judgement.code
  return (await refusalOf(judgement.plausible, keys, rules))?.code ?? 'taken'
}

const claimsAt = (now: number) => ({
  iss: rules.issuer,
  aud: 'kubernetes',
  sub: 'Zoë',
  iat: Math.floor(now / 1_000),
  exp: Math.floor((now + DAY) / 1_000),
})

describe('a signed token', () => {
  for (const { entry, privateKey } of [a, rsa, ed]) {
    const { algorithm, kid } = entry
    const set = setAt([{ entry: { ...entry, signsFrom: instant(0) }, privateKey }], 0)

    it(`of ${algorithm} has typ, kid, alg and the given claims`, async () => {
      for (const typ of ['JWT', 'at+jwt'] as const) {
        const { token, kid: by } = await set.sign(algorithm, typ, claimsAt(START))
        const reading = readToken(token)
        assert.equal(reading.outcome, 'token')
        assert.deepEqual(reading.token.header, { alg: algorithm, kid, typ })
        assert.deepEqual(reading.token.claims, claimsAt(START))
        assert.equal(by, kid)
      }
    })

    it(`of ${algorithm} is verified by another library`, async () => {
      const { token } = await set.sign(algorithm, 'JWT', claimsAt(START))
      assert.equal(await verdictOn(token, set, START), 'taken')
      const [header, , signature] = token.split('.')
      const other = Buffer.from(JSON.stringify({ ...claimsAt(START), sub: 'root' })).toString(
        'base64url',
      )
      assert.equal(
        await verdictOn(`${header}.${other}.${signature}`, set, START),
        'token-signature',
      )
    })
  }

  it('by a revoked key is refused', async () => {
    const { token } = await setAt([a], 0).sign('ES256', 'JWT', claimsAt(START))
    assert.equal(await verdictOn(token, setAt([revoked(a, 1), b], 0), START), 'token-key-unknown')
  })
})

describe('two replicas of one folder of signing keys', () => {
  const keys = [a, b, c, rsa, ed]
  const instants = [-1, 0, 1, MINUTE, HOUR - 1, HOUR, HOUR + 1, 2 * HOUR, HOUR + END, 3 * DAY]

  it('have the same signing key at every instant, whenever each has read it', async () => {
    const clock = new FakeClock(START)
    const early = signingKeysOf(keys, clock)
    for (const at of instants) {
      clock.advance(START + at - clock.now())
      const late = signingKeysOf(keys, clock)
      for (const algorithm of SIGNING_ALGORITHMS) {
        assert.equal(await signer(early, algorithm), await signer(late, algorithm))
      }
      assert.deepEqual(early.statuses(), late.statuses())
      assert.deepEqual(early.published(), late.published())
    }
  })

  it('verify each other’s tokens for a day, with clocks that differ by five minutes', async () => {
    const random = new Seeded(7)
    for (let round = 0; round < 60; round++) {
      const at = random.below(4 * HOUR)
      const algorithm = random.pick(SIGNING_ALGORITHMS)
      const one = setAt(keys, at)
      if ((await signer(one, algorithm)) === 'none') continue
      const { token } = await one.sign(algorithm, 'JWT', claimsAt(START + at))
      for (const later of [0, random.below(DAY - 1_000), DAY - 1_000]) {
        for (const skew of [-5 * MINUTE, 0, 5 * MINUTE]) {
          const other = setAt(keys, at + later + skew)
          assert.equal(await verdictOn(token, other, START + at + later), 'taken')
        }
      }
    }
  })
})
