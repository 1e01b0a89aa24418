// The credentials that a connection manager receives: those of the routes of countersign.yaml to which its
// routes belong.

import type { Credential } from '../credentials.ts'
import type { Extension } from './extension.ts'
import type { AuthzFilter, Manager } from './manager.ts'
import { ourRouteOf, type Route } from './route.ts'
import { guardsOf, isLeftOut, isTurnedOff, type Site } from './site.ts'

/** A connection manager that calls Countersign. */
export interface Edge {
  readonly site: Site
  readonly manager: Manager
  /** What countersign.yaml wants to be brought to authz through it; nothing where it isn't known. */
  readonly credentials: readonly Credential[]
}

/** An ext_authz filter that calls Countersign, and what has to get through it. */
export interface Guard extends AuthzFilter {
  readonly credentials: readonly Credential[]
}

/** The credentials that come through a connection manager. */
export const credentialsOf = (site: Site, manager: Manager): readonly Credential[] => {
  const { expected } = site
  if (expected === undefined) return []
  const names = guardsIn(site, manager).flatMap((guard) =>
    manager.routes
      .filter((route) => !isTurnedOff(guard, route) && !isLeftOut(guard, route))
      .flatMap((route) => namesOf(route, guard, expected.routes)),
  )
  return [...new Set(names)].flatMap((name) => expected.credentials.get(name) ?? [])
}

/** The ext_authz filters of all chains of a connection manager that call Countersign. */
export const guardsIn = (site: Site, { chains }: Manager): readonly AuthzFilter[] =>
  chains.flatMap((chain) => guardsOf(site, chain))

/** The filters that a request passes before it is judged. */
export const filtersInFront = (site: Site, manager: Manager): readonly Extension[] => {
  const [first] = guardsIn(site, manager)
  return manager.chains[0].filters.slice(0, first?.index ?? 0)
}

/** The routes of countersign.yaml that an Envoy route can be. */
const namesOf = (route: Route, guard: AuthzFilter, all: ReadonlySet<string>): readonly string[] => {
  const name = ourRouteOf(route, guard.name, all)
  if (name !== undefined) return [name]
  // authz selects one by host and path, or the dump does not show its name.
  return route.action.isSet ? [...all] : []
}

/** The names of the authenticators of these credentials, for messages. */
export const authenticatorsOf = (credentials: readonly Credential[]): string =>
  [...new Set(credentials.map(({ authenticator }) => authenticator))].join(', ')
