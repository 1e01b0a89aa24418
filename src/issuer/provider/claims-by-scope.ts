// The claims of each scope.

import type { Configuration } from 'oidc-provider'
import type { Login } from '../../check/authorization-server.ts'

// OpenID Connect Core §5.4.
const PROFILE = [
  'name',
  'family_name',
  'given_name',
  'middle_name',
  'nickname',
  'preferred_username',
  'profile',
  'picture',
  'website',
  'gender',
  'birthdate',
  'zoneinfo',
  'locale',
  'updated_at',
]
const EMAIL = ['email', 'email_verified']

type Claims = NonNullable<Configuration['claims']>

/** The names of the claims by scope; those of the configuration belong to `openid`. */
export const claimsByScope = (login: Login | undefined): Claims => {
  const names = Object.keys(login?.config.claims ?? {})
  const special = new Set([...PROFILE, ...EMAIL])
  return {
    openid: [
      'sub',
      'amr',
      'acr',
      'auth_time',
      'grant_id',
      ...names.filter((name) => !special.has(name)),
    ],
    profile: PROFILE,
    email: EMAIL,
    groups: ['groups'],
  }
}
