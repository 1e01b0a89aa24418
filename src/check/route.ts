// Phase 2: which of the published services is meant.

import { parameterNames } from '../request/credential-location.ts'
import type { Chain } from '../authenticate/chain.ts'
import type { Authorizer } from '../authorize/authorizer.ts'
import type { RouteConfig } from '../configuration/schema.ts'
import { CREDENTIAL_PARAMETERS } from '../request/credential-parameters.ts'
import { HostIndex } from '../request/host-index.ts'
import { hostMatcher } from '../request/hosts.ts'
import { pathMatcher, type Predicate } from '../request/names.ts'
import type { OperationIndex } from '../request/openapi/operation-index.ts'
import { SecretParameters } from '../request/query.ts'
import type { Request } from '../request/request.ts'
import type { Outgoing } from '../transform/apply.ts'
import { otherRouteFinder, type OtherRouteOf } from './ambiguous-routes.ts'
import type { LoginRedirect } from './answer/login-redirect.ts'

/** One published service, compiled. */
export interface Route extends Outgoing {
  readonly name: string
  readonly chain: Pick<Chain, 'authenticate' | 'challenges' | 'locations' | 'links'>
  readonly kind: RouteConfig['kind']
  /** The operations of its OpenAPI document. */
  readonly operations: OperationIndex | undefined
  readonly authorizer: Authorizer
  readonly onAuditFailure: RouteConfig['onAuditFailure']
  /** Absent where no other route has hosts in common with it. */
  readonly otherRouteOf?: OtherRouteOf | undefined
  /** Where browsers log in; absent where no session is taken. */
  readonly login?: Pick<LoginRedirect, 'invitationFor' | 'pageFor'> | undefined
}

/** A route and what takes it. */
export interface RouteEntry {
  readonly route: Route
  readonly match: RouteConfig['match']
}

/** A route, and what takes it, compiled. */
export interface CompiledEntry extends RouteEntry {
  readonly matchesHost: Predicate
  readonly matchesPath: Predicate
}

/** The routes of a configuration, in its order. */
export class RouteTable {
  /** The parameters of a query whose values no record holds: credentials of some route, or by their name. */
  readonly withheld: SecretParameters
  /** In the order in which they are looked at. */
  readonly entries: readonly CompiledEntry[]
  readonly #byHost: HostIndex<CompiledEntry>
  readonly #byName: ReadonlyMap<string, Route>

  constructor(entries: readonly RouteEntry[]) {
    const locations = entries.flatMap(({ route }) => route.chain.locations)
    this.withheld = new SecretParameters([...parameterNames(locations), ...CREDENTIAL_PARAMETERS])
    const matched = entries.map(({ route, match }) => ({
      route,
      name: route.name,
      match,
      matchesHost: hostMatcher(match.hosts),
      matchesPath: pathMatcher(match.paths),
    }))
    this.entries = matched.map(({ route, match, matchesHost, matchesPath }, place) => {
      const otherRouteOf = otherRouteFinder(matched, place)
      return { route: { ...route, otherRouteOf }, match, matchesHost, matchesPath }
    })
    this.#byHost = new HostIndex(
      this.entries.map((entry) => ({ hosts: entry.match.hosts, value: entry })),
    )
    this.#byName = new Map(this.entries.map(({ route }) => [route.name, route]))
  }

  /**
   * The route of a request. Envoy's choice counts when it names one, so that we can never judge by
   * one route what Envoy forwards by another; else the first whose host and path match.
   */
  find({ routeName, host, path }: Request): Route | undefined {
    if (routeName !== undefined) return this.#byName.get(routeName)
    return this.#byHost.first(host, (entry) => entry.matchesPath(path))?.route
  }
}
