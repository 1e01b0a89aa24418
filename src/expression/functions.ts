// The functions that expressions have beyond the CEL library's own: those of cel-go's `ext.Strings`
// that it lacks, Kubernetes' `find`, cel-go's `regex.extract`, and replacements of those that the
// library gets wrong.

import { EvaluationError, Optional, type Environment } from '@marcbachmann/cel-js'
import { charge } from './budget.ts'
import { compileRegex, RegexError, type Regex } from './regex.ts'
import { charAt, indexOf, lastIndexOf, replaceAll, split, substring, trim } from './texts.ts'

/**
 * Functions of the library that are called under another name: its own cannot be removed.
 *
 * - `matches` is JavaScript's regular expression there, which backtracks;
 * - `lowerAscii` and `upperAscii` fold all of Unicode there: the Kelvin sign to `k`, `ß` to `SS`,
 *   which makes one name of two;
 * - `trim` is JavaScript's there, which removes U+FEFF and keeps U+0085: that makes one name of two, too;
 * - `indexOf`, `lastIndexOf`, `substring` and `split` count UTF-16 units there.
 */
export const REPLACED: ReadonlyMap<string, string> = new Map([
  ['matches', 'matchesRe2'],
  ['lowerAscii', 'lowerAsciiOnly'],
  ['upperAscii', 'upperAsciiOnly'],
  ['trim', 'trimBlanks'],
  ['indexOf', 'indexOfText'],
  ['lastIndexOf', 'lastIndexOfText'],
  ['substring', 'substringOfText'],
  ['split', 'splitText'],
])

/** Functions one of whose arguments is a pattern: by name, which one. */
export const PATTERN_ARGUMENTS: ReadonlyMap<string, number> = new Map([
  ['matches', 0],
  ['matchesRe2', 0],
  ['find', 0],
  ['extract', 1],
])

/** Adds the functions. */
export const registerFunctions = (environment: Environment): Environment => {
  const sync = { async: false }
  environment
    .registerType('regex.Namespace', RegexNamespace)
    .registerConstant('regex', 'regex.Namespace', new RegexNamespace())
  for (const [signature, handler] of Object.entries(FUNCTIONS)) {
    environment.registerFunction(signature, handler, sync)
  }
  return environment
}

// An object type of its own: the library finds the functions of a namespace by its class.
// oxlint-disable-next-line typescript/no-extraneous-class -- it represents a name and holds nothing
class RegexNamespace {}

const matches = (text: string, pattern: string): boolean =>
  matchedBy(() => {
    const regex = compileRegex(pattern)
    // A larger program has more states for the same text.
    charge(text.length * (1 + regex.size / 64))
    return regex.test(text)
  })

const groupsIn = (text: string, pattern: string): ReturnType<Regex['find']> =>
  matchedBy(() => {
    const regex = compileRegex(pattern)
    charge(text.length * regex.size)
    return regex.find(text)
  })

const matchedBy = <T>(match: () => T): T => {
  try {
    return match()
  } catch (cause) {
    if (!(cause instanceof RegexError)) throw cause
    throw new EvaluationError({ code: 'regular_expression', message: cause.message })
  }
}

const FUNCTIONS = {
  'string.matchesRe2(string): bool': matches,
  // kubernetes.io, "Common Expression Language in Kubernetes": the first match, or nothing.
  'string.find(string): string': (text: string, pattern: string) =>
    groupsIn(text, pattern)?.[0] ?? '',
  // cel-go ext.Regex: the only group, or the whole where there is none.
  'regex.Namespace.extract(string, string): optional<string>': (
    _: RegexNamespace,
    text: string,
    pattern: string,
  ) => {
    const groups = groupsIn(text, pattern)
    if (groups !== undefined && groups.length > 2) {
      throw new EvaluationError({ code: 'regular_expression', message: 'has several groups' })
    }
    return Optional.of(groups?.at(-1))
  },
  'string.lowerAsciiOnly(): string': (text: string) =>
    text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase()),
  'string.upperAsciiOnly(): string': (text: string) =>
    text.replaceAll(/[a-z]+/g, (letters) => letters.toUpperCase()),
  'string.trimBlanks(): string': trim,
  'string.charAt(int): string': charAt,
  'string.indexOfText(string): int': indexOf,
  'string.indexOfText(string, int): int': indexOf,
  'string.lastIndexOfText(string): int': lastIndexOf,
  'string.lastIndexOfText(string, int): int': lastIndexOf,
  'string.substringOfText(int): string': substring,
  'string.substringOfText(int, int): string': substring,
  'string.splitText(string): list<string>': split,
  'string.splitText(string, int): list<string>': split,
  // A function as replacement: `$&` in a text is literal.
  'string.replace(string, string): string': (text: string, old: string, replacement: string) =>
    replaceAll(bounded(text, old, replacement), old, () => replacement),
  'string.replace(string, string, int): string': (
    text: string,
    old: string,
    replacement: string,
    most: bigint,
  ) => replaceFirst(bounded(text, old, replacement), old, replacement, Number(most)),
  'string.reverse(): string': (text: string) => Array.from(text).toReversed().join(''),
} as const

/** Replaces the first occurrences; all of them where the number is negative, as cel-go does. */
const replaceFirst = (text: string, old: string, replacement: string, most: number): string => {
  if (most < 0) return replaceAll(text, old, () => replacement)
  let left = most
  return replaceAll(text, old, () => (left-- > 0 ? replacement : old))
}

// Each replacement may be as long as the text was: some of them, and a name of 60 KB fills memory.
const LONGEST_TEXT = 1_048_576

/** Units of the budget for each replacement, and each character of the results. */
const REPLACEMENT = 4
const COPIED = 1 / 64

const bounded = (text: string, old: string, replacement: string): string => {
  const times = old === '' ? text.length + 1 : text.split(old).length - 1
  const length = text.length + times * (replacement.length - old.length)
  if (length > LONGEST_TEXT) {
    throw new EvaluationError({ code: 'text_too_long', message: 'would be too long' })
  }
  charge(times * REPLACEMENT + length * COPIED)
  return text
}
