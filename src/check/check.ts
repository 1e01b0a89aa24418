// The request path: every check goes through here, top to bottom, once.

import type { Authentication } from '../authenticate/authenticator.ts'
import type { ChainLink, ChainResult } from '../authenticate/chain.ts'
import type { AuthorizerVerdict } from '../authorize/authorizer.ts'
import type { CheckAttributes } from '../request/attributes.ts'
import { Workspace } from '../authorize/question.ts'
import { holds } from '../request/credential-location.ts'
import { readRequest } from '../request/request.ts'
import { readTarget } from '../request/target.ts'
import type { Clock } from '../runtime/clock.ts'
import { summaryOf } from '../runtime/dependency-failure.ts'
import { RateLimited } from '../runtime/errors.ts'
import type { MaybePromise } from '../runtime/maybe-promise.ts'
import { transform, type TransformResult } from '../transform/apply.ts'
import type {
  AuthenticatedContext,
  IdentifiedContext,
  PermittedContext,
  ReceivedContext,
  RoutedContext,
} from './context.ts'
import { deny, type Allowance, type Decision, type Denial, type DenialDetails } from './decision.ts'
import { proceed, type Phase, type PhaseSurroundings, type Step } from './phases.ts'
import type { RouteTable } from './route.ts'
import type { Snapshot } from './snapshot.ts'
import type { CheckWatch } from './watch.ts'

/** What of a configuration in force a check needs. */
export interface CheckState extends Pick<
  Snapshot,
  'behindProxies' | 'limits' | 'clock' | 'phases'
> {
  readonly routes: Pick<RouteTable, 'find'>
}

/**
 * Decides one request, at once where no phase has to wait. Never throws and never rejects. Phase 7, audit, is the
 * caller's (`service.ts`).
 *
 * @param watch follows the phases; absent for most checks
 */
export const check = (
  attributes: CheckAttributes,
  state: CheckState,
  signal: AbortSignal,
  watch?: CheckWatch,
): MaybePromise<Decision> => {
  const surroundings = { state, signal, watch }
  // 1. Does the request have one reading? 2. Which route takes it?
  const routed = proceed({ attributes }, REQUEST, surroundings)
  // 3. Which credential does the request carry, and is it proven?
  const authenticated = proceed(routed, AUTHENTICATE, surroundings)
  // 4. Whose is it?
  const identified = proceed(authenticated, IDENTIFY, surroundings)
  // 5. Does a rule allow the request?
  const permitted = proceed(identified, AUTHORIZE, surroundings)
  // 6. Which credential does the upstream get?
  return proceed(permitted, TRANSFORM, surroundings)
}

/** What every phase gets. */
type Surroundings = PhaseSurroundings<CheckState>

/** Phases 1 and 2. A request that is too large, or has two readings, or that no route takes, ends here. */
const findRoute = (context: ReceivedContext, { state }: Surroundings): Step<RoutedContext> => {
  const { attributes } = context
  const reading = readRequest(attributes, state)
  if (reading.outcome !== 'read') return deny(context, reading.code)
  const { request } = reading
  const route = state.routes.find(request)
  if (route === undefined) return deny({ attributes, request }, 'no-route')
  const other = route.otherRouteOf?.(request)
  if (other !== undefined) {
    const detail = `decoded, or to servers that read paths loosely, it is one of route "${other}"`
    return deny({ attributes, request, route }, 'ambiguous-path', { detail })
  }
  const read = readTarget(route, request)
  return read.outcome === 'read'
    ? { attributes, request, route, target: read.target }
    : deny({ attributes, request, route }, read.code)
}

/** Phase 3. Its answer is judged by the next phase, so that a check that is aborted names the authenticator. */
const authenticate = (
  context: RoutedContext,
  { state: { phases }, signal }: Surroundings,
): MaybePromise<AuthenticatedContext> => {
  const result = context.route.chain.authenticate(context.request, signal)
  return result instanceof Promise
    ? phases.during('authenticate', result).then((settled) => withResult(context, settled))
    : withResult(context, result)
}

