// What changed between two versions of an API description, as far as rules can tell.

import type { Operation } from './operation.ts'

/** What of an operation can change while its id stays. */
type ChangedField = 'method' | 'template' | 'tags' | 'scopes'

/** An operation that is in both versions, by its id, and differs. */
export interface ChangedOperation {
  readonly id: string
  readonly old: Operation
  readonly new: Operation
  readonly fields: readonly ChangedField[]
}

/** The same method and template under another id. */
interface RenamedOperation {
  readonly method: string
  readonly template: string
  readonly old: Operation
  readonly new: Operation
}

/** What changed. */
export interface OperationsDiff {
  readonly added: readonly Operation[]
  readonly removed: readonly Operation[]
  readonly changed: readonly ChangedOperation[]
  readonly renamed: readonly RenamedOperation[]
}

/** Compares two versions. What was renamed is neither added nor removed. */
export const diffOperations = (
  old: readonly Operation[],
  now: readonly Operation[],
): OperationsDiff => {
  const oldById = new Map(old.map((operation) => [operation.id, operation]))
  const newById = new Map(now.map((operation) => [operation.id, operation]))
  const gone = old.filter(({ id }) => !newById.has(id))
  const come = now.filter(({ id }) => !oldById.has(id))
  const comeByPlace = new Map(come.map((operation) => [placeOf(operation), operation]))
  const renamed = gone.flatMap((operation) => {
    const other = comeByPlace.get(placeOf(operation))
    const { method, template } = operation
    return other === undefined ? [] : [{ method, template, old: operation, new: other }]
  })
  const away = new Set(renamed.flatMap((pair) => [pair.old, pair.new]))
  return {
    added: come.filter((operation) => !away.has(operation)),
    removed: gone.filter((operation) => !away.has(operation)),
    changed: old.flatMap((operation) => {
      const other = newById.get(operation.id)
      if (other === undefined) return []
      const fields = changedFields(operation, other)
      return fields.length === 0 ? [] : [{ id: operation.id, old: operation, new: other, fields }]
    }),
    renamed,
  }
}

const placeOf = ({ method, template }: Operation): string => `${method} ${template}`

const FIELDS = ['method', 'template', 'tags', 'scopes'] as const

const changedFields = (one: Operation, other: Operation): readonly ChangedField[] =>
  FIELDS.filter((field) => inOrder(one, field) !== inOrder(other, field))

/** As text; the order of tags, alternatives and scopes says nothing. */
const inOrder = (operation: Operation, field: ChangedField): string => {
  if (field === 'method' || field === 'template') return operation[field]
  const parts =
    field === 'tags'
      ? operation.tags
      : operation.scopes.map((scopes) => JSON.stringify(scopes.toSorted()))
  return JSON.stringify(parts.toSorted())
}
