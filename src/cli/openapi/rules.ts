// What a new version of an API description means for the rules that name its operations.

import { placedRules, type PlacedRule } from '../../authorize/placed-rules.ts'
import type { Problem } from '../../config/problem.ts'
import type { AuthorizeEntry } from '../../authorize/schema.ts'
import type { Operation } from '../../request/openapi/operation.ts'
import {
  OPERATION_KEYS,
  selectOperations,
  type OperationKey,
} from '../../request/openapi/select.ts'

/** A rule that names operations, under both versions. */
export interface RuleDrift {
  /** Its name; `list/name` in a list. */
  readonly rule: string
  readonly effect: 'allow' | 'deny'
  readonly place: Problem
  /** Whether it, or a pattern of it, takes no operation any more: the configuration is refused. */
  readonly broken: boolean
  /** The patterns that take no operation of the new version. */
  readonly unmatched: readonly { readonly key: OperationKey; readonly pattern: string }[]
  /** How many operations it takes of the new version. */
  readonly taken: number
  /** Ids of what it takes of the new version alone; operations are compared by method and template. */
  readonly gained: readonly string[]
  /** Ids of what it takes of the old version alone. */
  readonly lost: readonly string[]
}

/** The rules that name operations. */
const namingRules = (entries: readonly AuthorizeEntry[]): readonly PlacedRule[] =>
  placedRules(entries).filter(({ rule }) => OPERATION_KEYS.some((key) => rule[key] !== undefined))

/**
 * The effect of the change on each rule that names operations.
 *
 * @param locate the position of a path below `authorize` in the configuration
 */
export const ruleDrift = (
  entries: readonly AuthorizeEntry[],
  old: readonly Operation[],
  now: readonly Operation[],
  locate: (path: readonly PropertyKey[]) => Problem,
): readonly RuleDrift[] =>
  namingRules(entries).map(({ rule, name, effect, list, place }) => {
    const before = selectOperations(rule, old)
    const after = selectOperations(rule, now)
    const unmatched = OPERATION_KEYS.flatMap((key) =>
      (rule[key] ?? [])
        .filter((pattern) => selectOperations({ [key]: [pattern] }, now).length === 0)
        .map((pattern) => ({ key, pattern })),
    )
    return {
      rule: list === undefined ? name : `${list}/${name}`,
      effect,
      place: locate(place),
      broken: after.length === 0 || unmatched.length > 0,
      unmatched,
      taken: after.length,
      gained: without(after, before),
      lost: without(before, after),
    }
  })

// By method and path, so that a renamed operation is neither gained nor lost.
const without = (some: readonly Operation[], others: readonly Operation[]): readonly string[] => {
  const places = new Set(others.map(({ method, template }) => `${method} ${template}`))
  return some
    .filter(({ method, template }) => !places.has(`${method} ${template}`))
    .map(({ id }) => id)
}

/** The operations that no rule names; rules that name none, and take any, do not count. */
export const unnamedOperations = (
  entries: readonly AuthorizeEntry[],
  operations: readonly Operation[],
): readonly Operation[] => {
  const named = new Set(
    namingRules(entries).flatMap(({ rule }) => selectOperations(rule, operations)),
  )
  return operations.filter((operation) => !named.has(operation))
}
