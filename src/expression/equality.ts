// Equality, order and membership of CEL (cel-spec, "Equality" and "Numeric values"): numbers of different
// types are compared by value, in lists and maps too. As in cel-go, an integer is compared with a double
// as a double.

import { Optional } from '@marcbachmann/cel-js'
import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator'
import { nanosecondsOf } from './ranges.ts'

type Numeric = bigint | number

const numericOf = (value: unknown): Numeric | undefined => {
  if (typeof value === 'bigint' || typeof value === 'number') return value
  return value instanceof UnsignedInt ? value.valueOf() : undefined
}

/** The order of two numbers as for sorting, NaN where there is none; `undefined` of other values. */
export const compareNumbers = (left: unknown, right: unknown): number | undefined => {
  const one = numericOf(left)
  const other = numericOf(right)
  if (one === undefined || other === undefined) return undefined
  if (typeof one === typeof other) return orderOf(one, other)
  return orderOf(Number(one), Number(other))
}

const orderOf = (one: Numeric, other: Numeric): number => {
  if (one === other) return 0
  if (one < other) return -1
  return one > other ? 1 : Number.NaN
}

/** Whether two values are equal; `undefined` where the library knows better: values of one simple type. */
export const equal = (left: unknown, right: unknown): boolean | undefined => {
  if (typeof left === 'string' || typeof left === 'boolean') return undefined
  const order = compareNumbers(left, right)
  if (order !== undefined) return order === 0
  const isComposite = typeof left === 'object' && left !== null
  return isComposite && typeof right === 'object' && right !== null
    ? equalObjects(left, right)
    : undefined
}

const equalWithin = (left: unknown, right: unknown): boolean => equal(left, right) ?? left === right

const equalObjects = (left: object, right: object): boolean | undefined => {
  if (Array.isArray(left) && Array.isArray(right)) {
    const others: readonly unknown[] = right
    return (
      left.length === right.length && left.every((one, index) => equalWithin(one, others[index]))
    )
  }
  if (isPlain(left) && isPlain(right)) return equalPlain(left, right)
  if (left instanceof Date && right instanceof Date) return left.getTime() === right.getTime()
  if (left instanceof Duration && right instanceof Duration) {
    return nanosecondsOf(left) === nanosecondsOf(right)
  }
  if (left instanceof Uint8Array && right instanceof Uint8Array) {
    return Buffer.compare(left, right) === 0
  }
  if (left instanceof Optional && right instanceof Optional) {
    if (!left.hasValue() || !right.hasValue()) return left.hasValue() === right.hasValue()
    return equalWithin(left.value(), right.value())
  }
  const [one, other] = [entriesOf(left), entriesOf(right)]
  return one === undefined || other === undefined ? undefined : equalMaps(one, other)
}

const isPlain = (value: object): value is Readonly<Record<string, unknown>> => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Without a `Map` of each: callers choose how many objects of a token's claims are compared. */
const equalPlain = (
  left: Readonly<Record<string, unknown>>,
  right: Readonly<Record<string, unknown>>,
): boolean => {
  const keys = Object.keys(left)
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && equalWithin(left[key], right[key]))
  )
}

const entriesOf = (value: object): ReadonlyMap<unknown, unknown> | undefined => {
  if (value instanceof Map) return value
  return isPlain(value) ? new Map(Object.entries(value)) : undefined
}

const equalMaps = (
  left: ReadonlyMap<unknown, unknown>,
  right: ReadonlyMap<unknown, unknown>,
): boolean =>
  left.size === right.size &&
  [...left].every(([key, value]) => right.has(key) && equalWithin(value, right.get(key)))

/** Whether a list has a value; `undefined` for maps, which the library looks up. */
export const includes = (value: unknown, list: unknown): boolean | undefined => {
  if (!Array.isArray(list)) return undefined
  const members: readonly unknown[] = list
  if (typeof value === 'string') return members.includes(value)
  return members.some((member) => equalWithin(value, member))
}
