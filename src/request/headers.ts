// The header lines of one request, as received. Looks them up; changes nothing.

import type { RawHeader } from './attributes.ts'

/**
 * A header name as an upstream may read it: lower case, with `-` for every character that is neither letter nor
 * digit. CGI (RFC 3875 §4.1.18), FastCGI, WSGI and PHP read `X_Remote_User` and `X.Remote~User` as `X-Remote-User`.
 */
export const canonicalName = (name: string): string =>
  // Envoy hands over lower-case names, and most hold nothing else: the copy is the exception.
  ORDINARY.test(name) ? name : name.toLowerCase().replaceAll(/[^a-z\d]/g, '-')

// Pseudo-headers (RFC 9113 §8.3) are in every request, and no upstream takes them for a header.
const ORDINARY = /^:?[a-z\d-]*$/

/** The header lines of one request, in the order received. */
export class Headers {
  readonly lines: readonly RawHeader[]

  constructor(lines: readonly RawHeader[]) {
    this.lines = lines
  }

  /** The raw bytes of the first line of that lower-case name, or `undefined`. */
  get(name: string): Buffer | undefined {
    for (const line of this.lines) if (line.name === name) return line.value
    return undefined
  }
}
