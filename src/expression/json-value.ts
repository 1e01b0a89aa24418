// What an expression yields → JSON, as protobuf's mapping has it (protobuf.dev, "JSON Format"): for
// claims of a token, which can hold anything.

import { Optional } from '@marcbachmann/cel-js'

/** A value of JSON (RFC 8259). */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue }

/** What an expression that may yield anything yielded; without a `value`: nothing (`claims.?x`). */
export interface JsonResult {
  readonly value?: JsonValue
}

// As deep as the claims of a token that we read may go (authenticate/token/strict-json.ts).
const MAX_DEPTH = 16

/** The value as JSON; `undefined` where JSON has no form for it, or not the same one. */
export const toJsonResult = (value: unknown): JsonResult | undefined => {
  const inner = value instanceof Optional ? presentIn(value) : value
  if (inner === undefined || inner === null) return {}
  const converted = toJson(inner, MAX_DEPTH)
  return converted === undefined ? undefined : { value: converted }
}

const presentIn = (optional: Optional): unknown =>
  optional.hasValue() ? optional.value() : undefined

const toJson = (value: unknown, depth: number): JsonValue | undefined => {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? value : undefined
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) ? value : undefined
    case 'bigint': {
      // A claim that readers would round is another claim.
      const number = Number(value)
      return Number.isSafeInteger(number) ? number : undefined
    }
    case 'object':
      return depth > 0 ? fromObject(value, depth - 1) : undefined
    case 'undefined':
    case 'symbol':
    case 'function':
      return undefined
  }
}

const fromObject = (value: object | null, depth: number): JsonValue | undefined => {
  if (value === null) return null
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.toISOString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (Array.isArray(value)) return fromList(value, depth)
  if (value instanceof Map) return fromEntries([...value], depth)
  if (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null) {
    return fromEntries(Object.entries(value), depth)
  }
  // Unsigned integers are a class of the library's own; so are durations, which are not numbers.
  const primitive: unknown = value.valueOf()
  return typeof primitive === 'bigint' ? toJson(primitive, depth) : undefined
}

const fromList = (list: readonly unknown[], depth: number): JsonValue | undefined => {
  const values = list.map((member) => toJson(member, depth))
  return values.every((member) => member !== undefined) ? values : undefined
}

const fromEntries = (
  entries: readonly (readonly [unknown, unknown])[],
  depth: number,
): JsonValue | undefined => {
  const members: [string, JsonValue][] = []
  for (const [name, member] of entries) {
    const converted = toJson(member, depth)
    // Assigning to that name would change the object rather than fill it.
    if (typeof name !== 'string' || !name.isWellFormed() || name === '__proto__') return undefined
    if (converted === undefined) return undefined
    members.push([name, converted])
  }
  return Object.fromEntries(members)
}
