// Reserved names in values that a configuration makes from an identity: `system:masters` must not be the result
// of an expression by accident.

import type { JsonValue } from '../expression/json-value.ts'
import type { Identity } from '../identity/identity.ts'
import { findReserved } from '../identity/reserved.ts'

/** Looks for them. */
export class ReservedValues {
  readonly #named: readonly string[]

  /** @param named those that the configuration writes out */
  constructor(named: readonly string[]) {
    this.#named = named
  }

  /** Whether a text in there is reserved, and neither the identity's own nor written out. */
  isIn(value: JsonValue, { user, groups }: Identity): boolean {
    const [first = '', ...others] = textsIn(value)
    const allowed = new Set([user, ...groups, ...this.#named])
    return findReserved({ user: first, groups: others }, allowed) !== undefined
  }
}

/** Every text of a value, at any depth; names of members too, which a reader may take for roles. */
const textsIn = (value: JsonValue): readonly string[] => {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Array.isArray(value)
    ? value.flatMap(textsIn)
    : Object.entries(value).flatMap(([name, member]) => [name, ...textsIn(member)])
}
