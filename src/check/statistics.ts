// What is counted of checks: by route, reason, authenticator and rule, which the configuration names
// or a constant does, so that the number of series does not grow with the number of requests.

import type { Reason } from '../audit/event.ts'
import type { ShadowVerdict } from '../authorize/evaluate.ts'
import { Distribution } from '../runtime/metrics/distribution.ts'
import type { SpanReference } from '../runtime/tracing/span.ts'
import type { Decision } from './decision.ts'
import type { CheckObserver } from './observer.ts'

/** The checks of one route. */
export interface RouteStatistics {
  readonly reasons: ReadonlyMap<Reason, number>
  readonly allowed: Distribution
  readonly denied: Distribution
  /** Those that were forwarded with a client certificate. */
  readonly certificates: number
  /** What its rules decided, by rule. */
  readonly rules: ReadonlyMap<string, Readonly<Record<RuleDecision, number>>>
  /** What its rules in shadow would have decided, by rule. */
  readonly shadows: ReadonlyMap<string, ShadowStatistics>
}

/** The outcomes of a rule; `failed` where it is undetermined whether it matches. */
export const RULE_DECISIONS = [
  'allow',
  'deny',
  'failed',
] as const satisfies readonly ShadowVerdict['decision'][]

type RuleDecision = ShadowVerdict['decision']

/** What a rule in shadow would have decided → how often, by what was decided. */
type ShadowStatistics = Readonly<
  Record<RuleDecision, Readonly<Record<Decision['outcome'], number>>>
>

/** The outcomes of credentials. */
export type CredentialOutcome = 'authenticated' | 'rejected' | 'unavailable'

/** The route label of a request that has no route; no route can have this name. */
export const NO_ROUTE = '-'

interface Route {
  readonly reasons: Map<Reason, number>
  readonly allowed: Distribution
  readonly denied: Distribution
  certificates: number
  readonly rules: Map<string, Record<RuleDecision, number>>
  readonly shadows: Map<string, Record<RuleDecision, Record<Decision['outcome'], number>>>
}

/** The checks since the start. */
export class CheckStatistics implements CheckObserver {
  readonly #routes = new Map<string, Route>()
  readonly #authentications = new Map<string, Record<CredentialOutcome, number>>()
  #inFlight = 0

  /** How many are being decided now. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** By route. */
  get routes(): ReadonlyMap<string, RouteStatistics> {
    return this.#routes
  }

  /** By authenticator. */
  get authentications(): ReadonlyMap<string, Readonly<Record<CredentialOutcome, number>>> {
    return this.#authentications
  }

  began(): void {
    this.#inFlight += 1
  }

  ended(): void {
    this.#inFlight -= 1
  }

  decided(decision: Decision, duration: number, span?: SpanReference): void {
    const { reason, context } = decision
    const route = this.#routeOf(context.route?.name ?? NO_ROUTE)
    route.reasons.set(reason, (route.reasons.get(reason) ?? 0) + 1)
    if (decision.outcome === 'allow') {
      route.allowed.observe(duration / 1_000, span)
      if (decision.credentials.secret !== undefined) route.certificates += 1
    } else {
      route.denied.observe(duration / 1_000, span)
    }
    const rule = decision.outcome === 'allow' ? decision.permit.rule : decision.rule
    if (rule !== undefined) rulesOf(route, rule)[ruleDecision(reason)] += 1
    if (context.shadows !== undefined) {
      for (const shadow of context.shadows) {
        shadowsOf(route, shadow.rule)[shadow.decision][decision.outcome] += 1
      }
    }
    if (context.authenticator !== undefined) {
      this.#authenticationsOf(context.authenticator)[outcomeOf(decision)] += 1
    }
  }

  #routeOf(name: string): Route {
    const known = this.#routes.get(name)
    if (known !== undefined) return known
    const route = {
      reasons: new Map<Reason, number>(),
      allowed: new Distribution(),
      denied: new Distribution(),
      certificates: 0,
      rules: new Map<string, Record<RuleDecision, number>>(),
      shadows: new Map<string, Record<RuleDecision, Record<Decision['outcome'], number>>>(),
    }
    this.#routes.set(name, route)
    return route
  }

  #authenticationsOf(name: string): Record<CredentialOutcome, number> {
    const known = this.#authentications.get(name)
    if (known !== undefined) return known
    const outcomes = { authenticated: 0, rejected: 0, unavailable: 0 }
    this.#authentications.set(name, outcomes)
    return outcomes
  }
}

const rulesOf = ({ rules }: Route, name: string): Record<RuleDecision, number> => {
  const known = rules.get(name)
  if (known !== undefined) return known
  const decisions = { allow: 0, deny: 0, failed: 0 }
  rules.set(name, decisions)
  return decisions
}

const shadowsOf = (
  { shadows }: Route,
  name: string,
): Record<RuleDecision, Record<Decision['outcome'], number>> => {
  const known = shadows.get(name)
  if (known !== undefined) return known
  const decisions = {
    allow: { allow: 0, deny: 0 },
    deny: { allow: 0, deny: 0 },
    failed: { allow: 0, deny: 0 },
  }
  shadows.set(name, decisions)
  return decisions
}

/** What the rule decided; a transform that failed, or an audit event that was lost, comes after it. */
const ruleDecision = (reason: Reason): RuleDecision => {
  if (reason === 'rule-denied') return 'deny'
  return reason === 'rule-failed' || reason === 'authorizer-unavailable' ? 'failed' : 'allow'
}

/** A proven credential without an identity counts as rejected; the reason of the decision distinguishes them. */
const outcomeOf = ({ reason, context }: Decision): CredentialOutcome => {
  if (context.identity !== undefined) return 'authenticated'
  return reason === 'authenticator-unavailable' ? 'unavailable' : 'rejected'
}
