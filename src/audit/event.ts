// The audit log's closed vocabulary: every event and every field it can have. The tables of
// docs/reference/audit-log.md repeat it.

import type { RejectionCode } from '../authenticate/authenticator.ts'
import type { KeyAlgorithm } from '../keys/key-algorithm.ts'
import type { OpeningFailure } from '../grant/seal.ts'
import type { AuthenticationMethod, IdentityRefusal } from '../identity/identity.ts'
import type { PresentedCredential } from '../identity/presented-credential.ts'
import type {
  LoginEvent,
  LoginRenewedEvent,
  LoginEndedEvent,
  TokensIssuedEvent,
  SessionBeganEvent,
  SessionsEndedEvent,
} from './login-event.ts'
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
  | 'rate-limited' // this caller has used up its share of requests to a server; none was sent
  | 'rule-denied'
  | 'no-rule'
  | 'rule-failed' // a condition could not be evaluated
  | 'operation-undefined' // the OpenAPI document has none, and the route refuses those
  | 'scope-missing'
  | 'authorizer-unavailable' // the API server that reviews access for a rule
  | TransformFailure
  | 'transform-unavailable'
  | 'cancelled' // the caller left
  | 'deadline-exceeded' // the answer would have come after Envoy's deadline
  | 'internal-error'
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
  /** The HTTP status that the caller gets; 200 if the request was forwarded. */
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
  /** In place of a name that is not known, which might be a password: a keyed hash, comparable like `credential`. */
  readonly userHash?: string | undefined
  readonly groups?: readonly string[] | undefined
  /** How many more groups were cut off, where the configuration says so. */
  readonly groupsOmitted?: number | undefined
  /** The authenticator that decided, and its method. */
  readonly authenticator?: string | undefined
  readonly authentication?: AuthenticationMethod | undefined
  /** Keyed hash of the credential, never the credential; comparable within one process's life. */
  readonly credential?: string | undefined
  /** Which certificate, token, API key or session was presented; also where it was refused. */
  readonly presented?: PresentedCredential | undefined
  readonly rule?: string | undefined
  /** The rules in shadow that would have decided, and how. */
  readonly shadow?: readonly ShadowVerdict[] | undefined
  /**
   * What of rule, mapping or credential failed: the place and the reason. Of a token, which audience, issuer, key id or
   * time was required and which was found; of a check that took too long, how long Envoy waits; of an LDAP or RADIUS
   * server, how it failed.
   */
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
  /** `true` where `kubernetes` is left out and texts are shorter, since the caller had proven nothing. */
  readonly truncated?: true
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
  /** The identity that the caller impersonates. */
  readonly impersonation?: {
    readonly user: string
    readonly uid?: string
    readonly groups?: readonly string[]
    /** Further keys that were requested, without their values. */
    readonly extra?: readonly string[]
  }
}

/**
 * Refusals that have no event of their own, of one source. Written at intervals, and when the process
 * ends or the file is reopened.
 */
export interface RefusalsSummaryEvent {
  readonly event: 'refusals-summary'
  /** An IPv4 address or an IPv6 /64, such as `2001:db8:0:1:0:0:0:0/64`; absent where it is about several. */
  readonly source?: string | undefined
  /** How many refusals. */
  readonly count: number
  /** How many of them are logins; the rest are decisions. Absent: none. */
  readonly logins?: number | undefined
  /** The times of the first and the last, RFC 3339. */
  readonly first: string
  readonly last: string
  /** Their reasons, the most frequent first; a sum below `count` means further reasons, as in `routes` and `users`. */
  readonly reasons: readonly { readonly reason: string; readonly count: number }[]
  readonly routes?: readonly { readonly route: string; readonly count: number }[] | undefined
  /** Names that were claimed, where such an event has `user`. */
  readonly users?: readonly { readonly user: string; readonly count: number }[] | undefined
  /** What their events would have taken of the log. */
  readonly bytes: number
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
  | 'internal-error'

/** The signer made a certificate. Written before it leaves the process. */
interface CertificateIssuedEvent {
  readonly event: 'certificate-issued'
  /** Identifies the grant: the same in the decision that led to it. */
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
export interface CertificateRefusedEvent {
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

/** The signer refused more certificates than it has events for: how many, within a minute. */
export interface RefusalsCountedEvent {
  readonly event: 'certificate-refusals-summary'
  /** The handle whose first refusal was an event; absent: of handles that had none. */
  readonly handle?: string | undefined
  readonly reason: CertificateRefusal
  readonly count: number
  /** When counting began; ISO 8601. */
  readonly since: string
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
  | RefusalsSummaryEvent
  | ConfigurationLoadedEvent
  | ConfigurationRejectedEvent
  | CertificateIssuedEvent
  | CertificateRefusedEvent
  | RefusalsCountedEvent
