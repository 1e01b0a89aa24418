// The rules of a route one by one, those in lists too, and the path of each.

import type { AuthorizeEntry, RuleConfig } from './schema.ts'

/** A rule, and its path in the configuration. */
export interface PlacedRule {
  readonly rule: RuleConfig
  readonly name: string
  readonly effect: 'allow' | 'deny'
  /** Whether it is in shadow, by itself or with its list. */
  readonly shadow: boolean
  /** The list that it is in. */
  readonly list: string | undefined
  /** Below `authorize`. */
  readonly place: readonly PropertyKey[]
}

/** The rules in the order of the file. */
export const placedRules = (entries: readonly AuthorizeEntry[]): readonly PlacedRule[] =>
  entries.flatMap((entry, index) => {
    if (!('rules' in entry)) return [placed(entry, [index])]
    const { list, shadow } = entry
    return entry.rules.map((rule, position) => ({
      ...placed(rule, [index, 'rules', position]),
      list,
      shadow: shadow || rule.shadow,
    }))
  })

const placed = (rule: RuleConfig, place: readonly PropertyKey[]): PlacedRule => ({
  rule,
  name: rule.allow ?? rule.deny ?? '', // the schema sees to it that there is exactly one
  effect: rule.allow === undefined ? 'deny' : 'allow',
  shadow: rule.shadow,
  list: undefined,
  place,
})
