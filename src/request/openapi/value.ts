// Parsed JSON and YAML, read without trust: own members only, and places named as JSON pointers.

import { CountersignError } from '../../runtime/errors.ts'
import { isJsonObject, type JsonObject } from '../../runtime/json-object.ts'

/** Keys and indices from the root of a document. */
export type Place = readonly (string | number)[]

const NONE: JsonObject = Object.freeze({})

/** The members of an object; none of anything else. */
export const membersOf = (value: unknown): JsonObject => (isJsonObject(value) ? value : NONE)

/** The elements of an array; none of anything else. */
export const elementsOf = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : []

/** An object's own member, so never an inherited one such as `constructor`. */
export const member = (value: unknown, key: string): unknown =>
  isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined

/** A member that is a text. */
export const textOf = (value: unknown, key: string): string | undefined => {
  const found = member(value, key)
  return typeof found === 'string' ? found : undefined
}

/** A place as a JSON pointer in a URI fragment: `#/paths/~1users/get` (RFC 6901 §6). */
export const pointerOf = (place: Place): string =>
  `#${place.map((step) => `/${escaped(String(step))}`).join('')}`

const escaped = (step: string): string => step.replaceAll('~', '~0').replaceAll('/', '~1')

/** The error about one place of a document: `#/paths/~1users: …`. */
export const faultAt = (place: Place | string, message: string, cause?: unknown): Error => {
  const pointer = typeof place === 'string' ? place : pointerOf(place)
  const options = cause === undefined ? {} : { cause }
  return new CountersignError('malformed-openapi', `${pointer}: ${message}`, options)
}
