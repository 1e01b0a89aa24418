// When each signing key does what. That follows from the list and the clock alone, so replicas with
// the same list agree without a word between them.

import { LONGEST_TOKEN_LIFETIME_MS } from './mint-schema.ts'
import type { SigningKeyEntry, SigningKeyList } from './signing-keys.ts'

/**
 * The states of a key, in this order:
 *
 * - `next`: published, so that upstreams know it, and signs nothing yet.
 * - `signing`: signs every token of its algorithm.
 * - `retired`: another signs; published until the last token that it signed has ended.
 * - `dead`: not published any more.
 * - `revoked`: neither signs nor is published, from one moment to the next.
 */
export type SigningKeyState = 'next' | 'signing' | 'retired' | 'dead' | 'revoked'

/** Clocks of replicas, and of upstreams, may be so far apart, in milliseconds. */
export const CLOCK_SKEW_MS = 300_000

/** For so long after it last signed a key is published, in milliseconds: its tokens live no longer. */
export const RETIREMENT_MS = LONGEST_TOKEN_LIFETIME_MS + CLOCK_SKEW_MS

/** When a key does what, in milliseconds since the epoch. */
export interface SigningKeyTimes {
  readonly key: SigningKeyEntry
  /** From then on it signs. */
  readonly begins: number
  /** From then on it does not; infinity while nothing is to replace it. */
  readonly ends: number
  /** From then on it is not published. */
  readonly publishedUntil: number
}

/**
 * The times of every key, in the order of the list. Of two that begin together, the later in the list
 * signs. Whatever comes after a revoked key takes its place in time: what signed before it does not
 * come back. Where nothing comes after, it does, for something has to sign.
 */
export const timesOf = ({ keys }: SigningKeyList): readonly SigningKeyTimes[] => {
  const spans = new Map<string, Span>()
  for (const group of Map.groupBy(keys, ({ algorithm }) => algorithm).values())
    addSpans(group, spans)
  return keys.map((key): SigningKeyTimes => {
    const revoked = revokedAt(key)
    const { begins, ends } = spans.get(key.kid) ?? {
      begins: Date.parse(key.signsFrom),
      ends: revoked,
    }
    if (key.revoked !== undefined) return { key, begins, ends: revoked, publishedUntil: revoked }
    return { key, begins, ends, publishedUntil: ends + RETIREMENT_MS }
  })
}

interface Span {
  readonly begins: number
  readonly ends: number
}

/** Adds the spans of the keys of one algorithm. */
const addSpans = (keys: readonly SigningKeyEntry[], spans: Map<string, Span>): void => {
  // A key that was revoked before it signed has no place in time.
  const order = keys
    .map((key) => ({ key, begins: Date.parse(key.signsFrom) }))
    .filter(({ key, begins }) => begins < revokedAt(key))
    .toSorted((one, other) => one.begins - other.begins)
  let vacant: number | undefined
  const places = order.map(({ key, begins: planned }) => {
    const begins = vacant ?? planned
    vacant = key.revoked === undefined ? undefined : begins
    return { key, begins }
  })
  let ends = Number.POSITIVE_INFINITY
  for (const { key, begins } of places.toReversed()) {
    spans.set(key.kid, { begins, ends })
    if (key.revoked === undefined) ends = begins
  }
}

const revokedAt = ({ revoked }: SigningKeyEntry): number =>
  revoked === undefined ? Number.POSITIVE_INFINITY : Date.parse(revoked)

/**
 * What a key does at a time. A revoked one is that at any time: a clock that is behind must not keep
 * it alive.
 */
export const stateAt = (
  { key, begins, ends, publishedUntil }: SigningKeyTimes,
  now: number,
): SigningKeyState => {
  if (key.revoked !== undefined) return 'revoked'
  if (now < begins) return 'next'
  if (now < ends) return 'signing'
  return now < publishedUntil ? 'retired' : 'dead'
}

/** Whether keys in that state are published. */
export const isPublished = (state: SigningKeyState): boolean =>
  state === 'next' || state === 'signing' || state === 'retired'
