// Which operations of a document a rule means.

import { nameMatcher, type Predicate } from '../names.ts'
import type { Operation } from './operation.ts'

/** The keys of a rule that name operations. */
export const OPERATION_KEYS = ['operations', 'tags', 'templates'] as const

/** One of {@link OPERATION_KEYS}. */
export type OperationKey = (typeof OPERATION_KEYS)[number]

/** The operations that are meant: those that every list has, where there is one. */
export interface OperationSelector {
  /** By id; `*` is any run of characters. */
  readonly operations?: readonly string[] | undefined
  readonly tags?: readonly string[] | undefined
  readonly templates?: readonly string[] | undefined
  readonly methods?: readonly string[] | undefined
}

/** The operations that a selector takes, in the order of the document. */
export const selectOperations = (
  { operations, tags, templates, methods }: OperationSelector,
  all: readonly Operation[],
): readonly Operation[] => {
  const isOperation = matcherOf(operations)
  const isTag = matcherOf(tags)
  const isTemplate = matcherOf(templates)
  return all.filter(
    (operation) =>
      isOperation(operation.id) &&
      (tags === undefined || operation.tags.some(isTag)) &&
      isTemplate(operation.template) &&
      (methods === undefined || methods.includes(operation.method)),
  )
}

const matcherOf = (patterns: readonly string[] | undefined): Predicate =>
  patterns === undefined ? () => true : nameMatcher(patterns)
