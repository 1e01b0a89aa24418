// The limits of a subject: which attributes, and which values of them.

import { ANY_ATTRIBUTE, type LimitsConfig } from './schema.ts'
import { nameMatcher } from '../request/names.ts'
import type { Attribute } from '../x509/name.ts'
import { attributeName, attributeOid, ATTRIBUTES } from '../x509/oid.ts'
import { firstExcess, valueExcess, type Excess } from './excess.ts'

// Where Kubernetes looks for the user and the groups.
const IDENTIFYING: ReadonlySet<string> = new Set([ATTRIBUTES.CN, ATTRIBUTES.O])

/** Compiles the limits of subjects; the result finds what in a subject exceeds them. */
export const subjectLimits = ({
  subject,
  reserved,
}: LimitsConfig): ((attributes: readonly Attribute[]) => Excess | undefined) => {
  const permitted = new Map<string, (value: string) => boolean>()
  for (const [name, patterns] of Object.entries(subject)) {
    const oid = attributeOid(name) ?? name
    const before = permitted.get(oid) // the same attribute by name and by OID
    const matches = nameMatcher(patterns)
    permitted.set(oid, (value) => before?.(value) === true || matches(value))
  }
  const named = new Set(reserved)
  const excessOf = ({ oid, value }: Attribute): Excess | undefined => {
    const field = attributeName(oid)
    const excess = valueExcess(field, value, IDENTIFYING.has(oid) ? named : undefined)
    if (excess !== undefined) return excess
    const matches = permitted.get(oid) ?? permitted.get(ANY_ATTRIBUTE)
    return matches?.(value) === true
      ? undefined
      : { code: 'subject-refused', detail: `${field}: ${value}` }
  }
  return (attributes) =>
    attributes.length === 0
      ? { code: 'subject-refused', detail: 'an empty subject' }
      : firstExcess(attributes, excessOf)
}
