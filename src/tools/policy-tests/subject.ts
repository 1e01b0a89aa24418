// The caller in a test of the policy: the `identity` of the test, as an authenticator of the route
// would have proven it. What it could never have proven is refused.

import type { AuthenticatorKind } from '../../authenticate/kind.ts'
import { kindOf } from '../../authenticate/kinds.ts'
import type { AuthenticatorConfig } from '../../authenticate/schema.ts'
import type { PolicyTest } from '../../configuration/policy-tests-schema.ts'
import type { Config } from '../../configuration/schema.ts'
import type { Identity } from '../../identity/identity.ts'
import type { Route } from '../../check/route.ts'

/** A test that cannot be run. */
export interface Unusable {
  readonly outcome: 'unusable'
  readonly reason: string
  /** Where below the test. */
  readonly path: readonly PropertyKey[]
}

/** The identity; `undefined` for a client without a credential. */
interface Subject {
  readonly outcome: 'given'
  readonly identity: Identity | undefined
}

/**
 * The caller in a test.
 *
 * @param route the one that takes the request; where none does, the check ends before it matters
 */
export const subjectOf = (
  { identity }: Pick<PolicyTest, 'identity'>,
  route: Route | undefined,
  { routes, authenticators }: Config,
): Subject | Unusable => {
  const config = routes.find(({ name }) => name === route?.name)
  if (identity === undefined || config === undefined) {
    return { outcome: 'given', identity: undefined }
  }
  // Of several that have to prove the caller at once, the first gives the identity.
  const links = config.authenticate.map((entry) =>
    typeof entry === 'string' ? [entry] : entry.all,
  )
  const { authenticator: name = links[0]?.[0] ?? '', ...parts } = identity
  const proving = links.filter(([first]) => first === name)
  if (proving.length === 0) {
    const known = [...new Set(links.map(([first]) => first))].join(', ')
    const reason = `"${name}" is not an authenticator of route "${config.name}" (there are: ${known})`
    return { outcome: 'unusable', reason, path: ['identity', 'authenticator'] }
  }
  const proved = new Set(proving.flat().flatMap((one) => kindNamed(authenticators[one]).proves))
  for (const key of ['claims', 'certificate'] as const) {
    if (identity[key] === undefined || proved.has(key)) continue
    const reason = `"${name}" proves no ${key === 'claims' ? 'token with claims' : 'certificate'}`
    return { outcome: 'unusable', reason, path: ['identity', key] }
  }
  const { method } = kindNamed(authenticators[name])
  return {
    outcome: 'given',
    identity: { ...parts, authenticator: name, method, digest: 'test' },
  }
}

const kindNamed = (config: AuthenticatorConfig | undefined): AuthenticatorKind => {
  if (config === undefined) throw new TypeError('an authenticator that the configuration has not')
  return kindOf(config).kind
}
