// `$ref`: within the document, or refused. Nothing is ever fetched.

import { isJsonObject, type JsonObject } from '../../runtime/json-object.ts'
import { elementsOf, faultAt, member, pointerOf, type Place } from './value.ts'

/** The target of a reference, and its position. */
export interface Resolved {
  readonly value: unknown
  readonly place: Place
}

// Values of an API's data rather than of its description; a `$ref` in there is not a reference.
const DATA: ReadonlySet<string> = new Set([
  'example',
  'examples',
  'default',
  'enum',
  'const',
  'value',
  'dataValue',
])

/** The place of the first reference to another file or URL, wherever it occurs, and what to do about it. */
export const remoteReference = (document: JsonObject): string | undefined => {
  const open: { readonly value: unknown; readonly place: Step | undefined }[] = [
    { value: document, place: undefined },
  ]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, place } = next
    if (isJsonObject(value)) {
      const reference = member(value, '$ref')
      if (typeof reference === 'string' && !reference.startsWith('#')) {
        return `${pointerOf(placeOf(place))}: ${remote(reference)}`
      }
    }
    for (const [key, inner] of childrenOf(value)) {
      open.push({ value: inner, place: { key, parent: place } })
    }
  }
  return undefined
}

interface Step {
  readonly key: string | number
  readonly parent: Step | undefined
}

const childrenOf = (value: unknown): readonly (readonly [string | number, unknown])[] =>
  isJsonObject(value)
    ? Object.entries(value).filter(([key]) => !DATA.has(key) && !key.startsWith('x-'))
    : [...elementsOf(value).entries()]

const placeOf = (step: Step | undefined): Place => {
  const place: (string | number)[] = []
  for (let at = step; at !== undefined; at = at.parent) place.unshift(at.key)
  return place
}

const remote = (reference: string): string =>
  `$ref ${JSON.stringify(reference)} points out of the document, and nothing is fetched; bundle the description into one file`

// Each use of a chain follows all of its links again. Real descriptions have one or two.
const MOST_LINKS = 20

/**
 * The value at a position, after `$ref`s that replace the whole of it.
 *
 * @throws CountersignError `malformed-openapi`: it leads out of the document, nowhere, in a circle,
 *   or through more than 20 `$ref`s
 */
export const resolve = (document: JsonObject, value: unknown, place: Place): Resolved => {
  let found: Resolved = { value, place }
  const seen = new Set<string>()
  for (;;) {
    const reference = member(found.value, '$ref')
    if (reference === undefined) return found
    if (typeof reference !== 'string') throw faultAt(found.place, '$ref must be a text')
    if (!reference.startsWith('#')) throw faultAt(found.place, remote(reference))
    if (seen.has(reference)) throw faultAt(found.place, `$ref ${reference} leads in a circle`)
    if (seen.size === MOST_LINKS) throw faultAt(found.place, tooManyLinks)
    seen.add(reference)
    found = follow(document, reference, found.place)
  }
}

const tooManyLinks = `a chain of more than ${MOST_LINKS} $refs; let the first one name the last place`

/** RFC 6901 §6: a pointer in a URI fragment, percent-encoded. */
const follow = (document: JsonObject, reference: string, from: Place): Resolved => {
  const nowhere = (): Error => faultAt(from, `$ref ${JSON.stringify(reference)} leads nowhere`)
  let pointer: string
  try {
    pointer = decodeURIComponent(reference.slice(1))
  } catch {
    throw nowhere()
  }
  if (pointer !== '' && !pointer.startsWith('/')) throw nowhere()
  const place = pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
  let value: unknown = document
  for (const step of place) {
    value = Array.isArray(value) ? elementsOf(value)[Number(step)] : member(value, step)
    if (value === undefined) throw nowhere()
  }
  return { value, place }
}
