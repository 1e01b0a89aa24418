// The audit log's closed vocabulary: every event and every field it can have. The table in the
// README repeats it.

import type { RejectionCode } from '../authenticate/authenticator.ts'
import type { KeyAlgorithm } from '../config/signer-schema.ts'
import type { OpeningFailure } from '../grant/seal.ts'
import type { AuthenticationMethod, IdentityRefusal } from '../identity/identity.ts'
import type { RequestRefusal } from '../request/request.ts'
import type { TargetRefusal } from '../request/target.ts'
import type { ShadowVerdict } from '../authorize/evaluate.ts'
import type { ForwardedKind, TransformFailure } from '../transform/transformer.ts'

/** Why a request was decided as it was; exactly one for each decision. */
export type Reason =
  | 'permitted'
  | RequestRefusal
  | TargetRefusal
  | 'no-route'
  | 'credential-missing'
  | 'credential-unsupported'
  | RejectionCode
  | IdentityRefusal
  | 'authenticator-unavailable'
  | 'rule-denied'
  | 'no-rule'
  | 'rule-failed' // it cannot be said whether the rule matches
  | 'operation-undefined' // the OpenAPI document has none, and the route refuses those
  | 'scope-missing'
  | 'authorizer-unavailable' // the API server that a rule asks
  | TransformFailure
  | 'transform-unavailable'
  | 'cancelled' // the caller left
  | 'too-slow' // the answer would have come after Envoy's deadline
  | 'fault'
  | 'audit-unavailable'

/** One check, decided. Exactly one for every check, also when it failed. */
export interface DecisionEvent {
  readonly event: 'decision'
  /** The decision id, also in `x-countersign-decision` of the answer. */
  readonly id: string
  /** Envoy's `x-request-id`, when there is one. */
  readonly request?: string | undefined
  readonly decision: 'allow' | 'deny'
  readonly reason: Reason
  /** The HTTP status that the caller gets; 200 stands for "forwarded". */
  readonly status: number
  readonly route?: string | undefined
  readonly method?: string | undefined
  readonly host?: string | undefined
  /** Path and query; `audit.query` says how much of the query. */
  readonly path?: string | undefined
  /** `true` where there was a query and `path` holds nothing of it. */
  readonly queryOmitted?: boolean | undefined
  /** The address that Envoy trusts as the caller's. */
  readonly source?: string | undefined
  readonly user?: string | undefined
  readonly groups?: readonly string[] | undefined
  /** How many more groups were cut off, where the configuration says so. */
  readonly groupsCut?: number | undefined
  /** The authenticator that decided who it is, and its method. */
  readonly authenticator?: string | undefined
  readonly authentication?: AuthenticationMethod | undefined
  /** Keyed hash of the credential, never the credential; comparable within one process's life. */
  readonly credential?: string | undefined
  readonly rule?: string | undefined
  /** The rules in shadow that would have decided, and how. */
  readonly shadow?: readonly ShadowVerdict[] | undefined
  /** What of rule, mapping or credential failed: the place and the reason, never a value. */
  readonly detail?: string | undefined
  /** As a Kubernetes API server reads the request; on routes of `kind: kubernetes`. */
  readonly kubernetes?: RecordedKubernetes | undefined
  /** The operation of the route's OpenAPI document. */
  readonly operation?: string | undefined
  /** What the upstream gets. */
  readonly forwarded?: readonly ForwardedKind[] | undefined
  /** Digest of the grant for the client certificate; the signer's issuance has the same. */
  readonly handle?: string | undefined
  /** `jti` of the tokens that the upstream gets; a Kubernetes API server logs it as `credential-id`. */
  readonly jti?: readonly string[] | undefined
  /** From the arrival of the check to this event, in microseconds. */
  readonly duration: number
  /** The configuration that decided, counted from 1 since the start. */
  readonly generation: number
}

/** What audit keeps of a Kubernetes request; what is empty is left out. */
export interface RecordedKubernetes {
  readonly verb: string
  readonly apiGroup?: string
  readonly apiVersion?: string
  readonly namespace?: string
  readonly resource?: string
  readonly subresource?: string
  readonly name?: string
  /** Whom the caller asked to be treated as. */
  readonly impersonation?: {
    readonly user: string
    readonly uid?: string
    readonly groups?: readonly string[]
    /** Further keys that were asked for, without their values. */
    readonly extra?: readonly string[]
  }
}

/** A configuration came into force. */
interface ConfigurationLoadedEvent {
  readonly event: 'configuration-loaded'
  readonly generation: number
  readonly file: string
}

/** A configuration was refused; the one before it stays in force. */
interface ConfigurationRejectedEvent {
  readonly event: 'configuration-rejected'
  /** The generation that stays in force. */
  readonly generation: number
  readonly file: string
  readonly problems: readonly string[]
}

/** Why the signer made no certificate. */
export type CertificateRefusal =
  | OpeningFailure
  | 'authority-unknown'
  | 'grant-expired'
  | 'grant-not-yet-valid'
  | 'lifetime-exceeded'
  | 'authority-expires'
  | 'subject-refused'
  | 'name-refused'
  | 'value-reserved'
  | 'value-unrepresentable'
  | 'key-usage-refused'
  | 'purpose-refused'
  | 'policy-refused'
  | 'extension-refused'
  | 'rate-limited'
  | 'authority-unavailable'
  | 'issued-mismatch'
  | 'audit-unavailable'
  | 'fault'

