// The audit log's closed vocabulary: every event and every field it can have. The table in the
// README repeats it.

import type { RejectionCode } from '../authenticate/authenticator.ts'
import type { AuthenticationMethod, IdentityRefusal } from '../identity/identity.ts'
import type { RequestRefusal } from '../request/request.ts'
import type { TransformFailure, Transformer } from '../transform/transformer.ts'

/** Why a request was decided as it was; exactly one for each decision. */
export type Reason =
  | 'permitted'
  | RequestRefusal
  | 'no-route'
  | 'credential-missing'
  | RejectionCode
  | IdentityRefusal
  | 'authenticator-unavailable'
  | 'rule-denied'
  | 'no-rule'
  | TransformFailure
  | 'transform-unavailable'
  | 'cancelled'
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
  /** The address that Envoy trusts as the caller's. */
  readonly source?: string | undefined
  readonly user?: string | undefined
  readonly groups?: readonly string[] | undefined
  /** The authenticator that decided who it is, and its method. */
  readonly authenticator?: string | undefined
  readonly authentication?: AuthenticationMethod | undefined
  /** Keyed hash of the credential, never the credential; comparable within one process's life. */
  readonly credential?: string | undefined
  readonly rule?: string | undefined
  /** What the upstream gets. */
  readonly forwarded?: readonly Transformer['kind'][] | undefined
  /** From the arrival of the check to this event, in microseconds. */
  readonly duration: number
  /** The configuration that decided, counted from 1 since the start. */
  readonly generation: number
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

/** Everything that is ever written to the audit log. */
export type AuditEvent = DecisionEvent | ConfigurationLoadedEvent | ConfigurationRejectedEvent
