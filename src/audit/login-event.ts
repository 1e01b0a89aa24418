// The audit events of logins at the authorization server: from the credential to the tokens and
// sessions of the login, and their end.

import type { RejectionCode } from '../authenticate/authenticator.ts'
import type { AuthenticationMethod, IdentityRefusal } from '../identity/identity.ts'
import type { PresentedCredential } from '../identity/presented-credential.ts'

/** Why a login was refused. */
export type LoginRefusal =
  | RejectionCode
  | IdentityRefusal
  | 'credential-missing' // no certificate, say
  | 'authenticator-unavailable' // or the upstream IdP
  | 'provider-refused' // an error response of the upstream IdP
  | 'provider-response-invalid' // its response does not match the request, or is from another issuer
  | 'token-unmapped'
  | 'token-reserved'
  | 'credential-expired'

/** A credential was presented at the login page. Written before the login has any effect. */
export interface LoginEvent {
  readonly event: 'login'
  /** The id of the login: joins its events, tokens and sessions; absent where it was refused. It opens nothing. */
  readonly login?: string | undefined
  /** Envoy's `x-request-id`, or an id that the issuer made: the page shows it. */
  readonly request: string
  /** `challenged`: the password was accepted, and a second factor is requested. */
  readonly outcome: 'succeeded' | 'refused' | 'challenged'
  /** `password` (the answer to a question belongs to it), `certificate`, or the provider by its id. */
  readonly loginMethod: string
  readonly reason?: LoginRefusal | undefined
  readonly detail?: string | undefined
  /** The client that redirected the user to the login page. */
  readonly client: string
  readonly source: string
  /** As proven and mapped; what was only claimed where it was refused. */
  readonly user?: string | undefined
  /** As in decisions. */
  readonly userHash?: string | undefined
  readonly groups?: readonly string[] | undefined
  readonly authenticator?: string | undefined
  readonly authentication?: AuthenticationMethod | undefined
  readonly credential?: string | undefined
  /** As in decisions. */
  readonly presented?: PresentedCredential | undefined
}

/**
 * A login was checked again and is active: at an upstream IdP each time, here if the attributes of the user have
 * changed. Written before the new attributes have any effect.
 */
export interface LoginRenewedEvent {
  readonly event: 'login-renewed'
  /** The id of the login: joins its events, tokens and sessions. It opens nothing. */
  readonly login?: string | undefined
  /** As mapped; the user never changes, else the login ends. */
  readonly user: string
  readonly groups: readonly string[]
  /** As in {@link LoginEvent}. */
  readonly loginMethod: string
  /** The upstream IdP, by its id in `issuer.login.providers`. */
  readonly provider?: string | undefined
  /** Where the user was proven here: the authenticator, by its name. */
  readonly authenticator?: string | undefined
  readonly credential: string
}

/** A login was ended by a check, or by its upstream IdP. Written once it has. */
export interface LoginEndedEvent {
  readonly event: 'login-ended'
  /** The id of the login: joins its events, tokens and sessions. It opens nothing. */
  readonly login?: string | undefined
  readonly user: string
  /** As in {@link LoginRenewedEvent}, as are `provider` and `authenticator`. */
  readonly loginMethod: string
  readonly provider?: string | undefined
  readonly authenticator?: string | undefined
  /**
   * `not-renewed`: the upstream IdP no longer vouches for it; `upstream-logout`: it notified authz that the
   * user has logged out; `recheck`: the user could not log in here now.
   */
  readonly cause: 'not-renewed' | 'upstream-logout' | 'recheck'
  /** Why: as the reason of a refused login, or `user-replaced`, `password-changed`. */
  readonly detail?: string | undefined
}

/** The authorization server gave tokens to a client. Written before it has them. */
export interface TokensIssuedEvent {
  readonly event: 'tokens-issued'
  /** The id of the login: joins its events, tokens and sessions. It opens nothing. */
  readonly login?: string | undefined
  readonly request: string
  /** Of the tokens that are JWTs and have one. */
  readonly jti?: readonly string[] | undefined
  /** Keyed hashes of the other tokens, refresh tokens included; the same in every replica. */
  readonly tokens?: readonly string[] | undefined
  /** `grant_type` (RFC 6749). */
  readonly grantType: string
  readonly client: string
  readonly source: string
  /** `sub`; absent where the client acts for itself. */
  readonly user?: string | undefined
  readonly scope?: string | undefined
  /** The resource of the access token (RFC 8707), where it is for one. */
  readonly resource?: string | undefined
}

/** A browser returned from a login, and has a session on a route. */
export interface SessionBeganEvent {
  readonly event: 'session-began'
  /** The id of the login: joins its events, tokens and sessions. It opens nothing. */
  readonly login?: string | undefined
  readonly request: string
  readonly user: string
  readonly host: string
  readonly source: string
}

/**
 * A user logged out, or ended logins on the account page; or an operator did so. Written once they have
 * ended.
 */
export interface SessionsEndedEvent {
  readonly event: 'sessions-ended'
  /** The id of the login: joins its events, tokens and sessions. It opens nothing. */
  readonly login?: string | undefined
  /** Absent where the command line did it: who ran it is not known. */
  readonly request?: string | undefined
  readonly source?: string | undefined
  readonly by?: 'cli' | undefined
  /** Absent if the logins of all users were ended. */
  readonly user?: string | undefined
  /** The login of the browser that sent the request, another one, all of the user's, or those of all users. */
  readonly which: 'current' | 'one' | 'all' | 'all-users'
}
