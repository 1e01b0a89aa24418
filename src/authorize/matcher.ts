// The seam of rules: one thing that a rule looks at. Each kind of matcher has a file in `matchers/`.

import type { RuleConfig } from './schema.ts'
import type { Question } from './question.ts'

/** The keys of a rule that are matchers. */
export type MatcherKey = Exclude<
  keyof RuleConfig,
  'allow' | 'deny' | 'shadow' | 'response' | 'redirect' | 'subjectAccessReview'
>

/** It is undetermined whether a matcher matches: never to be taken for a yes or a no. */
export interface Unknown {
  /** Why, for operators; holds no value of the request. */
  readonly unknown: string
}

/**
 * One matcher of one rule, compiled.
 *
 * Legal answers, and no other: `true`, `false`, and {@link Unknown}, upon which the request is
 * refused. It must not throw; a throw is a bug and refuses the request too.
 */
export interface Matcher {
  readonly key: MatcherKey
  test(question: Question): boolean | Unknown
  /** The condition as configured, for messages. */
  readonly wanted: unknown
  /** What of the question it looks at, to be reported. */
  got(question: Question): unknown
  /** The properties for the rule index; absent where none are known before a request. */
  readonly indexed?: Indexed | undefined
}

/**
 * What a rule can be found by: it matches no question that has none of the values. A value with a `*` at its end is
 * all texts that begin with what is before it; of `path`, it is a glob.
 */
export interface Indexed {
  readonly dimension: Dimension
  readonly values: readonly string[]
}

/** The keys of a question by which rules are found. `path` is by glob; all other keys are texts, or their beginnings. */
export const DIMENSIONS = [
  'operation',
  'path',
  'resource',
  'verb',
  'method',
  'host',
  'namespace',
  'apiGroup',
  'user',
  'group',
  'authenticator',
] as const

/** One of {@link DIMENSIONS}. */
export type Dimension = (typeof DIMENSIONS)[number]
