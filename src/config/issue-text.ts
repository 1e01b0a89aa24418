// What is wrong with a value, in words of YAML: the library has those of TypeScript. A message that a schema itself
// gives has precedence.

import type * as z from 'zod'
import { didYouMean } from './suggestion.ts'

/** The text for an issue of zod; `undefined` leaves it to zod. */
export const issueText: z.core.$ZodErrorMap = (issue) => {
  const { code, input } = issue
  if (code === 'invalid_type') return `must be ${nameOf(issue.expected)}, not ${kindOf(input)}`
  if (code === 'invalid_value') return valueText(issue.values, input)
  if (code === 'invalid_union') return unionText(issue.errors, input)
  if (code === 'invalid_format') {
    return `must be ${FORMATS[issue.format] ?? `a valid ${issue.format}`}`
  }
  if (code === 'too_small') {
    return sizeText('at least', issue.origin, Number(issue.minimum), issue.inclusive)
  }
  if (code === 'too_big') {
    return sizeText('at most', issue.origin, Number(issue.maximum), issue.inclusive)
  }
  return undefined
}

const FORMATS: Readonly<Record<string, string>> = {
  url: 'a URL such as "https://example.org"',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
}

const NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  null: 'empty',
}

const nameOf = (type: string): string => NAMES[type] ?? type

/** The kind of a value, without the value, which may be a secret. */
const kindOf = (input: unknown): string => {
  if (input === null) return 'empty'
  if (Array.isArray(input)) return 'a list'
  if (typeof input === 'number') return Number.isInteger(input) ? 'a number' : 'a fraction'
  return nameOf(typeof input)
}

const valueText = (values: readonly unknown[], input: unknown): string => {
  const [only, ...others] = values.map((value) => JSON.stringify(value))
  if (others.length === 0) return `must be ${only}`
  const texts = values.filter((value) => typeof value === 'string')
  const meant = typeof input === 'string' ? didYouMean(input, texts) : ''
  return `must be one of ${[only, ...others].join(', ')}${meant}`
}

const sizeText = (bound: string, origin: string, size: number, inclusive?: boolean): string => {
  if (origin === 'array' || origin === 'object' || origin === 'set' || origin === 'map') {
    if (bound === 'at least' && size === 1) return 'must not be empty'
    return `must have ${bound} ${size} ${size === 1 ? 'entry' : 'entries'}`
  }
  if (origin === 'string') {
    if (bound === 'at least' && size === 1) return 'must not be empty'
    return `must have ${bound} ${size} ${size === 1 ? 'character' : 'characters'}`
  }
  if (inclusive !== false) return `must be ${bound} ${size}`
  return `must be ${bound === 'at least' ? 'more' : 'less'} than ${size}`
}

/** Where the value has the type of no member; where it has that of one, the problems of that member are reported. */
const unionText = (
  errors: readonly (readonly z.core.$ZodIssue[])[],
  input: unknown,
): string | undefined => {
  const types = errors.flatMap(([first]) =>
    first?.code === 'invalid_type' && first.path.length === 0 ? [nameOf(first.expected)] : [],
  )
  if (types.length === 0) return undefined
  return `must be ${[...new Set(types)].join(' or ')}, not ${kindOf(input)}`
}