/** The signer made a certificate. Written before it leaves the process. */
interface CertificateIssuedEvent {
  readonly event: 'certificate-issued'
  /** Stands for the grant: the same in the decision that led to it. */
  readonly handle: string
  /** The CA, by its name in `signer.yaml`. */
  readonly authority: string
  /** Where authz decided, and the authenticator that had proven the caller. */
  readonly route: string
  readonly authenticator: string
  /** Hexadecimal. */
  readonly serial: string
  /** SHA-256 of the DER, hexadecimal. */
  readonly fingerprint: string
  /** RFC 4514. */
  readonly subject: string
  /** Alternative names as `kind:value`. */
  readonly names: readonly string[]
  /** ISO 8601, as is `notAfter`. */
  readonly notBefore: string
  readonly notAfter: string
  readonly keys: KeyAlgorithm
  /** From the request to this event, in microseconds. */
  readonly duration: number
  readonly generation: number
}

/** The signer made no certificate. */
interface CertificateRefusedEvent {
  readonly event: 'certificate-refused'
  readonly handle: string
  readonly reason: CertificateRefusal
  /** As in the grant, where it could be opened. */
  readonly authority?: string | undefined
  readonly route?: string | undefined
  readonly authenticator?: string | undefined
  /** What it was that was refused. */
  readonly detail?: string | undefined
  readonly generation: number
}

/** Why somebody could not log in. */
export type LoginRefusal =
  | RejectionCode
  | IdentityRefusal
  | 'credential-missing' // no certificate, say
  | 'authenticator-unavailable' // or the provider where the person logged in
  | 'provider-refused' // it said no
  | 'provider-unsound' // what it sent is not what we asked for, or not from whom it should be
  | 'token-unmapped'
  | 'token-reserved'
  | 'credential-expired'

/** Somebody showed a credential at the login page. Written before it is good for anything. */
export interface LoginEvent {
  readonly event: 'login'
  /** Envoy's `x-request-id`, or one of ours: the page shows it. */
  readonly request: string
  /** `challenged`: the password was taken, and a question asked that is not answered yet. */
  readonly outcome: 'succeeded' | 'refused' | 'challenged'
  /** `password` (the answer to a question belongs to it), `certificate`, or the provider by its id. */
  readonly way: string
  readonly reason?: LoginRefusal | undefined
  readonly detail?: string | undefined
  /** The client that sent the person here. */
  readonly client: string
  readonly source: string
  /** As proven and mapped; what was only claimed where it was refused. */
  readonly user?: string | undefined
  readonly groups?: readonly string[] | undefined
  readonly authenticator?: string | undefined
  readonly authentication?: AuthenticationMethod | undefined
  readonly credential?: string | undefined
}

/**
 * A login was checked again and is good: at an upstream IdP each time, here where it says something else of the
 * user than before. Written before what it says is good for anything.
 */
interface LoginRenewedEvent {
  readonly event: 'login-renewed'
  /** As mapped; who it is does not change, or the login ends. */
  readonly user: string
  readonly groups: readonly string[]
  /** As in {@link LoginEvent}. */
  readonly way: string
  /** The upstream IdP, by its id in `issuer.login.providers`. */
  readonly provider?: string | undefined
  /** Where the user was proven here: the authenticator, by its name. */
  readonly authenticator?: string | undefined
  readonly credential: string
}

/** A login was ended by a check, or by its upstream IdP. Written once it has. */
interface LoginEndedEvent {
  readonly event: 'login-ended'
  readonly user: string
  /** As in {@link LoginRenewedEvent}, as are `provider` and `authenticator`. */
  readonly way: string
  readonly provider?: string | undefined
  readonly authenticator?: string | undefined
  /**
   * `not-renewed`: the upstream IdP does not vouch for it any more; `logged-out-there`: it told us that the
   * user has logged out; `recheck`: the user could not log in here now.
   */
  readonly cause: 'not-renewed' | 'logged-out-there' | 'recheck'
  /** Why: as the reason of a refused login, or `user-replaced`, `password-changed`. */
  readonly detail?: string | undefined
}

/** The authorization server gave tokens to a client. Written before it has them. */
export interface TokensIssuedEvent {
  readonly event: 'tokens-issued'
  readonly request: string
  /** `grant_type` (RFC 6749). */
  readonly grant: string
  readonly client: string
  readonly source: string
  /** `sub`; absent where the client acts for itself. */
  readonly user?: string | undefined
  readonly scope?: string | undefined
  /** The resource of the access token (RFC 8707), where it is for one. */
  readonly resource?: string | undefined
}

/** A browser came back from a login, and has a session on a route of ours. */
interface SessionBeganEvent {
  readonly event: 'session-began'
  readonly request: string
  readonly user: string
  readonly host: string
  readonly source: string
}

/**
 * Somebody logged out, or ended logins on the account page; or an operator did so. Written once they have
 * ended.
 */
export interface SessionsEndedEvent {
  readonly event: 'sessions-ended'
  /** Absent where the command line did it: who ran it is not known. */
  readonly request?: string | undefined
  readonly source?: string | undefined
  readonly by?: 'cli' | undefined
  /** Absent where everybody's were ended. */
  readonly user?: string | undefined
  /** The login of the browser that asked, another one, all of the user's, or those of everybody. */
  readonly which: 'here' | 'one' | 'everywhere' | 'everybody'
}

/** Everything that is ever written to the audit log. */
export type AuditEvent =
  | DecisionEvent
  | LoginEvent
  | LoginRenewedEvent
  | LoginEndedEvent
  | TokensIssuedEvent
  | SessionBeganEvent
  | SessionsEndedEvent
  | ConfigurationLoadedEvent
  | ConfigurationRejectedEvent
  | CertificateIssuedEvent
  | CertificateRefusedEvent
