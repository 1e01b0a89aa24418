// Long logins whose users cannot be looked up again: what `countersign
// validate` warns about.

import type { Locate } from '../../config/document.ts'
import type { LoginConfig } from '../../logins/schema.ts'
import type { VerifierConfig } from '../../authenticate/password/schema.ts'
import type { Problem } from '../../config/problem.ts'
import type { Config } from '../schema.ts'

// A working day, which is the default of `maxLifetimeWithoutRecheck`.
const LONG_MS = 28_800_000

/** Warns where users stay logged in for more than 8 hours after they were removed. */
export const uncheckedLoginWarnings = (
  { issuer, authenticators }: Pick<Config, 'issuer' | 'authenticators'>,
  locate: Locate,
): readonly Problem[] => {
  const login = issuer?.login
  if (
    login === undefined ||
    Math.min(login.maxLifetime, login.maxLifetimeWithoutRecheck) <= LONG_MS
  )
    return []
  const ways = uncheckedWays(login, authenticators)
  if (ways.length === 0) return []
  const message = `users of ${ways.join(', ')} cannot be looked up again: a user who is removed there stays logged in for so long. Make it shorter`
  return [locate(['issuer', 'login', 'maxLifetimeWithoutRecheck'], message)]
}

const uncheckedWays = (
  login: LoginConfig,
  authenticators: Config['authenticators'],
): readonly string[] => [
  ...login.authenticators.flatMap((name) => {
    const verifiers = authenticators[name]?.basic?.verify ?? []
    return [...new Set(verifiers.flatMap(uncheckedKind))].map((kind) => `"${name}" (${kind})`)
  }),
  ...Object.entries(login.providers)
    .filter(([, { refresh }]) => !refresh)
    .map(([id]) => `"${id}" (refresh: false)`),
]

const uncheckedKind = ({ radius, ldap }: VerifierConfig): readonly string[] => {
  if (radius !== undefined) return ['RADIUS']
  return ldap !== undefined && ldap.bind === undefined ? ['LDAP without "bind"'] : []
}
