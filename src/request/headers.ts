// The header lines of one request, as received. Looks them up; changes nothing.

import type { RawHeader } from './attributes.ts'

/**
 * A header name as an upstream may read it: lower case, and `_` taken for `-`, since CGI and WSGI
 * servers cannot tell `X_Remote_User` from `X-Remote-User`.
 */
export const canonicalName = (name: string): string =>
  // Envoy hands over lower-case names, and most hold no underscore: the copy is the exception.
  /[A-Z_]/.test(name) ? name.toLowerCase().replaceAll('_', '-') : name

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
