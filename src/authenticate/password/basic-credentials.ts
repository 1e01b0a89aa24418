// `Authorization: Basic …` → user and password. Strict, since whatever two decoders read
// differently can be used to be two people.

import { TOO_MANY_MARKS } from '../../request/path.ts'
import { hasControlCharacter } from '../../runtime/text.ts'

/** What an Authorization header holds, as far as Basic is concerned. */
export type BasicCredentials =
  | { readonly outcome: 'absent' }
  | { readonly outcome: 'malformed' }
  | { readonly outcome: 'present'; readonly user: string; readonly password: string }

const MALFORMED = { outcome: 'malformed' } as const

// RFC 9110 §11.4: the scheme is case-insensitive, then at least one space and a token68.
const SCHEME = /^basic(?= |$)/i
const BASIC = /^basic +([A-Za-z0-9+/]+={0,2})$/i
// Longer than any password a person or a generator makes; bounds what hashing must read.
const MAX_LENGTH = 4_096

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads RFC 7617 credentials; user and password come out NFC-normalised (RFC 7617 §2.1). */
export const readBasicCredentials = (header: Buffer | undefined): BasicCredentials => {
  if (header === undefined) return { outcome: 'absent' }
  const text = header.toString('latin1')
  if (!SCHEME.test(text)) return { outcome: 'absent' }
  const encoded = BASIC.exec(text)?.[1]
  if (encoded === undefined || encoded.length > MAX_LENGTH) return MALFORMED
  const bytes = Buffer.from(encoded, 'base64')
  // Buffer skips what it cannot read; only a text that encodes to itself was read whole.
  if (bytes.toString('base64') !== encoded) return MALFORMED
  const pair = decode(bytes)
  // RFC 7617 §2: neither part may hold control characters, and the user-id no colon.
  if (pair === undefined || hasControlCharacter(pair)) return MALFORMED
  const colon = pair.indexOf(':')
  // No user is nobody; an empty password never reaches a verifier (RFC 4513 §5.1.2 tells why).
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
