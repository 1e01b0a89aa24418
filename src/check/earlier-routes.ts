// Paths that are those of one route to the letter, and those of an earlier route of the host to servers that read
// them carelessly. Without a refusal they would get past what guards that route.

import type { RouteConfig } from '../config/schema.ts'
import { hostsOverlap } from '../request/hosts.ts'
import { loosePath, loosePathOf } from '../request/loose-path.ts'
import { pathMatcher, type Predicate } from '../request/names.ts'
import type { Request } from '../request/request.ts'

/** The name of an earlier route of the host that the path could be of; `undefined` where there is none. */
export type EarlierRouteOf = (request: Request) => string | undefined

/** A route, as far as it matters to later ones. */
export interface EarlierRoute {
  readonly name: string
  readonly match: RouteConfig['match']
  readonly matchesHost: Predicate
  readonly matchesPath: Predicate
}

/**
 * Compiles the question for one route; `undefined` where no earlier route has hosts in common with it, or the
 * configuration allows such paths.
 *
 * @param earlier the routes before it, in order
 */
export const earlierRouteFinder = (
  match: RouteConfig['match'],
  earlier: readonly EarlierRoute[],
): EarlierRouteOf | undefined => {
  if (match.ambiguousPaths === 'allow') return undefined
  const rivals = earlier
    // What matches every path to the letter has left none to this route.
    .filter((one) => !one.match.paths.includes('/**'))
    .filter((one) => hostsOverlap(one.match.hosts, match.hosts))
    .map(rivalOf)
  if (rivals.length === 0) return undefined
  const folded = rivals.filter(({ isFolded }) => isFolded)
  return (request) => {
    const { host, path } = request
    const loose = loosePathOf(request)
    // Read to the letter, an ordinary path can only be one of globs that are not ordinary themselves.
    const possible = loose === path ? folded : rivals
    for (const { name, matchesHost, matchesPath, matchesLoose } of possible) {
      // One that Envoy sent elsewhere although it matches is Envoy's choice.
      if (matchesHost(host) && matchesLoose(loose) && !matchesPath(path)) return name
    }
    return undefined
  }
}

interface Rival extends EarlierRoute {
  /** Whether a careless reading of a path matches. */
  readonly matchesLoose: Predicate
  /** Whether its globs are others when they are read carelessly. */
  readonly isFolded: boolean
}

const rivalOf = (route: EarlierRoute): Rival => {
  const { paths } = route.match
  const loose = paths.map(loosePath)
  return {
    ...route,
    matchesLoose: pathMatcher(loose),
    isFolded: loose.some((glob, index) => glob !== paths[index]),
  }
}
