// One check, explained: the very code of the live path runs, observed, and its results are reported
// phase by phase. Pure except for what the check itself requests; nothing is audited and nothing counted.

import type { CheckAttributes } from '../../request/attributes.ts'
import { respond } from '../../check/answer/response.ts'
import { check } from '../../check/check.ts'
import { simulate, UNRECORDED_ID, type Simulation } from '../simulation.ts'
import type { Outcome } from '../replay/recorded-event.ts'
import type { UndeterminedReason } from '../replay/replay.ts'
import type { RouteTable } from '../../check/route.ts'
import type { Snapshot } from '../../check/snapshot.ts'
import { explainAnswer, type AnswerPhase } from './answer.ts'
import { explainAuthentication, type AuthenticatePhase } from './authenticate.ts'
import { explainAuthorization, type AuthorizePhase } from './authorize.ts'
import { explainIdentity, type IdentityPhase } from './identity.ts'
import { explainRequest, type RequestPhase } from './request.ts'
import { explainRoute, explainTarget, type RoutePhase, type TargetPhase } from './route.ts'
import { withTrace, type Trace } from './trace.ts'
import { explainTransformation, type TransformPhase } from './transform.ts'

/** Every phase of one check. Holds no credential: it may be printed, and passed on. */
export interface Explanation {
  readonly request: RequestPhase
  readonly route: RoutePhase
  readonly target: TargetPhase
  readonly authenticate: AuthenticatePhase
  readonly identity: IdentityPhase
  readonly authorize: AuthorizePhase
  readonly transform: TransformPhase
  readonly answer: AnswerPhase
  /** Of a decision of an audit log. */
  readonly recorded?: RecordedOutcome
}

/** What rules come to, then and now. */
interface RecordedOutcome {
  /** What they came to then. */
  readonly before: Outcome
  /**
   * Why their outcome now is undetermined, as in a replay: the phases show how far the log
   * leads, and `answer` counts for nothing.
   */
  readonly undetermined?: UndeterminedReason
}

/** What of a configuration in force is explained. */
export interface ExplainState extends Pick<
  Snapshot,
  'behindProxies' | 'limits' | 'clock' | 'phases'
> {
  readonly routes: Pick<RouteTable, 'find' | 'entries' | 'withheld'>
}

/**
 * Explains one check. It calls the same servers as the check, so with a credential those of its authenticators.
 *
 * @param simulation the identity, where it is not to be proven, the time, and what the API server answers
 * @throws TypeError when the explanation and the decision disagree, which would be a bug
 */
export const explain = async (
  attributes: CheckAttributes,
  state: ExplainState,
  simulation: Simulation,
  signal: AbortSignal,
): Promise<Explanation> => {
  const { routes } = state
  // The same moment for everything: expressions are read again to explain them.
  const at = simulation.at ?? state.clock.now()
  const trace: Trace = { asked: new Map() }
  const watched = withTrace(simulate(state, { ...simulation, at }), trace)
  const decision = await check(attributes, watched, signal)
  const answer = respond(UNRECORDED_ID, decision, at)
  const secrets = routes.withheld
  const isSimulated = simulation.identity !== undefined
  const authenticate = explainAuthentication(decision, trace, isSimulated)
  return {
    request: explainRequest(attributes, decision, secrets),
    route: explainRoute(routes, decision.context),
    target: explainTarget(decision),
    authenticate,
    identity: explainIdentity(decision, authenticate.outcome === 'hit'),
    authorize: explainAuthorization(decision.context, trace),
    transform: explainTransformation(decision, answer, trace, secrets),
    answer: explainAnswer(decision, answer),
  }
}
