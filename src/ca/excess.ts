// What is beyond a limit, and what is beyond any.

import type { CertificateRefusal } from '../audit/event.ts'
import { canBePassedOn } from '../identity/mapping.ts'
import { findReserved } from '../identity/reserved.ts'

/** What is beyond a limit. */
export interface Excess {
  readonly code: CertificateRefusal
  /** What was refused. */
  readonly detail: string
}

/** The first excess that an item of the list has. */
export const firstExcess = <T>(
  items: readonly T[],
  excessOf: (item: T) => Excess | undefined,
): Excess | undefined => {
  for (const item of items) {
    const excess = excessOf(item)
    if (excess !== undefined) return excess
  }
  return undefined
}

const NONE: ReadonlySet<string> = new Set()

/**
 * Why no certificate may contain a value, whatever the patterns allow.
 *
 * @param reserved names under `system:` that may, in this field
 */
export const valueExcess = (
  field: string,
  value: string,
  reserved: ReadonlySet<string> = NONE,
): Excess | undefined => {
  const detail = `${field}: ${value}`
  if (findReserved({ user: value, groups: [] }, reserved) !== undefined) {
    return { code: 'value-reserved', detail }
  }
  return canBePassedOn(value) ? undefined : { code: 'value-unrepresentable', detail }
}
