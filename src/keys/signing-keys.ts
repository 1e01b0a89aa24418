// The keys that our tokens are signed with, and when each does what. A key's state follows from the
// list and the clock alone, so replicas with the same list agree without a word between them.

import { z } from 'zod'
import { LONGEST_TOKEN_LIFETIME_MS, SIGNING_ALGORITHMS } from '../config/mint-schema.ts'
import { instantSchema } from '../config/values.ts'
import { CountersignError } from '../runtime/errors.ts'

/**
 * What becomes of a key, in this order:
 *
 * - `next`: published, so that upstreams know it, and signs nothing yet.
 * - `signing`: signs every token of its algorithm.
 * - `retired`: another signs; published until the last token that it signed has ended.
 * - `dead`: not published any more.
 * - `revoked`: neither signs nor is published, from one moment to the next.
 */
export type SigningKeyState = 'next' | 'signing' | 'retired' | 'dead' | 'revoked'

// RFC 7517 §4, RFC 7518 §6, RFC 8037 §2: what is public of a key.
const jwk = z.discriminatedUnion('kty', [
  z.strictObject({ kty: z.literal('EC'), crv: z.string(), x: z.string(), y: z.string() }),
  z.strictObject({ kty: z.literal('RSA'), n: z.string(), e: z.string() }),
  z.strictObject({ kty: z.literal('OKP'), crv: z.string(), x: z.string() }),
])

const entry = z.strictObject({
  /** The SHA-256 thumbprint (RFC 7638), which names the file of the private key too. */
  kid: z.string().regex(/^[\w-]{43}$/, 'must be a thumbprint of RFC 7638'),
  algorithm: z.enum(SIGNING_ALGORITHMS),
  jwk,
  created: instantSchema,
  /** From when on it signs, unless a younger one does. */
  signsFrom: instantSchema,
  revoked: instantSchema.optional(),
})

const listSchema = z.strictObject({ version: z.literal(1), keys: z.array(entry) })

/** One key of the list. Times are RFC 3339. */
export type SigningKeyEntry = z.output<typeof entry>

/** The list as it stands in the folder of keys, `keys.json`. */
export type SigningKeyList = z.output<typeof listSchema>

/** An empty one. */
export const NO_SIGNING_KEYS: SigningKeyList = { version: 1, keys: [] }

/**
 * Reads a list.
 *
 * @param source where the text came from, for messages
 * @throws CountersignError `signing-keys-invalid`
 */
export const parseSigningKeys = (source: string, text: string): SigningKeyList => {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (cause) {
    throw invalid(`${source} is no JSON; restore it, or make a new folder`, cause)
  }
  const result = listSchema.safeParse(document)
  if (!result.success) {
    const [issue] = result.error.issues
    const place = issue === undefined ? '' : ` at ${issue.path.join('.')}: ${issue.message}`
    throw invalid(`${source} is no list of signing keys${place}`)
  }
  const ids = new Set(result.data.keys.map(({ kid }) => kid))
  if (ids.size !== result.data.keys.length) throw invalid(`${source} holds a key twice`)
  return result.data
}

/** The list as it is written. */
export const formatSigningKeys = (list: SigningKeyList): string =>
  `${JSON.stringify(list, undefined, 2)}\n`

/** Clocks of upstreams may be behind ours: a key is published for so much longer than its tokens live. */
const CLOCK_SKEW_MS = 300_000

/** When a key becomes what; milliseconds since the epoch. */
interface Stages {
  readonly signsFrom: number
  /** When another began to sign; without one, it still does. */
  readonly replaced: number
  readonly revoked: boolean
}

/** The state of every key at a time, in the order of the list. */
export const statesAt = (
  { keys }: SigningKeyList,
  now: number,
): ReadonlyMap<string, SigningKeyState> =>
  new Map(keys.map((key) => [key.kid, stateAt(stagesOf(key, keys), now)]))

const stagesOf = (key: SigningKeyEntry, keys: readonly SigningKeyEntry[]): Stages => {
  const signsFrom = Date.parse(key.signsFrom)
  const later = keys
    .filter(({ algorithm, revoked }) => algorithm === key.algorithm && revoked === undefined)
    .map((other) => Date.parse(other.signsFrom))
    .filter((start) => start > signsFrom)
  return { signsFrom, replaced: Math.min(...later), revoked: key.revoked !== undefined }
}

const stateAt = ({ signsFrom, replaced, revoked }: Stages, now: number): SigningKeyState => {
  if (revoked) return 'revoked'
  if (now < signsFrom) return 'next'
  if (now < replaced) return 'signing'
  return now < replaced + LONGEST_TOKEN_LIFETIME_MS + CLOCK_SKEW_MS ? 'retired' : 'dead'
}

const invalid = (message: string, cause?: unknown) =>
  new CountersignError('signing-keys-invalid', message, cause === undefined ? {} : { cause })
