// A genuine permit: there is no fake one, which is the point of it.

import assert from 'node:assert/strict'
import { evaluate, type Permit } from '../../src/authorize/evaluate.ts'
import type { Identity } from '../../src/identity/identity.ts'
import type { RequestParts } from './envoy.ts'
import { questionOf } from './question.ts'
import { policyOf } from './rules.ts'

/** Has a rule named "all" permit the request. */
export const permitFor = (identity: Partial<Identity> = {}, request: RequestParts = {}): Permit => {
  const verdict = evaluate(policyOf([{ allow: 'all' }]), questionOf({ identity, request }))
  assert.equal(verdict.outcome, 'permit')
  return verdict.permit
}
