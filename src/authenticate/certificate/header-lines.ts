// The lines of a header that may stand in a request once.

import type { Headers } from '../../request/headers.ts'
import { LONGEST_TEXT } from './certificate-source.ts'

/** The value of every line of that lower-case name. */
export const valuesOf = ({ lines }: Headers, name: string): readonly Buffer[] =>
  lines.filter((line) => line.name === name).map(({ value }) => value)

/** A value as text; `undefined` when it is too long, or not printable ASCII from end to end. */
export const readVisible = (value: Buffer): string | undefined => {
  if (value.length > LONGEST_TEXT) return undefined
  const text = value.toString('latin1')
  return /^[\x20-\x7e]*$/.test(text) ? text : undefined
}
