// Rules as tests write them: what is left out has its default.

import { compilePolicy, type Policy, type PolicyContext } from '../../src/authorize/policy.ts'
import type { AuthorizeEntry, RuleConfig } from '../../src/authorize/schema.ts'

/** A rule, or a list of them. */
export type RuleParts =
  | Partial<RuleConfig>
  | { readonly list: string; readonly shadow?: boolean; readonly rules: Partial<RuleConfig>[] }

/** The entry of `authorize` that the schema would yield. */
const entryOf = (parts: RuleParts): AuthorizeEntry =>
  'rules' in parts
    ? {
        shadow: false,
        ...parts,
        rules: parts.rules.map((rule) => ({ shadow: false, ...rule })),
      }
    : { shadow: false, ...parts }

/** The policy that they compile to; a fault throws unless the context takes it. */
export const policyOf = (
  rules: readonly RuleParts[],
  context: Partial<PolicyContext> = {},
): Policy =>
  compilePolicy(rules.map(entryOf), {
    kind: 'http',
    report(path, message) {
      throw new TypeError(`${path.join('.')}: ${message}`)
    },
    ...context,
  })
