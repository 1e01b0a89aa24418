// The functions of cel-go's `ext.Strings` whose form in the CEL library is JavaScript's: it counts UTF-16
// units where CEL counts characters (code points), and has another set of blanks.

import { EvaluationError } from '@marcbachmann/cel-js'

const outOfRange = (): EvaluationError =>
  new EvaluationError({ code: 'index_out_of_range', message: 'index out of range' })

// Outside of the first plane a character has two units.
const SURROGATE = /[\ud800-\udfff]/

/** A text whose units are its characters, or the list of those. Both have the same methods. */
const charactersOf = (text: string): string | readonly string[] =>
  SURROGATE.test(text) ? Array.from(text) : text

const joined = (part: string | readonly string[]): string =>
  typeof part === 'string' ? part : part.join('')

/** The position in characters of one in units; -1 stays. */
const positionOf = (text: string, unit: number): bigint =>
  BigInt(SURROGATE.test(text) && unit > 0 ? Array.from(text.slice(0, unit)).length : unit)

/** The position in units of one in characters; that of the end, where it is behind it. */
const unitOf = (text: string, position: number): number =>
  SURROGATE.test(text) ? Array.from(text).slice(0, position).join('').length : position

/** The character at a position; none at the end. */
export const charAt = (text: string, index: bigint): string => {
  const characters = charactersOf(text)
  if (index < 0 || index > characters.length) throw outOfRange()
  return characters.at(Number(index)) ?? ''
}

/** A part of a text. */
export const substring = (text: string, start: bigint, end?: bigint): string => {
  const characters = charactersOf(text)
  const last = end ?? BigInt(characters.length)
  if (start < 0 || last < start || last > characters.length) throw outOfRange()
  return joined(characters.slice(Number(start), Number(last)))
}

/** The conformance tests of CEL want an error behind the end; an empty text is found at the end, too. */
const checkStart = (text: string, wanted: string, from: bigint): void => {
  const { length } = charactersOf(text)
  const isWithin = from >= 0 && (from < length || (from === BigInt(length) && wanted === ''))
  if (!isWithin && !(text === '' && from === 0n)) throw outOfRange()
}

/** The first position of a text in another, from a position on. */
export const indexOf = (text: string, wanted: string, from = 0n): bigint => {
  checkStart(text, wanted, from)
  return positionOf(text, text.indexOf(wanted, unitOf(text, Number(from))))
}

/** The last position of a text in another, up to a position. */
export const lastIndexOf = (text: string, wanted: string, from?: bigint): bigint => {
  if (from === undefined) return positionOf(text, text.lastIndexOf(wanted))
  checkStart(text, wanted, from)
  return positionOf(text, text.lastIndexOf(wanted, unitOf(text, Number(from))))
}

/** The parts between separators; with an empty one, the characters. */
export const split = (text: string, separator: string, most = -1n): readonly string[] => {
  if (most === 0n) return []
  const parts = separator === '' ? Array.from(text) : text.split(separator)
  if (most < 0n || BigInt(parts.length) <= most) return parts
  const whole = Number(most) - 1
  return [...parts.slice(0, whole), parts.slice(whole).join(separator)]
}

/** `replaceAll`, which would find an empty text between the units of a character, too. */
export const replaceAll = (text: string, old: string, replacement: () => string): string =>
  old === '' && SURROGATE.test(text)
    ? [...Array.from(text).flatMap((character) => [replacement(), character]), replacement()].join(
        '',
      )
    : text.replaceAll(old, replacement)

// Unicode's property White_Space, as Go's unicode.IsSpace: with U+0085 and without U+FEFF.
const BLANK = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/
const isBlank = (text: string, at: number): boolean => BLANK.test(text.charAt(at))

/** The text without blanks at its ends; in linear time. */
export const trim = (text: string): string => {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text, start)) start += 1
  while (end > start && isBlank(text, end - 1)) end -= 1
  return text.slice(start, end)
}
