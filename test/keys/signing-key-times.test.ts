// When a signing key does what: to the millisecond, and for lists that no operator would write.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LONGEST_TOKEN_LIFETIME_MS } from '../../src/keys/mint-schema.ts'
import { CLOCK_SKEW_MS, stateAt, timesOf } from '../../src/keys/signing-key-times.ts'
import type { SigningKeyList } from '../../src/keys/signing-keys.ts'
import { Seeded } from '../fakes/seeded.ts'
import { DAY, HOUR, keysIn, MINUTE, planned, START, statesAt, type Plan } from './lists.ts'

const RETIREMENT = DAY + 5 * MINUTE

describe('the role of a signing key', () => {
  const two = { a: { signsFrom: 0 }, b: { signsFrom: HOUR } }
  const CASES: readonly {
    readonly name: string
    readonly input: Readonly<Record<string, Plan>>
    readonly at: number
    readonly want: readonly string[]
  }[] = [
    { name: 'is next before its time', input: two, at: -1, want: ['a next', 'b next'] },
    { name: 'is signing from its time on', input: two, at: 0, want: ['a signing', 'b next'] },
    {
      name: 'is signing until the next key’s time',
      input: two,
      at: HOUR - 1,
      want: ['a signing', 'b next'],
    },
    { name: 'is retired from then on', input: two, at: HOUR, want: ['a retired', 'b signing'] },
    {
      name: 'is retired while a token of it may be valid',
      input: two,
      at: HOUR + RETIREMENT - 1,
      want: ['a retired', 'b signing'],
    },
    {
      name: 'is expired after that',
      input: two,
      at: HOUR + RETIREMENT,
      want: ['a dead', 'b signing'],
    },
    {
      name: 'is signing without end where no other follows',
      input: two,
      at: 10_000 * DAY,
      want: ['a dead', 'b signing'],
    },
    {
      name: 'does not depend on another algorithm',
      input: { a: { signsFrom: 0 }, b: { signsFrom: HOUR, algorithm: 'RS256' } },
      at: 2 * HOUR,
      want: ['a signing', 'b signing'],
    },
    {
      name: 'is that of the later one in the list, where two begin at once',
      input: { a: { signsFrom: 0 }, b: { signsFrom: 0 } },
      at: 0,
      want: ['a retired', 'b signing'],
    },
    {
      name: 'does not depend on the order of the list',
      input: { b: { signsFrom: HOUR }, a: { signsFrom: 0 } },
      at: HOUR,
      want: ['b signing', 'a retired'],
    },
    {
      name: 'is revoked, also by a slow clock',
      input: { a: { signsFrom: 0, revoked: 2 * HOUR }, b: { signsFrom: 2 * HOUR } },
      at: HOUR,
      want: ['a revoked', 'b signing'],
    },
    {
      name: 'is signing after a revoked one, without a return of the one before that',
      input: { ...two, b: { signsFrom: HOUR, revoked: 3 * DAY }, c: { signsFrom: 4 * DAY } },
      at: 3 * DAY,
      want: ['a dead', 'b revoked', 'c signing'],
    },
    {
      name: 'is signing after two revoked ones',
      input: {
        a: { signsFrom: 0 },
        b: { signsFrom: HOUR, revoked: 3 * HOUR },
        c: { signsFrom: 2 * HOUR, revoked: 3 * HOUR },
        d: { signsFrom: 9 * HOUR },
      },
      at: HOUR,
      want: ['a retired', 'b revoked', 'c revoked', 'd signing'],
    },
    {
      name: 'is signing before a revoked one without a successor',
      input: { ...two, b: { signsFrom: HOUR, revoked: 2 * HOUR } },
      at: 2 * HOUR,
      want: ['a signing', 'b revoked'],
    },
    {
      name: 'does not change by one that was revoked before it signed',
      input: { ...two, b: { signsFrom: HOUR, revoked: HOUR }, c: { signsFrom: 3 * HOUR } },
      at: 2 * HOUR,
      want: ['a signing', 'b revoked', 'c next'],
    },
  ]
  for (const { name, input, at, want } of CASES) {
    it(name, () => assert.deepEqual(statesAt(planned(input), at), want))
  }

  it('is published as long as any token may be valid, with different clocks', () => {
    assert.equal(LONGEST_TOKEN_LIFETIME_MS + CLOCK_SKEW_MS, RETIREMENT)
  })
})

