// Expressions in the Common Expression Language (github.com/google/cel-spec): compiled and checked
// for types when the configuration is read, so that a request can only find what the types allow.

import { Environment, Optional, type ASTNode } from '@marcbachmann/cel-js'
import { withinBudget } from './budget.ts'
import { correct } from './corrections.ts'
import { environmentOf, type RuleTopics, type Subject } from './environments.ts'
import { PATTERN_ARGUMENTS, REPLACED } from './functions.ts'
import { toJsonResult, type JsonResult } from './json-value.ts'
import { childrenOf, loopDepth, meter } from './metering.ts'
import { compileRegex, RegexError } from './regex.ts'

/** Variables by name, as an expression sees them. */
type Variables = Readonly<Record<string, unknown>>

/** An expression that yields text: one value, or any number. */
export interface TextExpression {
  /** As written in the configuration. */
  readonly source: string
  /** The values in order; `undefined` when there are none, as of a missing key. */
  evaluate(variables: Variables): readonly string[] | undefined
  /**
   * Why there are none, for operators: a code of the CEL library and the place in the expression,
   * or the type of the actual value. Contains no value of a variable.
   */
  explain(variables: Variables): string
}

/** An expression that yields any value that JSON can hold, or nothing. */
export interface ValueExpression {
  readonly source: string
  /** `undefined` when it cannot be evaluated, or yields what JSON cannot hold. */
  evaluate(variables: Variables): JsonResult | undefined
  /** Why not, for operators; contains no value of a variable. */
  explain(variables: Variables): string
}

/** An expression of type `bool`. */
export interface Condition {
  readonly source: string
  /** `undefined` when it is undetermined, such as for a missing key: never to be taken for a yes. */
  evaluate(variables: Variables): boolean | undefined
  /** Why it is undetermined, for operators; holds no values of variables. */
  explain(variables: Variables): string
}

/** An expression that can be used, or what is wrong with it. */
export type Compilation<T> =
  | { readonly ok: true; readonly expression: T }
  | { readonly ok: false; readonly message: string }

/**
 * Compiles an expression whose type is `string` or `list<string>`; about a caller, whose attributes may be
 * missing, also an optional one of them, which then yields no value.
 */
export const compileText = (source: string, about: Subject): Compilation<TextExpression> =>
  compile(source, about, about === 'caller' ? OPTIONAL_TEXT_TYPES : TEXT_TYPES, TEXT, (yielded) => {
    const value: unknown = yielded instanceof Optional ? yielded.orValue([]) : yielded
    const values: readonly unknown[] = Array.isArray(value) ? value : [value]
    return values.every((one) => typeof one === 'string') ? values : undefined
  })

const TEXT = 'string or list<string>'

/** Compiles an expression of any type but `type` itself. */
export const compileValue = (source: string, about: Subject): Compilation<ValueExpression> =>
  compile(source, about, undefined, 'a value that JSON can hold', toJsonResult)

/** Compiles an expression whose type is `bool`. */
export const compileCondition = (
  source: string,
  about: Subject | RuleTopics,
): Compilation<Condition> =>
  compile(source, about, CONDITION_TYPES, 'bool', (value) =>
    typeof value === 'boolean' ? value : undefined,
  )

/**
 * Compiles an expression in an environment of the caller's, as every expression is: for tests of the language.
 * It yields whatever the library yields, in an object.
 */
export const compileIn = (
  source: string,
  environment: Environment,
): Compilation<{ evaluate: (variables: Variables) => { readonly value: unknown } | undefined }> =>
  compile(source, environment, undefined, 'anything', (value) => ({ value }))

/** How deep the loops of an expression are nested at most; 0 for one that cannot be parsed. */
export const nestedLoops = (source: string): number => {
  try {
    return loopDepth(environmentOf('caller').parse(source).ast)
  } catch {
    return 0
  }
}

// "list<T>" is the type of an empty list. Claims are `dyn` until they are there.
const TEXT_TYPES: ReadonlySet<string> = new Set([
  'string',
  'list<string>',
  'list<T>',
  'list',
  'dyn',
  'list<dyn>',
])
const OPTIONAL_TEXT_TYPES: ReadonlySet<string> = new Set(
  [...TEXT_TYPES].flatMap((type) => [type, `optional<${type}>`]),
)
const CONDITION_TYPES: ReadonlySet<string> = new Set(['bool', 'dyn'])

interface Compiled<T> {
  readonly source: string
  evaluate: (variables: Variables) => T | undefined
  explain: (variables: Variables) => string
}

