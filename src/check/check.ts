// The request path: every check goes through here, top to bottom, once.

import type { Authentication } from '../authenticate/authenticator.ts'
import { holds } from '../request/credential-location.ts'
import type { ChainLink, ChainResult } from '../authenticate/chain.ts'
import type { AuthorizerVerdict } from '../authorize/authorizer.ts'
import type { CheckAttributes } from '../request/attributes.ts'
import { readRequest, type Request } from '../request/request.ts'
import { readTarget } from '../request/target.ts'
import type { Clock } from '../runtime/clock.ts'
import { RateLimited } from '../runtime/errors.ts'
import { transform } from '../transform/apply.ts'
import type { Decision, Denial, Trail } from './decision.ts'
import type { Route, RouteTable } from './route.ts'
import type { Snapshot } from './snapshot.ts'

/** What of a configuration in force a check needs. */
export interface CheckState extends Pick<Snapshot, 'behindProxies' | 'limits' | 'clock'> {
  readonly routes: Pick<RouteTable, 'find'>
}

/**
 * Decides one request. Phase 7, audit, is the caller's (`service.ts`): it covers what is thrown too.
 *
 * @param trail is filled in as the phases go, so that a failure is audited with what was known
 */
export const check = async (
  attributes: CheckAttributes,
  state: CheckState,
  trail: Trail,
  signal: AbortSignal,
): Promise<Decision> => {
  trail.attributes = attributes
  const { routes, clock } = state
  // 1. What is asked? A request that is too large or has two readings ends here.
  const reading = readRequest(attributes, state)
  if (reading.outcome !== 'read') return { outcome: 'deny', reason: reading.code }
  const { request } = reading
  trail.request = request

  // 2. Of which service? What no route names is not published.
  const route = routes.find(request)
  if (route === undefined) return { outcome: 'deny', reason: 'no-route' }
  trail.route = route
  const asked = refuseAmbiguous(route, request, trail) ?? readTarget(route, request)
  if (asked.outcome === 'refused') return { outcome: 'deny', reason: asked.code }
  const { target } = asked
  trail.target = target

  // 3. Who asks? Anything but a proven credential ends here.
  const { link, authentication } = await route.chain.authenticate(request, signal)
  if (link !== undefined) trail.authenticator = link.authenticator.name
  signal.throwIfAborted()
  if (link === undefined) return inviting(undecided(authentication, request, route), trail, clock)
  if (authentication.outcome !== 'authenticated') {
    return inviting(unproven(authentication, link, trail), trail, clock)
  }

  const { shown } = authentication.facts
  if (shown !== undefined) trail.shown = shown

  // 4. Under what name? Reserved names and names that cannot be passed on end here.
  const mapping = link.mapping.identityOf(authentication.facts)
  if (mapping.outcome === 'refused') {
    trail.claimedUser = authentication.facts.user
    trail.detail = mapping.detail
    return { outcome: 'deny', reason: mapping.code }
  }
  trail.identity = mapping.identity

  // 5. May they? No matching rule is a refusal.
  const question = { identity: mapping.identity, request, ...target, at: clock.now() }
  const verdict = await route.authorizer.authorize(question, signal)
  signal.throwIfAborted()
  trail.shadows = verdict.shadows
  if (verdict.outcome !== 'permit') return denied(verdict, trail)

  // 6. What does the upstream see? A credential that cannot be made is a refusal, not a bare pass.
  const { permit } = verdict
  const transformation = await transform(permit, route, signal)
  signal.throwIfAborted()
  switch (transformation.outcome) {
    case 'transformed':
      return {
        outcome: 'allow',
        reason: 'permitted',
        permit,
        credentials: transformation.credentials,
      }
    case 'failed':
      if (transformation.detail !== undefined) trail.detail = transformation.detail
      return { outcome: 'deny', reason: transformation.code, rule: permit.rule }
    case 'unavailable':
      return {
        ...unanswered('transform-unavailable', transformation.cause, trail),
        rule: permit.rule,
      }
  }
}