const ALGORITHMS = ['ES256', 'RS256', 'EdDSA'] as const

/** Any list that an operator could have written, with times in whole minutes so that some coincide. */
const randomList = (random: Seeded): SigningKeyList =>
  planned(
    Object.fromEntries(
      Array.from({ length: random.below(9) }, (_, index): [string, Plan] => [
        `k${index}`,
        {
          algorithm: random.pick(ALGORITHMS),
          signsFrom: random.below(30) * MINUTE,
          ...(random.chance(0.3) ? { revoked: random.below(40) * MINUTE } : {}),
        },
      ]),
    ),
  )

const INSTANTS = Array.from({ length: 45 }, (_, minute) => [minute * MINUTE - 1, minute * MINUTE])
  .flat()
  .flatMap((at) => [at, at + DAY, at + RETIREMENT])
  .toSorted((one, other) => one - other)

const forLists = (seed: number, look: (list: SigningKeyList) => void): void => {
  const random = new Seeded(seed)
  for (let count = 0; count < 40; count++) look(randomList(random))
}

describe('the roles of random lists of signing keys', () => {
  it('include one key of an algorithm that signs, once one that is not revoked may', () => {
    forLists(1, (list) => {
      for (const at of INSTANTS) {
        for (const algorithm of ALGORITHMS) {
          const keys = list.keys.filter((key) => key.algorithm === algorithm)
          const may = keys.some(
            ({ signsFrom, revoked }) =>
              revoked === undefined && Date.parse(signsFrom) <= START + at,
          )
          const signing = keysIn(list, at, 'signing').filter((key) => key.algorithm === algorithm)
          assert.ok(signing.length <= 1)
          assert.ok(signing.length === 1 || !may, JSON.stringify([list, at]))
        }
      }
    })
  })

  it('verify a token for a day, by clocks that differ', () => {
    forLists(2, (list) => {
      for (const at of INSTANTS) {
        for (const { kid } of keysIn(list, at, 'signing')) {
          for (const later of [0, 1, HOUR, DAY, DAY + 5 * MINUTE - 1]) {
            const published = keysIn(list, at + later, 'next', 'signing', 'retired')
            assert.ok(
              published.some((key) => key.kid === kid),
              JSON.stringify([list, at, later]),
            )
          }
        }
      }
    })
  })

  it('never return to an earlier one', () => {
    const STATES = ['next', 'signing', 'retired', 'dead', 'revoked']
    forLists(3, (list) => {
      for (const times of timesOf(list)) {
        const way = INSTANTS.map((at) => STATES.indexOf(stateAt(times, START + at)))
        assert.ok(
          way.every((step, index) => step >= (way[index - 1] ?? 0)),
          JSON.stringify(list),
        )
      }
    })
  })

  it('stay revoked at any time', () => {
    forLists(4, (list) => {
      for (const at of INSTANTS) {
        const revoked = list.keys.filter((key) => key.revoked !== undefined)
        assert.deepEqual(keysIn(list, at, 'revoked'), revoked)
      }
    })
  })

  it('do not depend on other algorithms', () => {
    forLists(5, (list) => {
      for (const algorithm of ALGORITHMS) {
        const isOne = (text: string): boolean =>
          list.keys.some((key) => text.startsWith(`${key.kid} `) && key.algorithm === algorithm)
        const alone = { ...list, keys: list.keys.filter((key) => key.algorithm === algorithm) }
        for (const at of INSTANTS) {
          assert.deepEqual(statesAt(list, at).filter(isOne), statesAt(alone, at))
        }
      }
    })
  })
})
