// Headers that are removed in every spelling that an upstream may take for them. Every character that is neither
// letter nor digit is the same to CGI, FastCGI and PHP (RFC 3875 §4.1.18); Envoy compares whole names, in lower case.

import type { Message } from './message.ts'

/** Names and beginnings of names, in lower case. */
export interface HeaderNames {
  readonly names: readonly string[]
  readonly prefixes: readonly string[]
}

// Ranges of bytes, without letters and digits, in place of [^a-z0-9] and of `.`: Envoy up to 1.38 reads UTF-8, and what is
// left of Unicode is 9 instructions there.
const SEPARATOR = String.raw`[\x00-/:-@\x5b-\x60{-\xff]`
/** A separator other than `-`. */
const OTHER_SEPARATOR = String.raw`[\x00-,./:-@\x5b-\x60{-\xff]`
const REST = String.raw`[\x00-\xff]*`

/**
 * Instructions of RE2's program for one expression. Envoy refuses more than 100, where `re2.max_program_size.error_level` of its
 * runtime does not say another number.
 */
export const ENVOYS_OWN_LIMIT = 100

// Measured, 1.37 and 1.38: 4 for each program, 1 for a letter, and these; fewer for each of these from 1.39 on.
const PROGRAM_SIZE = 4
const SIZES: readonly (readonly [part: string, size: number])[] = [
  [SEPARATOR, 6],
  [OTHER_SEPARATOR, 7],
  [REST, 3],
]

/**
 * Header mutations (envoy.config.common.mutation_rules.v3.HeaderMutation).
 *
 * @param removed names to remove, in every spelling
 * @param kept names to keep in this spelling, and to remove in other spellings
 * @param limit how large an expression may be; each costs as much of every request, however many names it has
 */
export const removalsOf = (
  removed: HeaderNames,
  kept: HeaderNames,
  limit = ENVOYS_OWN_LIMIT,
): readonly Message[] => {
  const largest = limit - PROGRAM_SIZE
  const beginnings = removed.prefixes.map((prefix) => expressionOf(prefix, largest))
  const whole = [
    ...removed.names.filter(hasSymbol).map((name) => expressionOf(name, largest)),
    ...kept.names.flatMap(disguisesOf),
    ...kept.prefixes.flatMap(disguisesOf).map((disguise) => disguise + REST),
  ]
  const expressions = packed(
    [...packed(beginnings, largest - sizeOf(followed(''))).map(followed), ...whole],
    largest,
  )
  return [
    ...removed.names.filter((name) => !hasSymbol(name)).map((name) => ({ remove: name })),
    ...expressions.map((regex) => ({
      remove_on_match: { key_matcher: { safe_regex: { regex } } },
    })),
  ]
}

const SYMBOLS = /[^a-z\d]/g

const hasSymbol = (name: string): boolean => name.search(SYMBOLS) !== -1

/** A name in every spelling; of one that is too long for Envoy, its beginning and whatever follows. */
const expressionOf = (name: string, largest: number): string => {
  let expression = spelt(name)
  for (let end = name.length; sizeOf(expression) > largest; end--) {
    expression = spelt(name.slice(0, end)) + REST
  }
  return expression
}

const spelt = (name: string): string => name.replaceAll(SYMBOLS, SEPARATOR)

/** A name in every spelling but its own: one of its separators, at least, is another. */
const disguisesOf = (name: string): readonly string[] => {
  const words = name.split('-')
  return words
    .slice(1)
    .map((_, place) =>
      words.reduce(
        (text, word, index) => text + (index - 1 === place ? OTHER_SEPARATOR : SEPARATOR) + word,
      ),
    )
}

/** As many in one expression as Envoy takes. */
const packed = (expressions: readonly string[], largest: number): readonly string[] => {
  const packs: string[][] = []
  let room = 0
  for (const expression of expressions) {
    const size = sizeOf(expression) + 1
    if (size > room) {
      packs.push([])
      room = largest + 1
    }
    packs.at(-1)?.push(expression)
    room -= size
  }
  return packs.map((some) => some.join('|'))
}

const followed = (beginnings: string): string => `(?:${beginnings})${REST}`

/** The size of RE2's program, or somewhat more. */
function sizeOf(expression: string): number {
  return SIZES.reduce((text, [part, size]) => text.replaceAll(part, '#'.repeat(size)), expression)
    .length
}
