// Parses the text of a signed JWT (RFC 7519, RFC 7515 §7.1). Nothing is verified here.

import type { JsonObject } from '../../runtime/json-object.ts'
import { readJsonObject } from '../../runtime/strict-json.ts'

/** A signed token, parsed and not verified. */
export interface Token {
  /** Deeply frozen, as are the claims. */
  readonly header: JsonObject
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
  const [head = '', body = '', tail = '', ...more] = parts
  const header = headers.get(head) ?? readHeader(head)
  if (header === 'opaque') return OPAQUE
  const signature = decode(tail)
  const claims = readPart(body)
  if (more.length > 0 || signature === undefined || signature.length === 0) return MALFORMED
  if (header === undefined || claims === undefined) return MALFORMED
  const signed = Buffer.from(text.slice(0, head.length + 1 + body.length), 'latin1')
  return { outcome: 'token', token: { header, claims: freeze(claims), signed, signature } }
}

// The tokens of an issuer have one header for each of its keys, so it is decoded once. Bounded, since any caller can
// present any header; the proofs of RFC 9449, with keys in their headers, are longer.
const MAX_HEADERS = 64
const MAX_HEADER_LENGTH = 512
const headers = new Map<string, JsonObject>()

const readHeader = (part: string): JsonObject | 'opaque' | undefined => {
  // Opaque tokens may contain dots too; only a JWT begins with a JSON object.
  const bytes = Buffer.from(part, 'base64url')
  if (!bytes.toString('latin1').trimStart().startsWith('{')) return 'opaque'
  const header = readPart(part)
  if (header === undefined || part.length > MAX_HEADER_LENGTH) return header && freeze(header)
  if (headers.size >= MAX_HEADERS) headers.clear()
  // A copy: the part shares the memory of the token that it was cut from.
  headers.set(bytes.toString('base64url'), freeze(header))
  return header
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
