// Lists of signing keys that have names and times, and no keys: for tests that need only the times.

import type { SigningAlgorithm } from '../../src/keys/mint-schema.ts'
import type { MadeSigningKey } from '../../src/keys/new-signing-key.ts'
import { stateAt, timesOf } from '../../src/keys/signing-key-times.ts'
import type { SigningKeyEntry, SigningKeyList } from '../../src/keys/signing-keys.ts'

/** When everything begins. */
export const START = Date.UTC(2026, 0, 1)

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

const JWK = { kty: 'OKP', crv: 'Ed25519', x: '' } as const

/** A key that was made. */
export const made = (kid: string, algorithm: SigningAlgorithm = 'ES256'): MadeSigningKey => ({
  kid,
  algorithm,
  jwk: JWK,
})

/** When a key is to sign, and when it was revoked: milliseconds after {@link START}. */
export interface Plan {
  readonly algorithm?: SigningAlgorithm
  readonly signsFrom: number
  readonly revoked?: number
}

/** The list of these keys, by name. */
export const planned = (plans: Readonly<Record<string, Plan>>): SigningKeyList => ({
  version: 1,
  keys: Object.entries(plans).map(([kid, { algorithm = 'ES256', signsFrom, revoked }]) => ({
    ...made(kid, algorithm),
    created: instant(0),
    signsFrom: instant(signsFrom),
    ...(revoked === undefined ? {} : { revoked: instant(revoked) }),
  })),
})

/** RFC 3339, of milliseconds after {@link START}. */
export const instant = (after: number): string => new Date(START + after).toISOString()

/** What every key does so many milliseconds after {@link START}: `a signing`. */
export const statesAt = (list: SigningKeyList, after: number): readonly string[] =>
  timesOf(list).map((times) => `${times.key.kid} ${stateAt(times, START + after)}`)

/** The keys in one of these states. */
export const keysIn = (
  list: SigningKeyList,
  after: number,
  ...states: readonly string[]
): readonly SigningKeyEntry[] =>
  timesOf(list)
    .filter((times) => states.includes(stateAt(times, START + after)))
    .map(({ key }) => key)