const withResult = (context: RoutedContext, result: ChainResult): AuthenticatedContext =>
  result.link === undefined
    ? { ...context, result }
    : { ...context, result, authenticator: result.link.authenticator.name }

/** Phase 4. Anything but a proven credential ends here; so do reserved names, and names that cannot be passed on. */
const identify = (
  { attributes, request, route, target, result, authenticator }: AuthenticatedContext,
  { state: { clock } }: Surroundings,
): Step<IdentifiedContext> => {
  const { link, authentication } = result
  const routed = { attributes, request, route, target }
  const context = authenticator === undefined ? routed : { ...routed, authenticator }
  if (link === undefined) return orLogin(undecided(authentication, context), context, clock)
  if (authentication.outcome !== 'authenticated') {
    return orLogin(unproven(authentication, link, context), context, clock)
  }
  const { credential } = authentication
  const named = { attributes, request, route, target, authenticator: link.authenticator.name }
  const { presented } = credential
  const proven = presented === undefined ? named : { ...named, presented }
  const mapping = link.mapping.identityOf(credential)
  if (mapping.outcome === 'identity') return { ...proven, identity: mapping.identity }
  return deny(proven, mapping.code, {
    claimedUser: credential.user,
    ...(mapping.detail === undefined ? undefined : { detail: mapping.detail }),
  })
}

/** Phase 5. Without a rule that allows it a request ends here. */
const authorize = (
  context: IdentifiedContext,
  { state: { clock, phases }, signal }: Surroundings,
): MaybePromise<Step<PermittedContext>> => {
  const { identity, request, target, route } = context
  const { kubernetes, operation } = target
  const at = clock.now()
  const workspace = new Workspace()
  const question = { identity, request, kubernetes, operation, at, workspace }
  const verdict = route.authorizer.authorize(question, signal)
  return verdict instanceof Promise
    ? phases.during('authorize', verdict).then((settled) => judged(settled, context, signal))
    : judged(verdict, context, signal)
}

const judged = (
  verdict: AuthorizerVerdict,
  context: IdentifiedContext,
  signal: AbortSignal,
): Step<PermittedContext> => {
  signal.throwIfAborted()
  const { shadows } = verdict
  return verdict.outcome === 'permit'
    ? { ...context, shadows, permit: verdict.permit }
    : notPermitted(verdict, { ...context, shadows })
}

/** Phase 6. A credential that cannot be made is a refusal: nothing is forwarded without it. */
const forward = (
  context: PermittedContext,
  { state: { phases }, signal }: Surroundings,
): MaybePromise<Step<Allowance>> => {
  const transformation = transform(context.permit, context.route, signal)
  return transformation instanceof Promise
    ? phases
        .during('transform', transformation)
        .then((settled) => forwarded(settled, context, signal))
    : forwarded(transformation, context, signal)
}

const forwarded = (
  transformation: TransformResult,
  context: PermittedContext,
  signal: AbortSignal,
): Decision => {
  signal.throwIfAborted()
  const { permit } = context
  const { rule } = permit
  switch (transformation.outcome) {
    case 'transformed': {
      const { credentials } = transformation
      return { outcome: 'allow', reason: 'permitted', context, permit, credentials }
    }
    case 'failed': {
      const { code, detail } = transformation
      return deny(context, code, { rule, ...(detail === undefined ? undefined : { detail }) })
    }
    case 'unavailable':
      return unavailable('transform-unavailable', transformation.cause, context, { rule })
  }
}

const REQUEST: Phase<ReceivedContext, RoutedContext, CheckState> = {
  name: 'request',
  run: findRoute,
}
const AUTHENTICATE: Phase<RoutedContext, AuthenticatedContext, CheckState> = {
  name: 'authenticate',
  run: authenticate,
}
const IDENTIFY: Phase<AuthenticatedContext, IdentifiedContext, CheckState> = {
  name: 'identity',
  run: identify,
}
const AUTHORIZE: Phase<IdentifiedContext, PermittedContext, CheckState> = {
  name: 'authorize',
  run: authorize,
}
const TRANSFORM: Phase<PermittedContext, Allowance, CheckState> = {
  name: 'transform',
  run: forward,
}

