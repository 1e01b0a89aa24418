// The request path: every check goes through here, top to bottom, once.

import { holds } from '../authenticate/carrier.ts'
import { evaluate } from '../authorize/evaluate.ts'
import type { CheckAttributes } from '../request/attributes.ts'
import { readRequest } from '../request/request.ts'
import { transform } from '../transform/apply.ts'
import type { Decision, Trail } from './decision.ts'
import type { Snapshot } from './snapshot.ts'

/**
 * Decides one request. Phase 7, audit, is the caller's (`service.ts`): it covers what is thrown too.
 *
 * @param trail is filled in as the phases go, so that a failure is audited with what was known
 */
export const check = async (
  attributes: CheckAttributes,
  { routes, behindProxies }: Snapshot,
  trail: Trail,
  signal: AbortSignal,
): Promise<Decision> => {
  trail.attributes = attributes
  // 1. What is asked? A request with two readings ends here.
  const reading = readRequest(attributes, behindProxies)
  if (reading.outcome !== 'read') return { outcome: 'deny', reason: reading.code }
  const { request } = reading
  trail.request = request

  // 2. Of which service? What no route names is not published.
  const route = routes.find(request)
  if (route === undefined) return { outcome: 'deny', reason: 'no-route' }
  trail.route = route

  // 3. Who asks? Anything but a proven credential ends here.
  const { link, authentication } = await route.chain.authenticate(request, signal)
  if (link !== undefined) trail.authenticator = link.authenticator.name
  signal.throwIfAborted()
  if (link === undefined) {
    if (authentication.outcome === 'rejected') {
      return { outcome: 'deny', reason: authentication.code }
    }
    // Also a token of an issuer that no authenticator knows: shown, but not to be judged here.
    const shown = route.chain.carriers.some((carrier) => holds(request, carrier))
    return { outcome: 'deny', reason: shown ? 'credential-unsupported' : 'credential-missing' }
  }
  if (authentication.outcome === 'rejected') {
    const { user, challenge, retryAfter } = authentication
    if (user !== undefined) trail.claimedUser = user
    if (retryAfter !== undefined) trail.retryAfter = retryAfter
    if (challenge !== undefined) {
      trail.challenge = { text: challenge, of: link.authenticator.challenges }
    }
    return { outcome: 'deny', reason: authentication.code }
  }
  if (authentication.outcome === 'unavailable') {
    return { outcome: 'deny', reason: 'authenticator-unavailable', cause: authentication.cause }
  }

  // 4. Under what name? Reserved names and names that cannot be passed on end here.
  const mapping = link.mapping.identityOf(authentication.facts)
  if (mapping.outcome === 'refused') {
    trail.claimedUser = authentication.facts.user
    return { outcome: 'deny', reason: mapping.code }
  }
  trail.identity = mapping.identity

  // 5. May they? No matching rule is a refusal.
  const verdict = evaluate(route.policy, mapping.identity, request)
  if (verdict.outcome === 'denied') {
    return { outcome: 'deny', reason: 'rule-denied', rule: verdict.rule }
  }
  if (verdict.outcome === 'no-rule') return { outcome: 'deny', reason: 'no-rule' }

  // 6. What does the upstream see? A credential that cannot be made is a refusal, not a bare pass.
  const { permit } = verdict
  const transformation = await transform(permit, route.transformers, signal, route.places)
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
      return { outcome: 'deny', reason: transformation.code, rule: permit.rule }
    case 'unavailable':
      return { outcome: 'deny', reason: 'transform-unavailable', cause: transformation.cause }
  }
}
