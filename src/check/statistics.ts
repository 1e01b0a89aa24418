// What is counted of checks: by route, reason and authenticator, which the configuration names or we
// do, so that a caller can make as many requests as it likes and there will be no more to count.

import type { Reason } from '../audit/event.ts'
import { Distribution } from '../runtime/distribution.ts'
import type { Decision, Trail } from './decision.ts'
import type { CheckObserver } from './observer.ts'

/** The checks of one route. */
export interface RouteStatistics {
  readonly reasons: ReadonlyMap<Reason, number>
  readonly allowed: Distribution
  readonly denied: Distribution
  /** Those that were forwarded with a client certificate. */
  readonly certificates: number
}

/** What became of credentials. */
export type CredentialOutcome = 'authenticated' | 'rejected' | 'unavailable'

/** Stands for the route of a request that has none; no route can have this name. */
export const NO_ROUTE = '-'

interface Route {
  readonly reasons: Map<Reason, number>
  readonly allowed: Distribution
  readonly denied: Distribution
  certificates: number
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

  decided(decision: Decision, trail: Trail, duration: number): void {
    const { reason } = decision
    const route = this.#routeOf(trail.route?.name ?? NO_ROUTE)
    route.reasons.set(reason, (route.reasons.get(reason) ?? 0) + 1)
    if (decision.outcome === 'allow') {
      route.allowed.observe(duration / 1_000)
      if (decision.credentials.secret !== undefined) route.certificates += 1
    } else {
      route.denied.observe(duration / 1_000)
    }
    if (trail.authenticator !== undefined) {
      this.#authenticationsOf(trail.authenticator)[outcomeOf(reason, trail)] += 1
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

/** Facts that no identity came of count as rejected; the reason of the decision tells them apart. */
const outcomeOf = (reason: Reason, { identity }: Trail): CredentialOutcome => {
  if (identity !== undefined) return 'authenticated'
  return reason === 'authenticator-unavailable' ? 'unavailable' : 'rejected'
}