/** The refusals after which a browser may log in: it presented no credential, or one that has ended. */
const MAY_LOG_IN: ReadonlySet<Denial['reason']> = new Set(['credential-missing', 'session-ended'])

/** The same denial; on a route with a login, a browser is redirected to it. */
const orLogin = (denial: Denial, { request, route }: RoutedContext, clock: Clock): Denial => {
  if (!MAY_LOG_IN.has(denial.reason)) return denial
  const login = route.login?.invitationFor(request, clock.now())
  return login === undefined ? denial : { ...denial, login }
}

/** What no link of the chain decided, as a decision. */
const undecided = (
  authentication: Extract<ChainResult, { link: undefined }>['authentication'],
  context: RoutedContext,
): Denial => {
  if (authentication.outcome === 'rejected') return deny(context, authentication.code)
  // Also a token of an issuer that no authenticator knows: it is carried, but not accepted here.
  const { request, route } = context
  const carried = route.chain.locations.some((location) => holds(request, location))
  if (!carried) return deny(context, 'credential-missing')
  const detail = authentication.detail?.()
  return deny(context, 'credential-unsupported', detail === undefined ? undefined : { detail })
}

/** What the deciding link did not find proven, as a decision. */
const unproven = (
  authentication: Extract<Authentication, { outcome: 'rejected' | 'unavailable' }>,
  { authenticator }: ChainLink,
  context: RoutedContext,
): Denial => {
  if (authentication.outcome === 'unavailable') {
    return unavailable('authenticator-unavailable', authentication.cause, context)
  }
  const { code, user, userHash, presented, challenge, retryAfter, detail } = authentication
  return deny(presented === undefined ? context : { ...context, presented }, code, {
    ...(user === undefined ? undefined : { claimedUser: user }),
    ...(userHash === undefined ? undefined : { claimedUserHash: userHash }),
    ...(retryAfter === undefined ? undefined : { retryAfter }),
    ...(detail === undefined ? undefined : { detail }),
    ...(challenge === undefined
      ? undefined
      : { challenge: { text: challenge, of: authenticator.challenges } }),
  })
}

/** A server that gave no answer, as a decision; or got no request, because this client sends too many. */
const unavailable = (
  reason: 'authenticator-unavailable' | 'authorizer-unavailable' | 'transform-unavailable',
  cause: unknown,
  context: RoutedContext,
  details?: Pick<DenialDetails, 'rule'>,
): Denial => {
  if (!(cause instanceof RateLimited)) {
    const summary = summaryOf(cause)
    const detail = summary === undefined ? undefined : { detail: summary }
    return deny(context, reason, { cause, ...detail, ...details })
  }
  const { retryAfter, message: detail } = cause
  return deny(context, 'rate-limited', { retryAfter, detail, ...details })
}

/** A verdict other than a permit, as a decision. */
const notPermitted = (
  verdict: Exclude<AuthorizerVerdict, { outcome: 'permit' }>,
  context: IdentifiedContext,
): Denial => {
  switch (verdict.outcome) {
    case 'denied': {
      const { rule } = verdict
      return deny(context, 'rule-denied', { rule: rule.name, deniedBy: rule })
    }
    case 'failed':
      return deny(context, 'rule-failed', { rule: verdict.rule.name, detail: verdict.detail })
    case 'scope-missing':
      return deny(context, 'scope-missing', { missingScopes: verdict.scopes })
    case 'no-rule': {
      const impersonates = context.target.kubernetes?.impersonation !== undefined
      return deny(context, impersonates ? 'impersonation' : 'no-rule')
    }
    case 'operation-undefined':
      return deny(context, verdict.outcome)
    case 'unavailable': {
      // No rule has decided where the question was not sent.
      const { cause, rule } = verdict
      const details = cause instanceof RateLimited ? undefined : { rule: rule.name }
      return unavailable('authorizer-unavailable', cause, context, details)
    }
  }
}
