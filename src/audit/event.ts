// The audit log's closed vocabulary: every event. Their fields are in `events/`, as schemas.

import type {
  ConfigurationLoadedEvent,
  ConfigurationRejectedEvent,
} from './events/configuration-schema.ts'
import type { DecisionEvent, RefusalsSummaryEvent } from './events/decision-schema.ts'
import type {
  CertificateIssuedEvent,
  CertificateRefusedEvent,
  RefusalsCountedEvent,
} from './events/issuance-schema.ts'
import type {
  LogCheckpointEvent,
  LogOpenedEvent,
  RecordsSkippedEvent,
} from './events/log-schema.ts'
import type {
  LoginEndedEvent,
  LoginEvent,
  LoginRenewedEvent,
  SessionBeganEvent,
  SessionsEndedEvent,
  TokensIssuedEvent,
} from './events/login-schema.ts'

export type {
  DecisionEvent,
  RecordedKubernetes,
  RefusalsSummaryEvent,
} from './events/decision-schema.ts'
export type { CertificateRefusedEvent, RefusalsCountedEvent } from './events/issuance-schema.ts'
export type { LoginEvent, SessionsEndedEvent, TokensIssuedEvent } from './events/login-schema.ts'
export type { LoginRefusal } from './login-reason.ts'
export type { CertificateRefusal, Reason } from './reason.ts'

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
  | LogOpenedEvent
  | LogCheckpointEvent
  | RecordsSkippedEvent
