// Values → the lines of one header, in the form that its receiver reads. What the receiver would not
// read back exactly is refused, so two lists of values never come out as the same lines. Knows nothing
// of who the values are about.

import type { HeaderEncoding, ListForm } from '../schema.ts'
import { canBePassedOn } from '../../identity/mapping.ts'

/** How values are written in a header. */
export interface HeaderForm {
  /**
   * - `lines`: a line for each.
   * - `comma`: one line with commas between them. Where the encoding leaves a comma a comma, a value
   *   that has one, or a quote (a list in the sense of RFC 9110 §5.6.1 may hold quoted strings), or
   *   white space at an end is refused. Elsewhere each value is encoded: the receiver splits, and
   *   then decodes.
   * - `json`: one line, a JSON array of strings in ASCII, which is then encoded as a whole.
   */
  readonly list: ListForm
  /**
   * - `refuse`: printable ASCII, as it is.
   * - `utf8`: as it is, without control characters.
   * - `percent`: all but what RFC 3986 §2.3 calls unreserved.
   * - `rfc8187`: an `ext-value` (RFC 8187 §3.2.1): `UTF-8''` and percent-encoded.
   * - `quoted-printable`: RFC 2045 §6.7 without soft line breaks, which a header has no room for.
   * - `base64`: RFC 4648 §4.
   */
  readonly encode: HeaderEncoding
}

/** The lines in order, none for no values; `undefined` where they cannot be written. */
export const headerLines = (
  values: readonly string[],
  { list, encode }: HeaderForm,
): readonly string[] | undefined => {
  if (values.length === 0) return []
  const encoded = (text: string): string | undefined => {
    // A lone surrogate has no UTF-8; an empty line may get lost.
    const line = text.isWellFormed() ? ENCODERS[encode](text) : undefined
    return line === '' ? undefined : line
  }
  switch (list) {
    case 'lines':
      return whole(values.map(encoded))
    case 'comma':
      if (HIDE_COMMAS.has(encode)) return whole([whole(values.map(encoded))?.join()])
      return values.every(isMember) ? whole([encoded(values.join())]) : undefined
    case 'json':
      return values.every((value) => value.isWellFormed())
        ? whole([encoded(jsonIn(values, encode))])
        : undefined
  }
}

/** Every octet but the unreserved ones as `%XX` (RFC 3986 §2.1). */
export const percentEncoded = (text: string): string => escaped(text, /[^A-Za-z0-9._~-]/g, '%')

const whole = <T>(parts: readonly (T | undefined)[]): readonly T[] | undefined => {
  const there = parts.filter((part) => part !== undefined)
  return there.length === parts.length ? there : undefined
}

const HIDE_COMMAS: ReadonlySet<HeaderEncoding> = new Set(['percent', 'rfc8187', 'base64'])

// Receivers cut off more than HTTP does: Go's TrimSpace all white space, Java's trim all controls.
const ODD_MEMBER = /[,"]|^[\s\p{Cc}]|[\s\p{Cc}]$|^$/u

const isMember = (value: string): boolean => !ODD_MEMBER.test(value)

// RFC 9110 §5.5: nothing else is read alike everywhere, and space at an end is not part of the value.
const PRINTABLE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/

// Go's mime/quotedprintable fails on longer lines (1.26: its buffer), and Grafana then takes the text
// unchanged.
const LONGEST_QUOTED_PRINTABLE = 4_095

const quotedPrintable = (text: string): string | undefined => {
  const encoded = escaped(text, /[^\x20-\x7e]|=|^ | $/g, '=')
  return encoded === text || encoded.length <= LONGEST_QUOTED_PRINTABLE ? encoded : undefined
}

const ENCODERS: Readonly<Record<HeaderEncoding, (text: string) => string | undefined>> = {
  refuse: (text) => (PRINTABLE.test(text) ? text : undefined),
  utf8: (text) => (canBePassedOn(text) ? text : undefined),
  percent: percentEncoded,
  rfc8187: (text) => `UTF-8''${escaped(text, /[^A-Za-z0-9!#$&+.^_`|~-]/g, '%')}`,
  'quoted-printable': quotedPrintable,
  base64: (text) => Buffer.from(text).toString('base64'),
}

/** The octets of the UTF-8, those that are unsafe in hexadecimal. */
const escaped = (text: string, unsafe: RegExp, mark: '%' | '='): string =>
  Buffer.from(text)
    .toString('latin1')
    .replaceAll(
      unsafe,
      (octet) => `${mark}${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
    )

/** A JSON array in ASCII; none of it is left for quoted-printable to encode, so it may be long. */
const jsonIn = (values: readonly string[], encode: HeaderEncoding): string =>
  JSON.stringify(values).replaceAll(
    encode === 'quoted-printable' ? /[^\x20-\x7e]|=/g : /[^\x20-\x7e]/g,
    (unit) => String.raw`\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
