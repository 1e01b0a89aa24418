// `issuer.login`: how people log in at our authorization server, and what it says of them.

import { z } from 'zod'
import { callerText } from '../config/expressions.ts'
import { upstreamIdpsSchema } from './upstream-idp/schema.ts'
import {
  furtherClaims,
  LONGEST_TOKEN_LIFETIME_MS,
  SIGNING_ALGORITHMS,
} from '../keys/mint-schema.ts'
import { durationSchema, nameSchema } from '../config/values.ts'

const tokenLifetime = (fallback: string) =>
  durationSchema
    .prefault(fallback)
    .refine(
      (milliseconds) => milliseconds >= 10_000 && milliseconds <= LONGEST_TOKEN_LIFETIME_MS,
      'must be 10s to 24h',
    )

const period = (fallback: string) =>
  durationSchema
    .prefault(fallback)
    .refine((milliseconds) => milliseconds >= 60_000, 'must be 1m or longer')

/** The `login` section. */
export const loginSchema = z
  .strictObject({
    authenticators: z
      .array(nameSchema)
      .default([])
      .describe(
        'What people can show, in order: authenticators of the kinds `basic` (a form) and `certificate` (one click). Lock-outs and remembered proofs are those of the authenticator, wherever it is used.',
      ),
    providers: upstreamIdpsSchema,
    algorithm: z.enum(SIGNING_ALGORITHMS).default('ES256').describe('What signs ID tokens.'),
    lifetime: tokenLifetime('15m').describe('How long ID tokens are good for.'),
    subject: callerText
      .prefault('identity.user')
      .describe('`sub` of all tokens: CEL about `identity`, `claims`, `certificate`.'),
    groups: callerText
      .prefault('identity.groups')
      .describe('`groups`, for clients that ask for the scope `groups`: CEL.'),
    claims: furtherClaims.describe(
      'Further claims of ID tokens and of the userinfo endpoint: CEL. Those that OpenID Connect Core §5.4 has for the scopes `profile` and `email` go with these scopes, all others with `openid`.',
    ),
    allowReserved: z
      .array(z.string().min(1))
      .default([])
      .describe('Reserved names (`system:…`) that tokens may say, each written out.'),
    idle: period('8h').describe(
      'People log in again when no application has sent them here for so long.',
    ),
    longest: period('24h').describe(
      'People log in again after so long in any case; their refresh tokens end with it.',
    ),
    recheck: durationSchema
      .prefault('5m')
      .refine(
        (milliseconds) => milliseconds >= 1_000 && milliseconds <= 86_400_000,
        'must be 1s to 24h',
      )
      .describe(
        'While a login is used, its user is looked up again so often, without the password, in the users file or directory that proved it; a certificate is verified again, with its revocation. A user who is removed, disabled, locked or expired, or whose password was changed, is logged out; groups and attributes are those of the last look. While the directory is down after that time, requests are answered with 503. Logins at `providers` are checked as these say.',
      ),
    longestUnchecked: period('8h').describe(
      'As `longest`, where the user cannot be looked up again: RADIUS, an LDAP directory without `bind` (a service account), and a provider without a refresh token. A user who is removed there stays logged in for so long.',
    ),
  })
  .refine(
    ({ authenticators, providers }) =>
      authenticators.length > 0 || Object.keys(providers).length > 0,
    'must have "authenticators" or "providers", or nobody can log in',
  )
  .describe('People log in here, with their browsers.')

/** The parsed `login`. */
export type LoginConfig = z.output<typeof loginSchema>
