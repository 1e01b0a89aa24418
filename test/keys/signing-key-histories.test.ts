// Folders of signing keys over weeks, changed by chance: whatever is done in whatever order, something
// signs, and everything that was signed is accepted until its end.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SigningAlgorithm } from '../../src/keys/mint-schema.ts'
import {
  creation,
  keptPrivateKeys,
  publishedKeys,
  revocation,
  rotation,
  withoutDead,
  type SigningKeyChange,
} from '../../src/keys/signing-key-changes.ts'
import { NO_SIGNING_KEYS, type SigningKeyList } from '../../src/keys/signing-keys.ts'
import { Seeded } from '../fakes/seeded.ts'
import { DAY, HOUR, keysIn, made, MINUTE, START } from './lists.ts'

/** A folder over time: every list that was in force, and the private halves that were there. */
class History {
  readonly #random: Seeded
  readonly #lists: {
    readonly from: number
    readonly list: SigningKeyList
    readonly files: ReadonlySet<string>
  }[] = []
  readonly #made: string[] = []
  #after = 0

  constructor(seed: number, steps: number, operations: readonly [Operation, ...Operation[]]) {
    this.#random = new Seeded(seed)
    this.#change((list, now) => creation(list, ['ES256', 'RS256'], now))
    for (let step = 0; step < steps; step++) {
      const operation = this.#random.pick(operations)
      this.#after += this.#random.pick([0, MINUTE, 10 * MINUTE, HOUR, 5 * HOUR, DAY])
      this.#change((list, now) => operation(list, now, this.#random))
    }
  }

  /** By a clock that is up to two and a half minutes off, as those of the readers are. */
  #change(plan: (list: SigningKeyList, now: number) => SigningKeyChange): void {
    const { list, files } = this.at(this.#after)
    const now = START + this.#after + this.#random.below(5 * MINUTE) - 2.5 * MINUTE
    const { needs, apply } = plan(list, now)
    const keys = needs.map((algorithm) => made(`k${this.#made.length}${algorithm}`, algorithm))
    this.#made.push(...keys.map(({ kid }) => kid))
    const next = apply(keys)
    const kept = keptPrivateKeys(next, now)
    const there = [...files, ...keys.map(({ kid }) => kid)].filter((kid) => kept.has(kid))
    this.#lists.push({ from: this.#after, list: next, files: new Set(there) })
  }

  /** What a reader finds. */
  at(after: number): { readonly list: SigningKeyList; readonly files: ReadonlySet<string> } {
    return (
      this.#lists.findLast(({ from }) => from <= after) ?? {
        list: NO_SIGNING_KEYS,
        files: new Set(),
      }
    )
  }

  /** Every key that was ever made. */
  get kids(): readonly string[] {
    return this.#made
  }

  /** Instants between the first change and two days after the last, in order. */
  instants(count: number): readonly number[] {
    const end = this.#after + 2 * DAY
    const changes = this.#lists.flatMap(({ from }) => [from, from + HOUR])
    return [...changes, ...Array.from({ length: count }, () => this.#random.below(end))].toSorted(
      (one, other) => one - other,
    )
  }
}

type Operation = (list: SigningKeyList, now: number, random: Seeded) => SigningKeyChange

const ALGORITHMS: [SigningAlgorithm, SigningAlgorithm] = ['ES256', 'RS256']
const rotate =
  (overlap: number): Operation =>
  (list, now, random) =>
    rotation(list, { algorithms: random.some(ALGORITHMS), overlap }, now)
const prune: Operation = (list, now) => ({ needs: [], apply: () => withoutDead(list, now) })
const revoke: Operation = (list, now, random) =>
  revocation(list, list.keys[random.below(list.keys.length)]?.kid ?? '', now)
const createAgain: Operation = (list, now) => creation(list, ALGORITHMS, now)

const SEEDS = Array.from({ length: 40 }, (_, seed) => seed)
const SKEWS = [-2.5 * MINUTE, 0, 2.5 * MINUTE]

describe('random histories of a folder of signing keys', () => {
  const histories = SEEDS.map(
    (seed) =>
      new History(seed, 30, [
        rotate(HOUR),
        rotate(10 * MINUTE),
        rotate(0),
        prune,
        revoke,
        createAgain,
      ]),
  )

  it('have one key of each algorithm that signs at any time, by every clock, and its private key', () => {
    for (const history of histories) {
      for (const at of history.instants(100)) {
        const { list, files } = history.at(at)
        for (const skew of SKEWS) {
          const signing = keysIn(list, at + skew, 'signing')
          assert.deepEqual(
            signing.map((key) => key.algorithm).toSorted(),
            ALGORITHMS,
            JSON.stringify([list, at]),
          )
          for (const { kid } of [...signing, ...keysIn(list, at + skew, 'next')]) {
            assert.ok(files.has(kid), JSON.stringify([list, at, kid]))
          }
        }
      }
    }
  })

  it('accept a token for a day, unless its key is revoked', () => {
    for (const history of histories) {
      for (const at of history.instants(30)) {
        for (const { kid } of keysIn(history.at(at).list, at, 'signing')) {
          for (const later of [0, MINUTE, HOUR, DAY / 2, DAY]) {
            const { list } = history.at(at + later)
            const isRevoked = list.keys.some((key) => key.kid === kid && key.revoked !== undefined)
            const published = publishedKeys(list, START + at + later)
            assert.ok(
              isRevoked || published.some((key) => key.kid === kid),
              JSON.stringify([history.at(at).list, list, at, later]),
            )
          }
        }
      }
    }
  })

  it('do not restore a revoked or removed key', () => {
    for (const history of histories) {
      const gone = new Set<string>()
      const seen = new Set<string>()
      for (const at of history.instants(100)) {
        const published = new Set(
          publishedKeys(history.at(at).list, START + at).map(({ kid }) => kid),
        )
        for (const kid of published) assert.ok(!gone.has(kid), kid)
        for (const kid of seen) if (!published.has(kid)) gone.add(kid)
        for (const kid of published) seen.add(kid)
      }
      assert.ok(gone.size > 0 && history.kids.length > 4)
    }
  })
})

describe('random histories with overlaps', () => {
  const histories = SEEDS.map((seed) => new History(seed, 30, [rotate(HOUR), prune, createAgain]))

  it('publish a key for the overlap before it signs', () => {
    for (const history of histories) {
      for (const at of history.instants(100)) {
        if (at < HOUR + 5 * MINUTE) continue
        // By the clock that made it, and by one that is five minutes from that.
        const before = at - HOUR + 5 * MINUTE
        const known = publishedKeys(history.at(before).list, START + before)
        for (const { kid } of keysIn(history.at(at).list, at, 'signing')) {
          assert.ok(
            known.some((key) => key.kid === kid),
            JSON.stringify([history.at(at).list, at]),
          )
        }
      }
    }
  })

  it('keep a bounded number of keys, however often one is requested', () => {
    for (const history of histories) {
      for (const at of history.instants(100)) {
        const { list } = history.at(at)
        for (const algorithm of ALGORITHMS) {
          const waiting = keysIn(list, at, 'next').filter((key) => key.algorithm === algorithm)
          // Two for the moment in which the first signs by the clock of the host that made the second.
          assert.ok(waiting.length <= 2)
        }
      }
    }
  })
})
