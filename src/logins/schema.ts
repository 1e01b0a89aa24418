// `issuer.login`: how users log in at the authorization server, and the claims of its tokens about them.

import * as z from 'zod'
import { loginPeriod, upToADay } from '../config/durations.ts'
import { callerText } from '../config/expressions.ts'
import { upstreamIdpsSchema } from './upstream-idp/schema.ts'
import {
  furtherClaims,
  LONGEST_TOKEN_LIFETIME_MS,
  SIGNING_ALGORITHMS,
} from '../keys/mint-schema.ts'
import { durationSchema, nameSchema, writtenOutName } from '../config/values.ts'

const tokenLifetime = (fallback: string) =>
  durationSchema
    .prefault(fallback)
    .refine(
      (milliseconds) => milliseconds >= 10_000 && milliseconds <= LONGEST_TOKEN_LIFETIME_MS,
      'must be 10s to 24h',
    )

/** The `login` section. */
export const loginSchema = z
  .strictObject({
    authenticators: z
      .array(nameSchema)
      .default([])
      .describe(
        'The credentials accepted at the login page, in order: authenticators of the kinds `basic` (a form) and `certificate` (a button). Lock-outs and cached results are shared with other uses of the authenticator.',
      ),
    providers: upstreamIdpsSchema,
    algorithm: z
      .enum(SIGNING_ALGORITHMS)
      .default('ES256')
      .describe('The algorithm that signs ID tokens.'),
    lifetime: tokenLifetime('15m').describe('The lifetime of ID tokens.'),
    subject: callerText
      .prefault('identity.user')
      .describe('`sub` of all tokens: CEL about `identity`, `claims`, `certificate`.'),
    groups: callerText
      .prefault('identity.groups')
      .describe('`groups`, for clients that request the scope `groups`: CEL.'),
    claims: furtherClaims.describe(
      'Further claims of ID tokens and of the userinfo endpoint: CEL. Those that OpenID Connect Core §5.4 defines for the scopes `profile` and `email` need these scopes; all further ones need `openid`.',
    ),
    allowReserved: z
      .array(writtenOutName)
      .default([])
      .describe('Reserved names (`system:…`) that tokens may contain, each written out.'),
    idleTimeout: loginPeriod('8h').describe(
      'Idle timeout of the login: users log in again after this time without an authorization request.',
    ),
    maxLifetime: loginPeriod('24h').describe(
      'Maximal lifetime of a login. Its refresh tokens end with it.',
    ),
    recheck: upToADay('5m').describe(
      'The interval at which the user of an active login is looked up again, without the password, in the users file or directory; a certificate is verified again, with its revocation. A user who is removed, disabled, locked or expired, or whose password was changed, is logged out; groups and attributes are updated. While the directory is down after that time, requests are answered with 503. For logins at `providers`, see `refresh` there.',
    ),
    maxLifetimeWithoutRecheck: loginPeriod('8h').describe(
      'As `maxLifetime`, where the user cannot be looked up again: RADIUS, an LDAP directory without `bind` (a service account), and a provider without a refresh token. A user who is removed there stays logged in for up to this time.',
    ),
  })
  .refine(
    ({ authenticators, providers }) =>
      authenticators.length > 0 || Object.keys(providers).length > 0,
    'must have "authenticators" or "providers": without them no user can log in',
  )
  .describe('The login page, and the logins of users at it.')

/** The parsed `login`. */
export type LoginConfig = z.output<typeof loginSchema>
