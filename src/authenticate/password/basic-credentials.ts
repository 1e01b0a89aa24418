// `Authorization: Basic …` → user and password. Strict: text that two decoders decode differently could name two
// users.

import { TOO_MANY_MARKS } from '../../request/path.ts'
import { hasControlCharacter } from '../../runtime/text.ts'

/** The Basic credentials of an Authorization header. */
export type BasicCredentials =
  | { readonly outcome: 'absent' }
  | { readonly outcome: 'malformed' }
  | { readonly outcome: 'present'; readonly user: string; readonly password: string }

const MALFORMED = { outcome: 'malformed' } as const

// RFC 9110 §11.4: the scheme is case-insensitive, then at least one space and a token68.
const SCHEME = /^basic(?= |$)/i
const BASIC = /^basic +([A-Za-z0-9+/]+={0,2})$/i
// Longer than any password that a user or a generator makes; bounds the input of hashing.
const MAX_LENGTH = 4_096

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads RFC 7617 credentials; yields user and password NFC-normalised (RFC 7617 §2.1). */
export const readBasicCredentials = (header: Buffer | undefined): BasicCredentials => {
  if (header === undefined) return { outcome: 'absent' }
  const text = header.toString('latin1')
  if (!SCHEME.test(text)) return { outcome: 'absent' }
  const encoded = BASIC.exec(text)?.[1]
  if (encoded === undefined || encoded.length > MAX_LENGTH) return MALFORMED
  const bytes = Buffer.from(encoded, 'base64')
  // Buffer skips invalid characters; only a text that encodes to itself was decoded completely.
  if (bytes.toString('base64') !== encoded) return MALFORMED
  const pair = decode(bytes)
  // RFC 7617 §2: neither part may have control characters, nor the user-id a colon.
  if (pair === undefined || hasControlCharacter(pair)) return MALFORMED
  const colon = pair.indexOf(':')
  // An empty user names no account; an empty password never reaches a verifier (RFC 4513 §5.1.2 has the reason).
  if (colon < 1 || colon === pair.length - 1) return MALFORMED
  return { outcome: 'present', user: pair.slice(0, colon), password: pair.slice(colon + 1) }
}

const decode = (bytes: Buffer): string | undefined => {
  try {
    const text = utf8.decode(bytes)
    return TOO_MANY_MARKS.test(text) ? undefined : text.normalize('NFC')
  } catch {
    return undefined
  }
}
