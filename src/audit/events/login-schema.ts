// The events of logins at the authorization server: from the credential to the tokens and sessions of the login, and
// their end.

import * as z from 'zod'
import type { LoginRefusal } from '../login-reason.ts'
import { LOGIN_REFUSALS } from '../reasons/reasons.ts'
import { clientFields, keysOf, login, source } from './fields-schema.ts'
import type { Frozen } from './frozen.ts'

const text = z.string()

const loginMethod = text.describe(
  '`password` (the answer to a question belongs to it), `certificate`, or the upstream IdP by its id.',
)
const requestId = text.describe(
  'Envoy’s `x-request-id`, or an id that the issuer made; the page shows it.',
)
const { user, userHash, groups, authenticator, authentication, credential, presented } =
  clientFields

/** A credential was presented at the login page. */
export const loginEvent = z
  .strictObject({
    event: z.literal('login'),
    login,
    request: requestId,
    outcome: z
      .enum(['succeeded', 'refused', 'challenged'])
      .describe('`challenged`: the password was accepted, and a second factor is requested.'),
    loginMethod,
    reason: z
      .enum(keysOf<LoginRefusal>(LOGIN_REFUSALS))
      .optional()
      .describe('Of a refused login: a reason code.'),
    detail: text.optional().describe('Of a refused login, as in decisions.'),
    client: text.describe('The client that redirected the user to the login page.'),
    source,
    user,
    userHash,
    groups,
    authenticator,
    authentication,
    credential,
    presented,
  })
  .describe('A credential was presented at the login page. Written before the login is valid.')

const provider = text
  .optional()
  .describe('The upstream IdP, by its id in `issuer.login.providers`.')
const provenBy = text.optional().describe('Where the user was proven here: the authenticator.')

/** A login was checked again and is active. */
export const loginRenewedEvent = z
  .strictObject({
    event: z.literal('login-renewed'),
    login,
    user: text.describe('As mapped. It never changes, else the login ends.'),
    groups: z.array(text).describe('The groups that apply from now on.'),
    loginMethod,
    provider,
    authenticator: provenBy,
    credential: text.describe('A keyed hash, as in decisions.'),
  })
  .describe(
    'A login was checked again and is active: at an upstream IdP each time, here where attributes of the user have changed. Written before the new attributes have any effect.',
  )

/** A login was ended by a check, or by its upstream IdP. */
export const loginEndedEvent = z
  .strictObject({
    event: z.literal('login-ended'),
    login,
    user: text,
    loginMethod,
    provider,
    authenticator: provenBy,
    cause: z
      .enum(['not-renewed', 'upstream-logout', 'recheck'])
      .describe(
        '`not-renewed`: the upstream IdP no longer renews it. `upstream-logout`: the IdP reported a logout. `recheck`: the user can no longer log in here.',
      ),
    detail: text.optional().describe('A reason code of logins, or the error of the IdP.'),
  })
  .describe('A login was ended by a recheck, or by its upstream IdP. Written once it has ended.')

/** The authorization server gave tokens to a client. */
export const tokensIssuedEvent = z
  .strictObject({
    event: z.literal('tokens-issued'),
    login,
    request: requestId,
    jti: z.array(text).optional().describe('Of the tokens that are JWTs and have one.'),
    tokens: z
      .array(text)
      .optional()
      .describe(
        'Keyed hashes of the other tokens, refresh tokens included; equal in every replica.',
      ),
    grantType: text.describe('`grant_type` (RFC 6749).'),
    client: text.describe('The client.'),
    source,
    user: text.optional().describe('`sub`. Absent where the client acts for itself.'),
    scope: text.optional().describe('The granted scope.'),
    resource: text.optional().describe('The resource of the access token (RFC 8707).'),
  })
  .describe('The authorization server gave tokens to a client. Written before the client has them.')

/** A browser returned from a login, and has a session on a route. */
export const sessionBeganEvent = z
  .strictObject({
    event: z.literal('session-began'),
    login,
    request: requestId,
    user: text,
    host: text.describe('The host of the cookie.'),
    source,
  })
  .describe('A browser returned from a login, and has a session on a route.')

/** Logins were ended by their user or by an operator. */
export const sessionsEndedEvent = z
  .strictObject({
    event: z.literal('sessions-ended'),
    login,
    request: requestId.optional(),
    source: source.optional(),
    by: z
      .literal('cli')
      .optional()
      .describe('`countersign sessions` did it; its operator is not known.'),
    user: text.optional().describe('Absent where the logins of all users were ended.'),
    which: z
      .enum(['current', 'one', 'all', 'all-users'])
      .describe('The login of this browser, another one, all of the user, or those of all users.'),
  })
  .describe('A user logged out, or logins were ended on the account page or by an operator.')

/** A credential was presented at the login page. */
export type LoginEvent = Frozen<z.output<typeof loginEvent>>
/** A login was checked again and is active. */
export type LoginRenewedEvent = Frozen<z.output<typeof loginRenewedEvent>>
/** A login was ended by a check, or by its upstream IdP. */
export type LoginEndedEvent = Frozen<z.output<typeof loginEndedEvent>>
/** The authorization server gave tokens to a client. */
export type TokensIssuedEvent = Frozen<z.output<typeof tokensIssuedEvent>>
/** A browser has a session on a route. */
export type SessionBeganEvent = Frozen<z.output<typeof sessionBeganEvent>>
/** Logins were ended by their user or by an operator. */
export type SessionsEndedEvent = Frozen<z.output<typeof sessionsEndedEvent>>