const compile = <T>(
  source: string,
  about: Subject | RuleTopics | Environment,
  types: ReadonlySet<string> | undefined,
  wanted: string,
  read: (value: unknown) => T | undefined,
): Compilation<Compiled<T>> => {
  try {
    const environment = about instanceof Environment ? about : environmentOf(about)
    const program = environment.parse(source)
    const fault = prepare(program.ast)
    if (fault !== undefined) {
      return { ok: false, message: `${fault.message}${placeIn(source, fault.at)}` }
    }
    const { valid, type, error } = program.check()
    if (!valid) return { ok: false, message: describe(error, source) }
    const misread = correct(program.ast, source)
    if (misread !== undefined) {
      return { ok: false, message: `${misread.message}${placeIn(source, misread.node.start)}` }
    }
    const unbounded = meter(program.ast)
    if (unbounded !== undefined) {
      const { name, node } = unbounded
      return { ok: false, message: `"${name}" cannot be bounded${placeIn(source, node.start)}` }
    }
    const known = type?.includes('dyn') !== true || knowsClaims(about)
    if (types !== undefined && !(types.has(type ?? '') && known)) {
      return { ok: false, message: `yields ${type}, where ${wanted} belongs` }
    }
    const evaluate = (variables: Variables): T | undefined => {
      try {
        return read(withinBudget(() => program(variables)))
      } catch {
        return undefined
      }
    }
    const explain = (variables: Variables): string => {
      try {
        const value = withinBudget(() => program(variables))
        return `yields ${typeOf(value)}, where ${wanted} belongs`
      } catch (cause) {
        return `${codeOf(cause)}${placeIn(source, startOf(cause))}`
      }
    }
    return { ok: true, expression: { source, evaluate, explain } }
  } catch (cause) {
    return { ok: false, message: describe(cause, source) }
  }
}

/** Only the type of claims is unknown before the evaluation. */
const knowsClaims = (about: Subject | RuleTopics | Environment): boolean =>
  typeof about !== 'string' || about === 'claims' || about === 'caller'

interface Fault {
  readonly message: string
  readonly at: number
}

/** Redirects calls of the library's functions that `functions.ts` replaces, and checks fixed patterns. */
const prepare = (node: ASTNode): Fault | undefined => {
  if (node.op === 'rcall') {
    const [name, , parameters] = node.args
    const fault = patternFault(name, parameters)
    if (fault !== undefined) return fault
    node.args[0] = REPLACED.get(name) ?? name
  }
  for (const child of childrenOf(node.args)) {
    const fault = prepare(child)
    if (fault !== undefined) return fault
  }
  return undefined
}

const patternFault = (name: string, parameters: readonly ASTNode[]): Fault | undefined => {
  const pattern = parameters[PATTERN_ARGUMENTS.get(name) ?? parameters.length]
  if (pattern?.op !== 'value' || typeof pattern.args !== 'string') return undefined
  try {
    compileRegex(pattern.args)
    return undefined
  } catch (cause) {
    if (!(cause instanceof RegexError)) throw cause
    return { message: `the regular expression cannot be used: ${cause.message}`, at: pattern.start }
  }
}

/** The library's message without its drawing of the source, which editors show anyway. */
const describe = (cause: unknown, source: string): string => {
  const [what = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n', 1)
  const said = [...REPLACED].reduce((text, [name, ours]) => text.replaceAll(ours, name), what)
  return `${said}${placeIn(source, startOf(cause))}`
}

const startOf = (cause: unknown): number | undefined => {
  const range = cause instanceof Error && 'range' in cause ? cause.range : undefined
  return typeof range === 'object' && range !== null && 'start' in range
    ? Number(range.start)
    : undefined
}

const placeIn = (source: string, at: number | undefined): string => {
  if (at === undefined) return ''
  const lines = source.slice(0, at).split('\n')
  const character = (lines.at(-1)?.length ?? 0) + 1
  return source.trimEnd().includes('\n')
    ? ` (at line ${lines.length}, character ${character})`
    : ` (at character ${character})`
}

/** The code alone: messages of the library repeat values. */
const codeOf = (cause: unknown): string =>
  cause instanceof Error && 'code' in cause && typeof cause.code === 'string'
    ? cause.code
    : 'cannot be evaluated'

const typeOf = (value: unknown): string => {
  if (Array.isArray(value)) {
    const members: readonly unknown[] = value
    const odd = members.find((one) => typeof one !== 'string')
    return odd === undefined ? 'a list of text' : `a list with ${typeOf(odd)} in it`
  }
  if (value === null) return 'null'
  if (typeof value === 'object') return value.constructor === Object ? 'an object' : 'no text'
  return TYPE_NAMES.get(typeof value) ?? 'no text'
}

const TYPE_NAMES: ReadonlyMap<string, string> = new Map([
  ['string', 'text'],
  ['number', 'a number'],
  ['bigint', 'a number'],
  ['boolean', 'true or false'],
])
