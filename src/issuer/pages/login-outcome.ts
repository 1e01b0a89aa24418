// The outcome of a login attempt, for the log and for the user: the log receives the reason, the user only what does not
// help guessing.

import type { LoginRefusal } from '../../audit/event.ts'
import type { AccountRefusal } from '../../authenticate/password/verifier.ts'
import type { ChallengeModel } from '../../pages/views/challenge.ts'
import type { LoginProblem } from '../../pages/views/login.ts'
import { summaryOf } from '../../runtime/dependency-failure.ts'
import type { PageStatus } from './interaction-request.ts'
import type { Proof, LoginCredential } from '../../authenticate/login/prove.ts'

/** A failed verification. */
export type Unproven = Exclude<Proof, { outcome: 'proven' | 'asked' | 'stale' }>

/** What was presented, a password say, or an answer. */
export interface PresentedKind {
  readonly kind: LoginCredential['kind'] | 'answer'
}

/** For the log. */
export const refusalOf = (
  proof: Unproven,
  { kind }: PresentedKind,
): { readonly reason: LoginRefusal; readonly detail?: string | undefined } => {
  switch (proof.outcome) {
    case 'rejected':
      return { reason: proof.code }
    case 'refused':
      return { reason: proof.code, detail: proof.detail }
    case 'unavailable':
      return { reason: 'authenticator-unavailable', detail: summaryOf(proof.cause) }
    case 'not-applicable':
      return { reason: kind === 'certificate' ? 'credential-missing' : 'credential-malformed' }
  }
}

// Sent only once the password was right. `second-factor-required` is not among them: it is also sent when the password was
// wrong (authenticate/password/authenticator.ts).
const TOLD: ReadonlySet<string> = new Set<AccountRefusal>([
  'user-disabled',
  'user-locked',
  'user-expired',
  'user-restricted',
  'password-expired',
  'password-must-change',
])

const isTold = (code: string): code is AccountRefusal => TOLD.has(code)

const DEFAULT_WAIT_S = 60

/** For the user. */
export const problemOf = (proof: Unproven, { kind }: PresentedKind): LoginProblem => {
  if (proof.outcome === 'unavailable') return { kind: 'unavailable' }
  // Of the mapping: the user is proven, so it reveals nothing.
  if (proof.outcome === 'refused') return { kind: 'denied' }
  if (proof.outcome === 'rejected' && proof.code === 'too-many-attempts') {
    return { kind: 'locked', seconds: proof.retryAfter ?? DEFAULT_WAIT_S }
  }
  if (kind === 'certificate') {
    const reason = proof.outcome === 'not-applicable' ? 'none' : 'refused'
    return { kind: 'certificate', reason }
  }
  if (proof.outcome === 'rejected' && isTold(proof.code)) {
    return { kind: 'refused', code: proof.code }
  }
  if (kind === 'answer') return { kind: 'answer' }
  return { kind: 'wrong' }
}

/** For programs. */
export const statusOf = (problem: LoginProblem | ChallengeModel['problem']): PageStatus => {
  switch (problem?.kind) {
    case undefined:
      return { status: 200 }
    case 'missing':
    case 'expired':
      return { status: 400 }
    case 'locked':
      return { status: 429, retryAfter: problem.seconds }
    case 'unavailable':
      return { status: 503 }
    case 'provider':
      return { status: problem.isDown === true ? 503 : 403 }
    case 'wrong':
    case 'denied':
    case 'refused':
    case 'answer':
    case 'certificate':
      return { status: 403 }
  }
}
