// Phase 3 explained: which authenticators were tried, and which decided. The explanation contains no value
// of a credential.

import type { Authentication } from '../../authenticate/authenticator.ts'
import { describeError } from '../../runtime/errors.ts'
import type { Decision } from '../../check/decision.ts'
import type { PhaseOutcome } from './outcome.ts'
import type { Trace } from './trace.ts'

/** Phase 3: the caller. */
export interface AuthenticatePhase {
  readonly outcome: PhaseOutcome
  /** That it was given and nothing was proven. */
  readonly given: boolean
  readonly links: readonly LinkExplanation[]
  /** Why it ended here: the reason, as audit has it. */
  readonly code?: string
}

/** One authenticator of the route. */
interface LinkExplanation {
  readonly name: string
  /** `skipped`: it is for callers without a credential, and something was shown. */
  readonly outcome: Authentication['outcome'] | 'skipped' | 'not-reached'
  /** Why it rejected the credential. */
  readonly code?: string
  /** The name that was claimed and not proven. */
  readonly claimedUser?: string
  /** What was required and what was found; or why it gave no answer. */
  readonly detail?: string
}

/** Explains which authenticator decided. */
export const explainAuthentication = (
  { context, reason }: Decision,
  { asked, chain }: Trace,
  given: boolean,
): AuthenticatePhase => {
  const { target, route } = context
  if (target === undefined || route === undefined) {
    return { outcome: 'not-reached', given, links: [] }
  }
  const last = [...asked.keys()].at(-1)
  // Without a link that decided, all had their turn, unless two contradict each other.
  const exhausted = chain?.link === undefined && chain?.authentication.outcome !== 'rejected'
  let reached = asked.size > 0 || exhausted
  const links = route.chain.links.map(({ authenticator: { name } }, place): LinkExplanation => {
    const answer = asked.get(place)
    if (answer !== undefined) {
      if (place === last && !exhausted) reached = false
      return { name, ...explainAnswer(answer) }
    }
    return { name, outcome: reached ? 'skipped' : 'not-reached' }
  })
  return chain?.link !== undefined && chain.authentication.outcome === 'authenticated'
    ? { outcome: 'hit', given, links }
    : { outcome: 'miss', given, links, code: reason }
}

const explainAnswer = (answer: Authentication): Omit<LinkExplanation, 'name'> => {
  switch (answer.outcome) {
    case 'authenticated':
      return { outcome: answer.outcome }
    case 'not-applicable': {
      const { outcome, detail } = answer
      return { outcome, ...(detail === undefined ? {} : { detail: detail() }) }
    }
    case 'rejected': {
      const { outcome, code, user, detail } = answer
      return {
        outcome,
        code,
        ...(user === undefined ? {} : { claimedUser: user }),
        ...(detail === undefined ? {} : { detail }),
      }
    }
    case 'unavailable':
      return { outcome: answer.outcome, detail: describeError(answer.cause) }
  }
}
