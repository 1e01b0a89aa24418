// The claims of a token.

import { readJsonObject } from '../runtime/strict-json.ts'

/** The claims of a token: a JSON object (RFC 7519 §4). */
export type Claims = Readonly<Record<string, unknown>>

/**
 * The claims of a signed token (RFC 7519 §7.2) whose signature a library has verified, read again: the reader of the library
 * takes one name for another, or one of two equal names (`runtime/strict-json.ts`). `undefined` where there is no one reading.
 */
export const claimsIn = (token: string): Claims | undefined => {
  const [, payload = ''] = token.split('.')
  return readJsonObject(Buffer.from(payload, 'base64url'))
}