/** A path that could be one of another route, whose rules have not been asked. */
const refuseAmbiguous = (
  { otherRouteOf }: Route,
  request: Request,
  trail: Trail,
): { readonly outcome: 'refused'; readonly code: 'ambiguous-path' } | undefined => {
  const other = otherRouteOf?.(request)
  if (other === undefined) return undefined
  trail.detail = `decoded, or to servers that read paths loosely, it is one of route "${other}"`
  return { outcome: 'refused', code: 'ambiguous-path' }
}

/** Who shows nothing, or what is good no more, may log in. */
const INVITED: ReadonlySet<Denial['reason']> = new Set(['credential-missing', 'session-ended'])

/** The same denial; the browsers of a route where people log in are told where. */
const inviting = (denial: Denial, trail: Trail, clock: Clock): Denial => {
  const { request, route } = trail
  if (request === undefined || !INVITED.has(denial.reason)) return denial
  const invitation = route?.login?.invitationFor(request, clock.now())
  if (invitation !== undefined) trail.login = invitation
  return denial
}

/** What no link of the chain decided, as a decision. */
const undecided = (
  authentication: Extract<ChainResult, { link: undefined }>['authentication'],
  request: Request,
  { chain }: Route,
): Denial => {
  if (authentication.outcome === 'rejected') {
    return { outcome: 'deny', reason: authentication.code }
  }
  // Also a token of an issuer that no authenticator knows: shown, but not to be judged here.
  const shown = chain.carriers.some((carrier) => holds(request, carrier))
  return { outcome: 'deny', reason: shown ? 'credential-unsupported' : 'credential-missing' }
}

/** What the deciding link did not find proven, as a decision. */
const unproven = (
  authentication: Extract<Authentication, { outcome: 'rejected' | 'unavailable' }>,
  { authenticator }: ChainLink,
  trail: Trail,
): Denial => {
  if (authentication.outcome === 'unavailable') {
    return unanswered('authenticator-unavailable', authentication.cause, trail)
  }
  const { code, user, userHash, shown, challenge, retryAfter } = authentication
  if (shown !== undefined) trail.shown = shown
  if (user !== undefined) trail.claimedUser = user
  if (userHash !== undefined) trail.claimedUserHash = userHash
  if (retryAfter !== undefined) trail.retryAfter = retryAfter
  if (challenge !== undefined) {
    trail.challenge = { text: challenge, of: authenticator.challenges }
  }
  return { outcome: 'deny', reason: code }
}

/** What a server did not answer, as a decision: it was not asked where this caller asks too much. */
const unanswered = (
  reason: 'authenticator-unavailable' | 'authorizer-unavailable' | 'transform-unavailable',
  cause: unknown,
  trail: Trail,
): Denial => {
  if (!(cause instanceof RateLimited)) return { outcome: 'deny', reason, cause }
  trail.retryAfter = cause.retryAfter
  trail.detail = cause.message
  return { outcome: 'deny', reason: 'rate-limited' }
}

/** A verdict that is no permit, as a decision. */
const denied = (
  verdict: Exclude<AuthorizerVerdict, { outcome: 'permit' }>,
  trail: Trail,
): Decision => {
  switch (verdict.outcome) {
    case 'denied':
      trail.rule = verdict.rule
      return { outcome: 'deny', reason: 'rule-denied', rule: verdict.rule.name }
    case 'failed':
      trail.detail = verdict.detail
      return { outcome: 'deny', reason: 'rule-failed', rule: verdict.rule.name }
    case 'scope-missing':
      trail.missingScopes = verdict.scopes
      return { outcome: 'deny', reason: 'scope-missing' }
    case 'no-rule':
      return {
        outcome: 'deny',
        reason: trail.target?.kubernetes?.impersonation === undefined ? 'no-rule' : 'impersonation',
      }
    case 'operation-undefined':
      return { outcome: 'deny', reason: verdict.outcome }
    case 'unavailable': {
      const denial = unanswered('authorizer-unavailable', verdict.cause, trail)
      // No rule has decided where this caller may not have its question asked.
      return denial.reason === 'rate-limited' ? denial : { ...denial, rule: verdict.rule.name }
    }
  }
}
