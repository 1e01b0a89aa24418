// Phase 4 explained: under what name the caller goes, without what proved it.

import type { Identity } from '../../identity/identity.ts'
import type { Decision } from '../../check/decision.ts'
import type { PhaseOutcome } from './outcome.ts'

/** Phase 4: under what name. */
export interface IdentityPhase {
  readonly outcome: PhaseOutcome
  /** Why it ended here: the reason, as audit has it. */
  readonly code?: string
  readonly detail?: string
  readonly identity?: NamedIdentity
}

/** An identity without what it was proven by. */
interface NamedIdentity extends Pick<
  Identity,
  'user' | 'uid' | 'groups' | 'groupsOmitted' | 'extra' | 'authenticator' | 'method'
> {
  /** The end of the credential, ISO 8601. */
  readonly expires?: string
  /** The names of the token's claims; their values stay with it. */
  readonly claims?: readonly string[]
}

/** Explains the name that the caller has. */
export const explainIdentity = (decision: Decision, authenticated: boolean): IdentityPhase => {
  if (!authenticated) return { outcome: 'not-reached' }
  const { identity } = decision.context
  if (identity === undefined) {
    const detail = decision.outcome === 'deny' ? decision.detail : undefined
    return { outcome: 'miss', code: decision.reason, ...(detail === undefined ? {} : { detail }) }
  }
  const { user, uid, groups, groupsOmitted, extra, authenticator, method, expires, claims } =
    identity
  return {
    outcome: 'hit',
    identity: {
      user,
      ...(uid === undefined ? {} : { uid }),
      groups,
      ...(groupsOmitted === undefined ? {} : { groupsOmitted }),
      extra,
      authenticator,
      method,
      ...(expires === undefined ? {} : { expires: new Date(expires).toISOString() }),
      ...(claims === undefined ? {} : { claims: Object.keys(claims) }),
    },
  }
}
