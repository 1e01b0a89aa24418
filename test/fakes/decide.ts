// What rules come to, in a word that a table can hold.

import { evaluate, type Verdict } from '../../src/authorize/evaluate.ts'
import type { PolicyContext } from '../../src/authorize/policy.ts'
import { questionOf, type QuestionParts } from './question.ts'
import { policyOf, type RuleParts } from './rules.ts'

/** `allow:NAME`, `deny:NAME`, `failed:NAME`, or the outcome. */
export const wordOf = (verdict: Verdict): string => {
  switch (verdict.outcome) {
    case 'permit':
      return `allow:${verdict.permit.rule}`
    case 'denied':
      return `deny:${verdict.rule.name}`
    case 'failed':
      return `failed:${verdict.rule.name}`
    case 'no-rule':
    case 'operation-undefined':
    case 'scope-missing':
    case 'review-needed':
      return verdict.outcome
  }
}

/** Compiles the rules and asks them. */
export const decide = (
  rules: readonly RuleParts[],
  question: QuestionParts = {},
  context: Partial<PolicyContext> = {},
): string =>
  wordOf(
    evaluate(
      policyOf(rules, context),
      questionOf({ published: { kind: context.kind ?? 'http' }, ...question }),
    ),
  )
