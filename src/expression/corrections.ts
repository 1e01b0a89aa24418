// Where the CEL library (cel-js 8.0.0) deviates from the specification of CEL and has no setting for it: an
// expression that was checked for types is corrected here, before it is metered. scripts/cel-conformance.ts
// compares the result with the conformance tests.

import type { ASTNode } from '@marcbachmann/cel-js'
import { convert } from './conversions.ts'
import { compareNumbers, equal, includes } from './equality.ts'
import { childrenOf } from './metering.ts'
import { fail, inRange } from './ranges.ts'
import { addTimes, compareTimes, subtractTimes } from './times.ts'

/** A part of an expression that would have another meaning than in CEL, so that it cannot be used. */
export interface Misread {
  readonly message: string
  readonly node: ASTNode
}

type Handle = (first: unknown, second: unknown, third: unknown, fourth: unknown) => unknown

interface Handled {
  handle: Handle
}

const isHandled = (node: object): node is Handled =>
  'handle' in node && typeof node.handle === 'function'

/**
 * Has an expression follow the specification.
 *
 * @param source the text of the expression
 * @returns what cannot be corrected, if anything
 */
export const correct = (node: ASTNode, source: string): Misread | undefined => {
  const message = misreading(node, source)
  if (message !== undefined) return { message, node }
  const corrected = CORRECTIONS.get(nameOf(node))
  if (corrected !== undefined && isHandled(node)) node.handle = corrected(node.handle)
  for (const child of childrenOf(node.args)) {
    const inner = correct(child, source)
    if (inner !== undefined) return inner
  }
  return undefined
}

/** `bytes(…).string()` is the conversion, too. */
const nameOf = (node: ASTNode): string => {
  if (node.op === 'call') return node.args[0]
  return node.op === 'rcall' && node.args[0] === 'string' ? 'string' : node.op
}

const misreading = (node: ASTNode, source: string): string | undefined => {
  // The library takes the units of the text for bytes, where CEL encodes it as UTF-8.
  if (node.op === 'value' && node.args instanceof Uint8Array) {
    const text = source.slice(node.start, node.end)
    return /[^\0-\x7f]/.test(text) ? 'bytes must be written in ASCII, with escapes' : undefined
  }
  if (node.op !== 'map') return undefined
  const seen = new Set<string>()
  for (const [key] of node.args) {
    if (key.op !== 'value') continue
    const { args } = key
    if (args === null || typeof args === 'number')
      return 'a key of a map is a text, an integer or a bool'
    const name = `${typeof args} ${String(args)}`
    if (seen.has(name)) return `the key ${String(args)} occurs twice in one map`
    seen.add(name)
  }
  return undefined
}

type Correction = (library: Handle) => Handle

/** By another function for the values that it knows; `undefined` leaves them to the library. */
const binary =
  (own: (left: unknown, right: unknown) => unknown): Correction =>
  (library) =>
  (left, right, node, evaluator) => {
    const result = own(left, right)
    return inRange(result === undefined ? library(left, right, node, evaluator) : result)
  }

const ordered = (holds: (order: number) => boolean): Correction =>
  binary((left, right) => {
    const order = compareNumbers(left, right) ?? compareTimes(left, right)
    return order === undefined ? undefined : holds(order)
  })

const not = (value: boolean | undefined): boolean | undefined =>
  value === undefined ? undefined : !value

const converted =
  (name: string): Correction =>
  (library) =>
  (values, second, third, fourth) => {
    const own = Array.isArray(values) && values.length === 1 ? convert(name, values[0]) : undefined
    return inRange(own ?? library(values, second, third, fourth))
  }

/** A field of an optional value that has no fields: an error, and not an absent value. */
const accessed: Correction = (library) => (left, right, node, evaluator) => {
  if (isOptional(left) && left.hasValue()) {
    const inner = left.value()
    if (typeof inner !== 'object' || inner === null) throw fail('no_such_key')
  }
  return library(left, right, node, evaluator)
}

const isOptional = (
  value: unknown,
): value is { readonly hasValue: () => boolean; readonly value: () => unknown } =>
  typeof value === 'object' && value !== null && 'hasValue' in value && 'orValue' in value

const CORRECTIONS: ReadonlyMap<string, Correction> = new Map([
  ['==', binary(equal)],
  ['!=', binary((left, right) => not(equal(left, right)))],
  ['in', binary(includes)],
  ['<', ordered((order) => order < 0)],
  ['<=', ordered((order) => order <= 0)],
  ['>', ordered((order) => order > 0)],
  ['>=', ordered((order) => order >= 0)],
  ['+', binary(addTimes)],
  ['-', binary(subtractTimes)],
  ['/', binary(() => undefined)],
  ['-_', binary(() => undefined)],
  ['.', accessed],
  ['[]', accessed],
  ...['int', 'uint', 'double', 'string', 'duration', 'timestamp'].map(
    (name) => [name, converted(name)] as const,
  ),
])
