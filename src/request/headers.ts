// The header lines of one request, as received. Looks them up; changes nothing.

import type { RawHeader } from './attributes.ts'
import { headerName, type HeaderName } from './header-name.ts'

/** One header line. */
export interface HeaderLine extends RawHeader {
  /** The name, and what follows from it. */
  readonly about: HeaderName
}

/** The header lines of one request, in the order received. */
export class Headers {
  readonly lines: readonly HeaderLine[]

  constructor(lines: readonly RawHeader[]) {
    this.lines = lines.map(({ name, value }) => ({ name, value, about: headerName(name) }))
  }

  /** The raw bytes of the first line of that lower-case name, or `undefined`. */
  get(name: string): Buffer | undefined {
    for (const line of this.lines) if (line.name === name) return line.value
    return undefined
  }
}
