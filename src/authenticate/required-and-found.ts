// What was required of a token and what it has, for the audit log and `countersign explain`. The token is not verified
// where it is refused, so that its texts are cut and quoted. The caller never gets any of this.

import { cutText } from '../runtime/text.ts'

// An issuer or audience is a URL or a name; a refusal is one line of the log.
const LONGEST_TEXT = 120
const MOST_TEXTS = 4

/** `aud`: a text, or a list of them (RFC 7519 §4.1.3). */
export const audienceDetail = (required: readonly string[], found: unknown): string =>
  `audience: required ${oneOf(required)}, found ${listed([found].flat())}`

/** `iss`. */
export const issuerDetail = (required: string, found: unknown): string =>
  `issuer: required ${quoted(required)}, found ${quoted(found)}`

/** `typ`, `alg`. */
export const memberDetail = (name: string, required: readonly string[], found: unknown): string =>
  `${name}: required ${oneOf(required)}, found ${quoted(found)}`

/**
 * The same without what was found: of an answer of a server that has got a secret, which it could repeat there.
 */
export const requiredDetail = (name: string, required: readonly string[], found: unknown): string =>
  `${name}: required ${oneOf(required)}, found ${found === undefined ? 'none' : 'another'}`

/** `kid`. @param published those of the keys of the issuer */
export const keyIdDetail = (
  found: string | undefined,
  algorithm: string,
  published: readonly (string | undefined)[],
): string =>
  `key id: found ${quoted(found)} for ${algorithm}, the issuer publishes ${listed(published)}`

/**
 * `exp`, `nbf`, `iat`: an instant and its distance from the clock of this machine. All in milliseconds.
 *
 * @param found `NaN` or infinite where it is not a time that can be written
 */
export const timeDetail = (what: string, found: number, now: number, skew: number): string => {
  const distance = Math.round(Math.abs(found - now) / 1_000)
  const side = found > now ? 'ahead of' : 'behind'
  const instant = Math.abs(found) <= LAST_INSTANT ? isoTime(found) : 'no instant'
  return `${what} ${instant}, ${distance} s ${side} the clock of this machine (skew: ${skew / 1_000} s)`
}

const isoTime = (time: number): string => new Date(time).toISOString().replace('.000Z', 'Z')

// ECMA-262 §21.4.1.1
const LAST_INSTANT = 8_640_000_000_000_000

const oneOf = (texts: readonly string[]): string =>
  texts.length > 1 ? `one of ${listed(texts)}` : listed(texts)

const listed = (values: readonly unknown[]): string => {
  const more = values.length - MOST_TEXTS
  const shown = values.slice(0, MOST_TEXTS).map(quoted).join(', ')
  if (values.length === 0) return 'none'
  return more > 0 ? `${shown} and ${more} more` : shown
}

const quoted = (value: unknown): string => {
  if (value === undefined) return 'none'
  return typeof value === 'string' ? JSON.stringify(cutText(value, LONGEST_TEXT)) : 'not a text'
}
