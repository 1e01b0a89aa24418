// How a list of signing keys changes: list → list, given new keys and a time. After every change each
// algorithm that signed still signs, and a key that has signed is published until its tokens expire.

import type { SigningAlgorithm } from './mint-schema.ts'
import type { MadeSigningKey } from './new-signing-key.ts'
import {
  CLOCK_SKEW_MS,
  isPublished,
  RETIREMENT_MS,
  stateAt,
  timesOf,
  type SigningKeyState,
  type SigningKeyTimes,
} from './signing-key-times.ts'
import type { SigningKeyEntry, SigningKeyList } from './signing-keys.ts'

/** A change that was planned for a list. */
export interface SigningKeyChange {
  /** The algorithms that a key has to be made for, each once. */
  readonly needs: readonly SigningAlgorithm[]
  /** The new list, given a key for each of them. */
  readonly apply: (made: readonly MadeSigningKey[]) => SigningKeyList
}

/** One key for each algorithm that has none that signs or will; it signs at once. */
export const creation = (
  list: SigningKeyList,
  algorithms: readonly SigningAlgorithm[],
  now: number,
): SigningKeyChange => {
  const living = livingAlgorithms(list, now)
  return {
    needs: [...new Set(algorithms)].filter((algorithm) => !living.has(algorithm)),
    apply: (made) => withKeys(list, made, now, now),
  }
}

/** The algorithms that some key signs with, or will. */
export const livingAlgorithms = (
  list: SigningKeyList,
  now: number,
): ReadonlySet<SigningAlgorithm> =>
  new Set(
    statesOf(list, now)
      .filter(({ state }) => state === 'signing' || state === 'next')
      .map(({ key }) => key.algorithm),
  )

/** How keys are to be rotated. */
export interface RotationOptions {
  readonly algorithms: readonly SigningAlgorithm[]
  /** How long the next key is published before it signs, in milliseconds; 0: it signs at once. */
  readonly overlap: number
}

/**
 * The next key of each algorithm. An algorithm that has a next key gets no second one, however often this is
 * called; with no overlap, that key signs at once. Keys that are no longer needed leave the list.
 */
export const rotation = (
  before: SigningKeyList,
  { algorithms, overlap }: RotationOptions,
  now: number,
): SigningKeyChange => {
  const list = withoutDead(before, now)
  const wanted = [...new Set(algorithms)]
  const waiting = new Map(wanted.map((algorithm) => [algorithm, nextKey(list, algorithm, now)]))
  const hurried = overlap === 0 ? [...waiting.values()].filter((key) => key !== undefined) : []
  return {
    needs: wanted.filter((algorithm) => waiting.get(algorithm) === undefined),
    apply(made) {
      const rest = hurried.reduce((keys, key) => startingAt(keys, key, now), list)
      return withKeys(rest, made, now + overlap, now)
    },
  }
}

/**
 * A key neither signs nor is published any more. If it signed, or was the last of its algorithm, the
 * next key signs at once, or a new one.
 */
export const revocation = (list: SigningKeyList, kid: string, now: number): SigningKeyChange => {
  const found = statesOf(list, now).find(({ key }) => key.kid === kid)
  if (found === undefined || found.state === 'revoked') return { needs: [], apply: () => list }
  const { algorithm } = found.key
  const rest = changing(list, kid, { revoked: instant(now) })
  if (found.state !== 'signing' && livingAlgorithms(rest, now).has(algorithm)) {
    return { needs: [], apply: () => rest }
  }
  // Of the list before the change: in the new one it may already replace the revoked key. A
  // retired key must not sign again: its private half may have been deleted.
  const next = nextKey(list, algorithm, now)
  return next === undefined || next.kid === kid
    ? { needs: [algorithm], apply: (made) => withKeys(rest, made, now, now) }
    : { needs: [], apply: () => startingAt(rest, next, now) }
}

/** The list without keys that are no longer needed: all their tokens have expired. */
export const withoutDead = (list: SigningKeyList, now: number): SigningKeyList => {
  const keys = statesOf(settled(list, now), now)
    .filter(
      ({ state, ends }) =>
        state !== 'dead' && !(state === 'revoked' && now >= ends + RETIREMENT_MS),
    )
    .map(({ key }) => key)
  return { ...list, keys }
}

