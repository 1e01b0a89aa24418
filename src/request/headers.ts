// The header lines of one request, as received. Looks them up; changes nothing.

import type { HeaderLine } from './header-line.ts'

/** The header lines of one request, in the order received. */
export class Headers {
  readonly lines: readonly HeaderLine[]
  /** The bytes of all names and values. */
  readonly bytes: number
  /** The marks of all names ({@link HeaderName.marks}): what no line has need not be looked for. */
  readonly marks: number

  constructor(lines: readonly HeaderLine[]) {
    this.lines = lines
    let bytes = 0
    let marks = 0
    for (const line of lines) {
      bytes += line.about.name.length + line.length
      marks |= line.about.marks
    }
    this.bytes = bytes
    this.marks = marks
  }

  /** Whether there is a line of that lower-case name. */
  has(name: string): boolean {
    return this.first(name) !== undefined
  }

  /** The raw bytes of the first line of that lower-case name, or `undefined`. */
  get(name: string): Buffer | undefined {
    return this.first(name)?.value
  }

  /** The same with a character for each byte, the first 256 of Unicode (`latin1`). */
  text(name: string): string | undefined {
    return this.first(name)?.text
  }

  /** The first line of that lower-case name. */
  first(name: string): HeaderLine | undefined {
    for (const line of this.lines) if (line.about.name === name) return line
    return undefined
  }
}
