// Every reason code with its cause and remedy: what `countersign reason` prints, and docs/reference/reasons.md.

import type { Reason } from '../reason.ts'
import type { AccountEnd } from '../../authenticate/password/verifier.ts'
import type { LoginRefusal } from '../login-reason.ts'
import { ISSUANCE_REASONS } from './certificates.ts'
import { CREDENTIAL_REASONS, USER_REASONS } from './credentials.ts'
import { IDENTITY_REASONS, RULE_REASONS, SERVICE_REASONS, TRANSFORM_REASONS } from './decisions.ts'
import type { ReasonExplanation } from './explanation.ts'
import { LOGIN_REASONS } from './logins.ts'
import { REQUEST_REASONS } from './requests.ts'
import { CERTIFICATE_REASONS, TOKEN_REASONS } from './tokens.ts'

/** The reasons of decisions, by phase and in the order of the phases. */
export const DECISION_REASON_GROUPS = [
  { title: 'Requests and routes', reasons: REQUEST_REASONS },
  { title: 'Credentials, API keys and sessions', reasons: CREDENTIAL_REASONS },
  { title: 'Users and passwords', reasons: USER_REASONS },
  { title: 'Tokens', reasons: TOKEN_REASONS },
  { title: 'Client certificates', reasons: CERTIFICATE_REASONS },
  { title: 'Identities', reasons: IDENTITY_REASONS },
  { title: 'Rules', reasons: RULE_REASONS },
  { title: 'Credentials for the upstream', reasons: TRANSFORM_REASONS },
  { title: 'The check itself', reasons: SERVICE_REASONS },
] as const

/** The reasons of decisions. The compiler requires each one. */
export const DECISION_REASONS: Readonly<Record<Reason, ReasonExplanation>> = {
  ...REQUEST_REASONS,
  ...CREDENTIAL_REASONS,
  ...USER_REASONS,
  ...TOKEN_REASONS,
  ...CERTIFICATE_REASONS,
  ...IDENTITY_REASONS,
  ...RULE_REASONS,
  ...TRANSFORM_REASONS,
  ...SERVICE_REASONS,
}

const LOGIN: Readonly<Record<LoginRefusal | AccountEnd, ReasonExplanation>> = {
  ...DECISION_REASONS,
  ...LOGIN_REASONS,
}

/** The reasons of refused logins; some of them only where a request has a credential. */
export const LOGIN_REFUSALS: Readonly<Record<LoginRefusal, ReasonExplanation>> = {
  ...CREDENTIAL_REASONS,
  ...USER_REASONS,
  ...TOKEN_REASONS,
  ...CERTIFICATE_REASONS,
  ...IDENTITY_REASONS,
  'token-unmapped': TRANSFORM_REASONS['token-unmapped'],
  'token-reserved': TRANSFORM_REASONS['token-reserved'],
  'credential-expired': TRANSFORM_REASONS['credential-expired'],
  'provider-refused': LOGIN_REASONS['provider-refused'],
  'provider-response-invalid': LOGIN_REASONS['provider-response-invalid'],
}

/** Where a code occurs, and what it means there. */
export interface ExplainedReason extends ReasonExplanation {
  /** `decision` of authz, `login` at the issuer, `issuance` of the signer. */
  readonly of: 'decision' | 'login' | 'issuance'
}

/** What a code means; several where authz and the signer use the same one, none where it is unknown. */
export const explainReason = (code: string): readonly ExplainedReason[] => {
  const decision = own(DECISION_REASONS, code)
  const login = decision === undefined ? own(LOGIN, code) : undefined
  const issuance = own(ISSUANCE_REASONS, code)
  return [
    ...(decision === undefined ? [] : [{ of: 'decision', ...decision } as const]),
    ...(login === undefined ? [] : [{ of: 'login', ...login } as const]),
    ...(issuance === undefined ? [] : [{ of: 'issuance', ...issuance } as const]),
  ]
}

const own = (
  table: Readonly<Record<string, ReasonExplanation>>,
  code: string,
): ReasonExplanation | undefined => (Object.hasOwn(table, code) ? table[code] : undefined)

/** Every code, sorted. */
export const reasonCodes = (): readonly string[] =>
  [...new Set([...Object.keys(LOGIN), ...Object.keys(ISSUANCE_REASONS)])].toSorted()

export { ISSUANCE_REASONS, LOGIN_REASONS }