/**
 * The keys whose private half has to stay: those that sign or will, and those that a replica whose
 * clock is behind may still sign with.
 */
export const keptPrivateKeys = (list: SigningKeyList, now: number): ReadonlySet<string> =>
  new Set(
    statesOf(list, now)
      .filter(({ state, ends }) => isPublished(state) && now < ends + CLOCK_SKEW_MS)
      .map(({ key }) => key.kid),
  )

/** The keys that are published. */
export const publishedKeys = (list: SigningKeyList, now: number): readonly SigningKeyEntry[] =>
  statesOf(list, now)
    .filter(({ state }) => isPublished(state))
    .map(({ key }) => key)

/** The key whose name begins with the text that the operator typed, or why there is none. */
export type KeySearch =
  | { readonly outcome: 'found'; readonly key: SigningKeyEntry }
  | { readonly outcome: 'short' | 'unknown' | 'ambiguous' }

/** Fewer characters than these could be meant for another key of another day. */
export const SHORTEST_PREFIX = 8

/** Finds a key by its name, or the beginning of it. */
export const findKey = ({ keys }: SigningKeyList, prefix: string): KeySearch => {
  if (prefix.length < SHORTEST_PREFIX) return { outcome: 'short' }
  const [key, ...more] = keys.filter(({ kid }) => kid.startsWith(prefix))
  if (key === undefined) return { outcome: 'unknown' }
  return more.length === 0 ? { outcome: 'found', key } : { outcome: 'ambiguous' }
}

/** A key, when it does what, and what it does now. */
interface TimedKey extends SigningKeyTimes {
  readonly state: SigningKeyState
}

const statesOf = (list: SigningKeyList, now: number): readonly TimedKey[] =>
  timesOf(list).map((times) => ({ ...times, state: stateAt(times, now) }))

const nextKey = (
  list: SigningKeyList,
  algorithm: SigningAlgorithm,
  now: number,
): SigningKeyEntry | undefined =>
  statesOf(list, now)
    .filter(({ key, state }) => key.algorithm === algorithm && state === 'next')
    .toSorted((one, other) => one.begins - other.begins)[0]?.key

/**
 * A key that replaced a revoked one signs earlier than planned. This is written down, so that it remains so
 * when the revoked key leaves the list.
 */
const settled = (list: SigningKeyList, now: number): SigningKeyList => {
  const early = timesOf(list).filter(
    ({ key, begins }) =>
      key.revoked === undefined && begins <= now && Date.parse(key.signsFrom) > now,
  )
  return early.reduce((rest, { key }) => changing(rest, key.kid, { signsFrom: instant(now) }), list)
}

const withKeys = (
  list: SigningKeyList,
  made: readonly MadeSigningKey[],
  start: number,
  now: number,
): SigningKeyList => {
  const entries = made.map(({ kid, algorithm, jwk }): SigningKeyEntry => {
    const signsFrom = instant(startFor(list, algorithm, start, now))
    return { kid, algorithm, jwk, created: instant(now), signsFrom }
  })
  return { ...list, keys: [...list.keys, ...entries] }
}

const startingAt = (
  list: SigningKeyList,
  { kid, algorithm }: SigningKeyEntry,
  now: number,
): SigningKeyList =>
  changing(list, kid, { signsFrom: instant(startFor(list, algorithm, now, now)) })

/**
 * When a key begins that is to begin at `start`. The first of its algorithm does a little in the past,
 * or a replica whose clock is behind would have nothing to sign with.
 */
const startFor = (
  list: SigningKeyList,
  algorithm: SigningAlgorithm,
  start: number,
  now: number,
): number => {
  const isFirst = !timesOf(list).some(
    ({ key, begins }) => key.algorithm === algorithm && begins <= now,
  )
  return isFirst ? Math.min(start, now - CLOCK_SKEW_MS) : start
}

const changing = (
  list: SigningKeyList,
  kid: string,
  changes: Partial<SigningKeyEntry>,
): SigningKeyList => ({
  ...list,
  keys: list.keys.map((key) => (key.kid === kid ? { ...key, ...changes } : key)),
})

const instant = (milliseconds: number): string => new Date(milliseconds).toISOString()
