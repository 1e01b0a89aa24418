// A genuine permit: there is no fake one, which is the point of it.

import assert from 'node:assert/strict'
import { evaluate, type Permit } from '../../src/authorize/evaluate.ts'
import { compilePolicy } from '../../src/authorize/policy.ts'
import type { Identity } from '../../src/identity/identity.ts'
import { requestOf, type RequestParts } from './envoy.ts'
import { identityOf } from './identity.ts'

/** Has a rule named "all" permit the request. */
export const permitFor = (identity: Partial<Identity> = {}, request: RequestParts = {}): Permit => {
  const policy = compilePolicy([{ allow: 'all' }])
  const verdict = evaluate(policy, identityOf(identity), requestOf(request))
  assert.equal(verdict.outcome, 'permit')
  return verdict.permit
}
