// A bearer authenticator with the fewest options, and functions that present tokens to it.

import assert from 'node:assert/strict'
import type { Authentication, Authenticator } from '../../../src/authenticate/authenticator.ts'
import {
  bearerAuthenticator,
  type BearerOptions,
} from '../../../src/authenticate/bearer/authenticator.ts'
import { CredentialCache } from '../../../src/authenticate/credential-cache.ts'
import type { KeySet } from '../../../src/authenticate/bearer/key-set.ts'
import { compileCondition, type Condition } from '../../../src/expression/cel.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { requestOf, type RequestParts } from '../../fakes/envoy.ts'
import { AUDIENCE, ISSUER } from './issuing.ts'
import { codeOf } from '../../fakes/authenticator.ts'

const FOREVER = new AbortController().signal

/** An authenticator for the tokens of the test issuer. */
export const bearerWith = (keys: KeySet, options: Partial<BearerOptions> = {}): Authenticator => {
  const clock = options.clock ?? new FakeClock()
  return bearerAuthenticator({
    name: 'tokens',
    realm: 'Kubernetes',
    issuer: ISSUER,
    audiences: [AUDIENCE, 'second'],
    kind: 'any',
    algorithms: ['RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA'],
    skew: 0,
    cacheTtl: 60_000,
    keys,
    clock,
    cache: new CredentialCache(clock),
    ...options,
  })
}

/** Shows a token. */
export const show = async (
  authenticator: Authenticator,
  token: string,
  { headers = [], ...parts }: RequestParts = {},
  signal = FOREVER,
): Promise<Authentication> =>
  await authenticator.authenticate(
    requestOf({ ...parts, headers: [['authorization', `Bearer ${token}`], ...headers] }),
    signal,
  )

/** Shows a token; see {@link codeOf}. */
export const outcomeOf = async (
  authenticator: Authenticator,
  token: string,
  parts?: RequestParts,
): Promise<string> => codeOf(await show(authenticator, token, parts))

/** A condition on claims, compiled. */
export const conditionOf = (source: string): Condition => {
  const compiled = compileCondition(source, 'claims')
  assert.ok(compiled.ok)
  return compiled.expression
}
