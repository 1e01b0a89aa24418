// When a signing key does what: to the millisecond, and for lists that no operator would write.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LONGEST_TOKEN_LIFETIME_MS } from '../../src/keys/mint-schema.ts'
import { CLOCK_SKEW_MS, stateAt, timesOf } from '../../src/keys/signing-key-times.ts'
import type { SigningKeyList } from '../../src/keys/signing-keys.ts'
import { Seeded } from '../fakes/seeded.ts'
import { DAY, HOUR, keysIn, MINUTE, planned, START, statesAt, type Plan } from './lists.ts'

const RETIREMENT = DAY + 5 * MINUTE

describe('a key', () => {
  const two = { a: { signsFrom: 0 }, b: { signsFrom: HOUR } }
  const CASES: readonly {
    readonly name: string
    readonly input: Readonly<Record<string, Plan>>
    readonly at: number
    readonly want: readonly string[]
  }[] = [
    { name: 'is next before its time', input: two, at: -1, want: ['a next', 'b next'] },
    { name: 'signs from its time on', input: two, at: 0, want: ['a signing', 'b next'] },
    { name: 'signs until the next does', input: two, at: HOUR - 1, want: ['a signing', 'b next'] },
    { name: 'is retired from then on', input: two, at: HOUR, want: ['a retired', 'b signing'] },
    {
      name: 'is published while a token of it may live',
      input: two,
      at: HOUR + RETIREMENT - 1,
      want: ['a retired', 'b signing'],
    },
    { name: 'is dead then', input: two, at: HOUR + RETIREMENT, want: ['a dead', 'b signing'] },
    {
      name: 'that is not replaced signs for ever',
      input: two,
      at: 10_000 * DAY,
      want: ['a dead', 'b signing'],
    },
    {
      name: 'of another algorithm replaces nothing',
      input: { a: { signsFrom: 0 }, b: { signsFrom: HOUR, algorithm: 'RS256' } },
      at: 2 * HOUR,
      want: ['a signing', 'b signing'],
    },
    {
      name: 'that begins with another is replaced by the later of the list',
      input: { a: { signsFrom: 0 }, b: { signsFrom: 0 } },
      at: 0,
      want: ['a retired', 'b signing'],
    },
    {
      name: 'is in no order of the list',
      input: { b: { signsFrom: HOUR }, a: { signsFrom: 0 } },
      at: HOUR,
      want: ['b signing', 'a retired'],
    },
    {
      name: 'that is revoked is that, also by a clock that is behind',
      input: { a: { signsFrom: 0, revoked: 2 * HOUR }, b: { signsFrom: 2 * HOUR } },
      at: HOUR,
      want: ['a revoked', 'b signing'],
    },
    {
      name: 'after a revoked one takes its place, and what was before it does not come back',
      input: { ...two, b: { signsFrom: HOUR, revoked: 3 * DAY }, c: { signsFrom: 4 * DAY } },
      at: 3 * DAY,
      want: ['a dead', 'b revoked', 'c signing'],
    },
    {
      name: 'after two revoked ones takes the place of both',
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
      name: 'before a revoked one without a successor continues: something has to sign',
      input: { ...two, b: { signsFrom: HOUR, revoked: 2 * HOUR } },
      at: 2 * HOUR,
      want: ['a signing', 'b revoked'],
    },
    {
      name: 'that was revoked before it signed leaves no place to take',
      input: { ...two, b: { signsFrom: HOUR, revoked: HOUR }, c: { signsFrom: 3 * HOUR } },
      at: 2 * HOUR,
      want: ['a signing', 'b revoked', 'c next'],
    },
  ]
  for (const { name, input, at, want } of CASES) {
    it(name, () => assert.deepEqual(statesAt(planned(input), at), want))
  }

  it('is published for as long as any token may live, and clocks may differ', () => {
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
  for (let count = 0; count < 120; count++) look(randomList(random))
}

describe('whatever the list', () => {
  it('one key of an algorithm signs, once one that is not revoked may', () => {
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

  it('a token verifies for a day by what is published, and by a clock that is off', () => {
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

  it('a key never goes back', () => {
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

  it('a revoked key is nothing else, at any time', () => {
    forLists(4, (list) => {
      for (const at of INSTANTS) {
        const revoked = list.keys.filter((key) => key.revoked !== undefined)
        assert.deepEqual(keysIn(list, at, 'revoked'), revoked)
      }
    })
  })

  it('an algorithm does not look at another', () => {
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
