// Checks a document against its schema in slices: long lists and mappings in it are cut, and their members checked some
// at a time. A schema checks a value at once, and 10,000 rules would keep the event loop for 100 ms.

import type * as z from 'zod'
import type { Slices } from '../runtime/slices.ts'
import { deepFreeze } from './deep-freeze.ts'
import { issueText } from './issue-text.ts'
import { resolvingFrom } from './values.ts'

/** A list or mapping of a document that may be long. The schema leaves it where it is, and checks each member alone. */
export interface LongPart {
  readonly path: readonly (string | number)[]
  /** Of a part of the list or mapping. */
  readonly schema: z.ZodType
}

/** How a document is checked. */
interface Check<Schema extends z.ZodType> {
  readonly schema: Schema
  /** An outer part before an inner one. */
  readonly parts: Iterable<LongPart>
  /** Where relative paths start. */
  readonly folder: string
}

type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly issues: readonly z.core.$ZodIssue[] }

// Checked at once: with parts in parts, the square of it, which takes some milliseconds.
const MEMBERS = 16

/**
 * Checks a document.
 *
 * @returns the value, of which the members of long parts are frozen, or all issues
 */
export const checkedInSlices = async <Schema extends z.ZodType>(
  raw: unknown,
  { schema, parts, folder }: Check<Schema>,
  slices: Slices,
): Promise<Checked<z.output<Schema>>> => {
  const check = <S extends z.ZodType>(by: S, value: unknown): z.ZodSafeParseResult<z.output<S>> =>
    resolvingFrom(folder, () => by.safeParse(value, { reportInput: true, error: issueText }))
  const cutter = new Cutter(raw)
  // What is cut from an outer part is without what was cut from its inner parts.
  const cuts = [...parts].toReversed().flatMap((part) => cutter.cut(part) ?? [])
  const rest = check(schema, cutter.rest)
  const issues = rest.success ? [] : [...rest.error.issues]
  const results: { readonly path: LongPart['path']; readonly value: unknown }[] = []
  for (const { path, schema: by, members } of cuts.toReversed()) {
    for (const { start, value } of members) {
      await slices.pause()
      const result = check(by, value)
      if (result.success) results.push({ path, value: result.data })
      else issues.push(...result.error.issues.flatMap((issue) => placed(issue, path, start)))
    }
  }
  if (!rest.success || issues.length > 0) return { ok: false, issues }
  for (const { path, value } of results) addMembers(valueAt(rest.data, path), value)
  for (const { value } of results) {
    for (const member of Object.values(Object(value))) deepFreeze(member)
    await slices.pause()
  }
  return { ok: true, value: rest.data }
}

/** Members that are checked together. */
interface Cut extends LongPart {
  readonly members: readonly {
    /** The index of the first, in a list; of mappings 0. */
    readonly start: number
    readonly value: object
  }[]
}

/** Takes all but the first members from long parts, in copies of what holds them. */
class Cutter {
  /** The document without what was cut. */
  rest: unknown
  readonly #copies = new Set<unknown>()

  constructor(raw: unknown) {
    this.rest = raw
  }

  /** `undefined` where the part is absent, of another type, or not long. */
  cut({ path, schema }: LongPart): Cut | undefined {
    const container = valueAt(this.rest, path)
    if (typeof container !== 'object' || container === null) return undefined
    const [first, ...members] = Array.isArray(container)
      ? chunksOf(container).map((value, index) => ({ start: index * MEMBERS, value }))
      : chunksOf(Object.entries(container)).map((entries) => ({
          start: 0,
          value: Object.fromEntries(entries),
        }))
    if (first === undefined || members.length === 0) return undefined
    this.rest = this.#with(this.rest, path, first.value)
    return { path, schema, members }
  }

  #with(container: unknown, [key, ...path]: LongPart['path'], value: object): unknown {
    if (key === undefined) return value
    const copy: unknown = this.#copies.has(container) ? container : copyOf(container)
    this.#copies.add(copy)
    const member = this.#with(valueAt(copy, [key]), path, value)
    Object.assign(Object(copy), { [key]: member })
    return copy
  }
}

const copyOf = (container: unknown): unknown =>
  Array.isArray(container) ? [...container] : { ...Object(container) }

const chunksOf = <T>(members: readonly T[]): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(members.length / MEMBERS) }, (_, index) =>
    members.slice(index * MEMBERS, (index + 1) * MEMBERS),
  )

const valueAt = (value: unknown, path: LongPart['path']): unknown =>
  path.reduce<unknown>(
    (container, key) =>
      typeof container === 'object' && container !== null
        ? Object.getOwnPropertyDescriptor(container, key)?.value
        : undefined,
    value,
  )

/** The issue with its path in the document; none about the part as a whole, which the rest has as well. */
const placed = (
  issue: z.core.$ZodIssue,
  path: LongPart['path'],
  start: number,
): readonly z.core.$ZodIssue[] => {
  const [first, ...deeper] = issue.path
  if (first === undefined) return []
  const member = typeof first === 'number' ? first + start : first
  return [{ ...issue, path: [...path, member, ...deeper] }]
}

const addMembers = (container: unknown, members: unknown): void => {
  if (Array.isArray(container) && Array.isArray(members)) container.push(...members)
  else Object.assign(Object(container), members)
}
