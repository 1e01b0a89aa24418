// Matchers of the operation, on routes with an OpenAPI document. Which operations are meant is known
// at load, so that a name that is no longer in the document is found there and not by a request.

import type { RuleConfig } from '../schema.ts'
import type { Operation } from '../../request/openapi/operation.ts'
import {
  OPERATION_KEYS,
  selectOperations,
  type OperationKey,
} from '../../request/openapi/select.ts'
import type { Matcher } from '../matcher.ts'

/**
 * The matchers `operations`, `tags`, `templates`.
 *
 * @param report called with each pattern that matches no operation of the document
 */
export const operationMatchers = (
  rule: RuleConfig,
  operations: readonly Operation[],
  report: (key: OperationKey, message: string) => void,
): readonly Matcher[] =>
  OPERATION_KEYS.flatMap((key) => {
    const wanted = rule[key]
    if (wanted === undefined) return []
    const taken = new Set<string>()
    for (const pattern of wanted) {
      const ids = idsOf(key, pattern, operations)
      for (const id of ids) taken.add(id)
      if (ids.length > 0) continue
      report(key, `"${pattern}" is not an operation of the document: the rule would never match it`)
    }
    return [
      {
        key,
        wanted,
        test: ({ operation }) => operation !== undefined && taken.has(operation.operation.id),
        got: ({ operation }) => operation && VALUES[key](operation.operation),
        indexed: { dimension: 'operation', values: [...taken] },
      } satisfies Matcher,
    ]
  })

/** What of an operation a matcher looks at. */
const VALUES: Readonly<Record<OperationKey, (operation: Operation) => string | readonly string[]>> =
  {
    operations: ({ id }) => id,
    tags: ({ tags }) => tags,
    templates: ({ template }) => template,
  }

/** The ids of the operations that a pattern takes. */
const idsOf = (
  key: OperationKey,
  pattern: string,
  operations: readonly Operation[],
): readonly string[] => {
  if (!pattern.includes('*')) return namesOf(key, operations).get(pattern) ?? []
  return selectOperations({ [key]: [pattern] }, operations).map(({ id }) => id)
}

// A thousand rules that name one operation of a thousand would look at a million.
const idsByName = new WeakMap<
  readonly Operation[],
  Map<OperationKey, ReadonlyMap<string, readonly string[]>>
>()

/** The ids of a document's operations by what they have under a key. */
const namesOf = (
  key: OperationKey,
  operations: readonly Operation[],
): ReadonlyMap<string, readonly string[]> => {
  const byKey = idsByName.get(operations) ?? new Map()
  idsByName.set(operations, byKey)
  const before = byKey.get(key)
  if (before !== undefined) return before
  const names = new Map<string, string[]>()
  for (const operation of operations) {
    for (const name of [VALUES[key](operation)].flat()) {
      const ids = names.get(name) ?? []
      ids.push(operation.id)
      names.set(name, ids)
    }
  }
  byKey.set(key, names)
  return names
}
