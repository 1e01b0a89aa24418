// Byte sequences of structured header fields (RFC 9651 §3.3.5), alone and in a list. Pure.

import { decodeBase64 } from './pem-text.ts'

/**
 * The bytes of an item that is one byte sequence, `:base64:`, without parameters.
 *
 * @returns `undefined` for anything else, base64 of another spelling included
 */
export const readByteSequence = (text: string): Buffer | undefined => {
  const [, base64] = /^ *:([A-Za-z0-9+/=]+): *$/.exec(text) ?? []
  return (base64 && decodeBase64(base64)) || undefined
}

/** The bytes of every member of a list of byte sequences; `undefined` for anything else. */
export const readByteSequences = (text: string): readonly Buffer[] | undefined => {
  // Neither base64 nor a colon holds a comma.
  const members = text.split(',').map(readByteSequence)
  const bytes = members.filter((member) => member !== undefined)
  return bytes.length === members.length ? bytes : undefined
}
