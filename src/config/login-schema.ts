// `issuer.login`: how people log in at our authorization server, and what it says of them.

import { z } from 'zod'
import { callerText } from './expressions.ts'
import { loginProvidersSchema } from './login-provider-schema.ts'
import { furtherClaims, LONGEST_TOKEN_LIFETIME_MS, SIGNING_ALGORITHMS } from './mint-schema.ts'
import { durationSchema, nameSchema } from './values.ts'

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
    providers: loginProvidersSchema,
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
  })
  .refine(
    ({ authenticators, providers }) =>
      authenticators.length > 0 || Object.keys(providers).length > 0,
    'must have "authenticators" or "providers", or nobody can log in',
  )
  .describe('People log in here, with their browsers.')

/** The parsed `login`. */
export type LoginConfig = z.output<typeof loginSchema>
