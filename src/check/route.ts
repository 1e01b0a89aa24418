// Phase 2: which of the published services is meant.

import { parametersAmong } from '../authenticate/carrier.ts'
import type { Chain } from '../authenticate/chain.ts'
import type { Policy } from '../authorize/policy.ts'
import { pathMatcher, type Predicate } from '../authorize/match.ts'
import type { RouteConfig } from '../config/schema.ts'
import type { SecretParameters } from '../request/query.ts'
import type { Request } from '../request/request.ts'
import type { CredentialPlaces } from '../transform/strip.ts'
import type { Transformer } from '../transform/transformer.ts'

/** One published service, compiled. */
export interface Route {
  readonly name: string
  readonly chain: Chain
  readonly policy: Policy
  readonly transformers: readonly Transformer[]
  /** Where it takes credentials, beyond what is stripped from every request. */
  readonly places: CredentialPlaces | undefined
  readonly onAuditFailure: RouteConfig['onAuditFailure']
}

/** A route and what takes it. */
export interface RouteEntry {
  readonly route: Route
  readonly match: RouteConfig['match']
}

/** The routes of a configuration, in its order. */
export class RouteTable {
  /** The parameters of the query in which some route takes credentials. */
  readonly parameters: SecretParameters | undefined
  readonly #byName: ReadonlyMap<string, Route>
  readonly #entries: readonly {
    readonly route: Route
    readonly matchesHost: Predicate
    readonly matchesPath: Predicate
  }[]

  constructor(entries: readonly RouteEntry[]) {
    this.parameters = parametersAmong(entries.flatMap(({ route }) => route.chain.carriers))
    this.#byName = new Map(entries.map(({ route }) => [route.name, route]))
    this.#entries = entries.map(({ route, match }) => ({
      route,
      matchesHost: hostMatcher(match.hosts),
      matchesPath: pathMatcher(match.paths),
    }))
  }

  /**
   * The route of a request. Envoy's choice counts when it names one, so that we can never judge by
   * one route what Envoy forwards by another; else the first whose host and path match.
   */
  find({ routeName, host, path }: Request): Route | undefined {
    if (routeName !== undefined) return this.#byName.get(routeName)
    return this.#entries.find((entry) => entry.matchesHost(host) && entry.matchesPath(path))?.route
  }
}

/** Any of the host patterns: a name, `*.example.org` (every name below it), or `*`. */
export const hostMatcher = (patterns: readonly string[]): Predicate => {
  if (patterns.includes('*')) return () => true
  const exact = new Set(patterns)
  const suffixes = patterns.filter((name) => name.startsWith('*.')).map((name) => name.slice(1))
  return (host) => exact.has(host) || suffixes.some((suffix) => host.endsWith(suffix))
}
