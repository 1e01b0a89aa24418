// Regular expressions in time linear in the text, as CEL requires (RE2's syntax). Callers choose the
// text, and JavaScript's own expressions backtrack: `(a|a)*$` takes minutes for a name of forty
// characters.

import { LRUCache } from 'lru-cache'
import { RE2JS, RE2JSException } from 're2js'

/** A compiled regular expression. */
export interface Regex {
  /** Instructions of its program. */
  readonly size: number
  /** Whether some part of the text matches. */
  test(text: string): boolean
  /** The leftmost match and what its groups hold; as Perl would choose among several. */
  find(text: string): readonly (string | undefined)[] | undefined
}

/** A pattern that cannot be used, or not for a text of that length. */
export class RegexError extends Error {}

/**
 * Compiles a pattern in the syntax of RE2 (github.com/google/re2/wiki/Syntax).
 *
 * @throws RegexError when it is not one, or too large
 */
export const compileRegex = (pattern: string): Regex => {
  const known = compiled.get(pattern)
  if (known !== undefined) return known
  const program = compile(pattern)
  const size = program.programSize()
  const requireRoom = (text: string, steps: number): void => {
    // Each character may meet each instruction.
    if (size * text.length > steps) {
      throw new RegexError('the pattern and the text are too large for each other')
    }
  }
  const regex: Regex = {
    size,
    test(text) {
      requireRoom(text, MOST_STEPS)
      // Without groups, re2js has an automaton that looks at each character once.
      return program.test(text)
    },
    find(text) {
      requireRoom(text, MOST_STEPS)
      if (!program.test(text)) return undefined
      requireRoom(text, MOST_STEPS_WITH_GROUPS)
      const found = program.matcher(text)
      if (!found.find()) return undefined
      return Array.from(
        { length: found.groupCount() + 1 },
        (_, group) => found.group(group) ?? undefined,
      )
    },
  }
  compiled.set(pattern, regex)
  return regex
}

// Patterns may be made by an expression, of what callers send, so what is kept has a limit.
const compiled = new LRUCache<string, Regex>({ max: 200 })
// Longer than any that an operator writes.
const LONGEST_PATTERN = 100_000
const LARGEST_PROGRAM = 100_000
// Measured: a few milliseconds when all of them are taken.
const MOST_STEPS = 10_000_000
// Each takes 5 to 130 ns: to find a word of 20 characters in a text of 10,000 takes 200,000.
const MOST_STEPS_WITH_GROUPS = 200_000

const compile = (pattern: string): RE2JS => {
  if (pattern.length > LONGEST_PATTERN) {
    throw new RegexError(`more than ${LONGEST_PATTERN} characters`)
  }
  try {
    const program = RE2JS.compile(pattern)
    if (program.programSize() <= LARGEST_PROGRAM) return program
  } catch (cause) {
    if (!(cause instanceof RE2JSException)) throw cause
    throw new RegexError(cause.message.replace(/^error parsing regexp: /, ''), { cause })
  }
  throw new RegexError('it is too large')
}
