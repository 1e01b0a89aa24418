// The list of the keys that sign tokens, as in their folder. Everything in it is public,
// and every public key in it may be published; otherwise the list is refused.

import * as z from 'zod'
import { SIGNING_ALGORITHMS } from './mint-schema.ts'
import { instantSchema } from '../config/values.ts'
import { CountersignError } from '../runtime/errors.ts'
import { complaintAboutKey, publicJwkSchema, thumbprintOf } from './public-key.ts'

const entry = z.strictObject({
  /** The SHA-256 thumbprint (RFC 7638), which names the file of the private key too. */
  kid: z.string().regex(/^[\w-]{43}$/, 'must be a thumbprint of RFC 7638'),
  algorithm: z.enum(SIGNING_ALGORITHMS),
  jwk: publicJwkSchema,
  created: instantSchema,
  /** From when on it signs, unless a younger one does. */
  signsFrom: instantSchema,
  revoked: instantSchema.optional(),
})

const listSchema = z.strictObject({ version: z.literal(1), keys: z.array(entry) })

/** One key of the list. Times are RFC 3339. */
export type SigningKeyEntry = z.output<typeof entry>

/** The list as in the folder of keys, `keys.json`. */
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
    throw invalid(`${source} is not JSON; restore it, or create a new folder`, cause)
  }
  const result = listSchema.safeParse(document)
  if (!result.success) {
    const [issue] = result.error.issues
    const place = issue === undefined ? '' : ` at ${issue.path.join('.')}: ${issue.message}`
    throw invalid(`${source} is not a list of signing keys${place}`)
  }
  const { keys } = result.data
  for (const key of keys) {
    const complaint = complaintAboutEntry(key)
    if (complaint !== undefined) throw invalid(`${source}: the key "${key.kid}" ${complaint}`)
  }
  const ids = new Set(keys.map(({ kid }) => kid))
  if (ids.size !== keys.length) throw invalid(`${source} holds a key twice`)
  return result.data
}

/**
 * Checks every key in any state: a retired one is published without its private half, and must
 * verify exactly what it signed.
 */
const complaintAboutEntry = ({ kid, algorithm, jwk }: SigningKeyEntry): string | undefined =>
  thumbprintOf(jwk) === kid
    ? complaintAboutKey(algorithm, jwk)
    : 'does not match its name (RFC 7638)'

/** The list as it is written. */
export const formatSigningKeys = (list: SigningKeyList): string =>
  `${JSON.stringify(list, undefined, 2)}\n`

const invalid = (message: string, cause?: unknown) =>
  new CountersignError('signing-keys-invalid', message, cause === undefined ? {} : { cause })
