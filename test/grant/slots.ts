// Certificates of Alice that are valid for an hour, and when the slot of the tests begins.

import assert from 'node:assert/strict'
import { validityAt, type Lifetime, type Validity } from '../../src/grant/validity.ts'
import { subjectOf } from '../fakes/grant.ts'

/** An hour, from five minutes before. */
export const HOUR: Lifetime = { lifetime: 3_600_000, backdate: 300_000 }
/** The end of a credential that does not end. */
export const NEVER = Number.POSITIVE_INFINITY
export const NOW = Date.UTC(2026, 0, 1, 12, 0, 0)

/** Her subject, DER. */
export const ALICE = subjectOf(['CN', 'alice'])

/** The validity of a certificate that is requested then. */
export const at = (now: number, lifetime = HOUR, expires = NEVER, subject = ALICE): Validity => {
  const validity = validityAt(now, lifetime, expires, subject)
  assert.ok(validity !== undefined)
  return validity
}

const { renewAt } = at(NOW)
/** The beginning of a slot, in milliseconds. */
export const START = renewAt * 1_000
