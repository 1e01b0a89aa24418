// Parses the text of a signed JWT (RFC 7519, RFC 7515 §7.1). Nothing is verified here.

import type { JsonObject } from '../../runtime/json-object.ts'
import { readJsonObject } from '../../runtime/strict-json.ts'

/** A signed token, parsed and not verified. */
export interface Token {
  readonly header: JsonObject
  /** Deeply frozen. */
  readonly claims: JsonObject
  /** The bytes that the signature is of. */
  readonly signed: Buffer
  readonly signature: Buffer
}

/** What a bearer token is. */
export type TokenReading =
  | { readonly outcome: 'token'; readonly token: Token }
  /** Not a signed JWT: only the issuer of an opaque token can verify it. */
  | { readonly outcome: 'opaque' }
  /** A malformed JWT. */
  | { readonly outcome: 'malformed' }

const OPAQUE = { outcome: 'opaque' } as const
const MALFORMED = { outcome: 'malformed' } as const

// RFC 7516 §9: an encrypted token has five parts. Only the holder of the key can read it.
const ENCRYPTED_PARTS = 5

/** Parses a token. Pure; never throws. */
export const readToken = (text: string): TokenReading => {
  const parts = text.split('.')
  if (parts.length === 1 || parts.length === ENCRYPTED_PARTS) return OPAQUE
  const [header = '', claims = '', signature = '', ...more] = parts
  // Opaque tokens may contain dots too; only a JWT begins with a JSON object.
  if (!Buffer.from(header, 'base64url').toString('latin1').trimStart().startsWith('{')) {
    return OPAQUE
  }
  const bytes = decode(signature)
  const read = { header: readPart(header), claims: readPart(claims) }
  if (more.length > 0 || bytes === undefined || bytes.length === 0) return MALFORMED
  if (read.header === undefined || read.claims === undefined) return MALFORMED
  return {
    outcome: 'token',
    token: {
      header: read.header,
      claims: freeze(read.claims),
      signed: Buffer.from(`${header}.${claims}`, 'latin1'),
      signature: bytes,
    },
  }
}

const readPart = (part: string): JsonObject | undefined => {
  const bytes = decode(part)
  return bytes && readJsonObject(bytes)
}

/** RFC 7515 §2: base64url without padding, white space or other characters; one spelling each. */
const decode = (part: string): Buffer | undefined => {
  const bytes = Buffer.from(part, 'base64url')
  return bytes.toString('base64url') === part ? bytes : undefined
}

/** Deep-freezes parsed JSON. The depth of the parsed text bounds the recursion. */
export const freeze = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(freeze)
    Object.freeze(value)
  }
  return value
}

// The end of the year 9999: the last second that a Date, a header and a certificate can represent.
const LAST_SECOND = 253_402_300_799

/** Whether a value is a time, in seconds since the epoch; it may have a fraction. */
export const isTime = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value <= LAST_SECOND
