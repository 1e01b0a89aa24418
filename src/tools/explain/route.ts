// Phase 2 explained: which route took the request, and its target in the terms of the service.

import type { Operation } from '../../request/openapi/operation.ts'
import type { Target } from '../../request/target.ts'
import type { CheckContext } from '../../check/context.ts'
import type { Decision } from '../../check/decision.ts'
import type { RouteTable } from '../../check/route.ts'
import type { PhaseOutcome } from './outcome.ts'

/** Phase 2: the service that is meant. */
export interface RoutePhase {
  readonly outcome: PhaseOutcome
  readonly name?: string
  /** Whether Envoy named it (`countersign.route`), or its host and path were compared. */
  readonly by?: 'envoy' | 'match'
  /** Another route that the path could be one of: the request is refused. */
  readonly ambiguousWith?: string
  /** The routes in order, up to the one that was taken; where Envoy names one, none is looked at. */
  readonly routes: readonly RouteExplanation[]
}

/** One route that was tried, or that came after the match. */
interface RouteExplanation {
  readonly name: string
  readonly outcome: PhaseOutcome
  /** What of it did not match. */
  readonly missed?: 'host' | 'path'
  readonly wanted?: readonly string[]
  readonly got?: string
}

/** Explains which route was taken. */
export const explainRoute = (
  { entries }: Pick<RouteTable, 'entries'>,
  { request, route }: CheckContext,
): RoutePhase => {
  if (request === undefined) return { outcome: 'not-reached', routes: [] }
  const other = route?.otherRouteOf?.(request)
  const ambiguous = other === undefined ? {} : { ambiguousWith: other }
  const outcome = route === undefined || other !== undefined ? 'miss' : 'hit'
  if (request.routeName !== undefined) {
    return { outcome, name: request.routeName, by: 'envoy', ...ambiguous, routes: [] }
  }
  let taken = false
  const routes = entries.map(({ route: { name }, match, ...entry }): RouteExplanation => {
    if (taken) return { name, outcome: 'not-reached' }
    const { host, path } = request
    if (!entry.matchesHost(host)) {
      return { name, outcome: 'miss', missed: 'host', wanted: match.hosts, got: host }
    }
    if (!entry.matchesPath(path)) {
      return { name, outcome: 'miss', missed: 'path', wanted: match.paths, got: path }
    }
    taken = true
    return { name, outcome: 'hit' }
  })
  const found = routes.find((one) => one.outcome === 'hit')?.name
  if (found !== route?.name) {
    throw new TypeError(
      `explained otherwise than decided: route ${found}, where it was ${route?.name}`,
    )
  }
  const name = found === undefined ? {} : { name: found }
  return { outcome, ...name, by: 'match', ...ambiguous, routes }
}

/** The requested operation or resource, in the terms of the service. */
export interface TargetPhase {
  readonly outcome: PhaseOutcome
  /** Why it ended here: the reason, as audit has it. */
  readonly code?: string
  readonly kubernetes?: NonNullable<Target['kubernetes']>
  readonly operation?: Pick<Operation, 'id' | 'method' | 'template'>
}

/** Explains the requested operation or resource. */
export const explainTarget = ({ reason, context }: Decision): TargetPhase => {
  const { request, route, target } = context
  const isAmbiguous = request !== undefined && route?.otherRouteOf?.(request) !== undefined
  if (route === undefined || isAmbiguous) return { outcome: 'not-reached' }
  if (target === undefined) return { outcome: 'miss', code: reason }
  const { kubernetes, operation } = target
  return {
    outcome: 'hit',
    ...(kubernetes && { kubernetes }),
    ...(operation && { operation: named(operation.operation) }),
  }
}

const named = ({ id, method, template }: Operation): NonNullable<TargetPhase['operation']> => ({
  id,
  method,
  template,
})
