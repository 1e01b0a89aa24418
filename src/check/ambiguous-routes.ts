// Paths that are those of one route to the letter, and those of another route of the host once they are decoded, or to
// servers that read them carelessly. Without a refusal they would get past what guards that route.

import type { RouteConfig } from '../configuration/schema.ts'
import { encodedGlob } from '../request/glob.ts'
import { hostsOverlap } from '../request/hosts.ts'
import { loosePath, loosePathOf } from '../request/loose-path.ts'
import { pathMatcher, type Predicate } from '../request/names.ts'
import type { Request } from '../request/request.ts'

/** The name of another route of the host that the path could be of; `undefined` where there is none. */
export type OtherRouteOf = (request: Request) => string | undefined

/** A route, as far as it matters to other routes. */
interface MatchedRoute {
  readonly name: string
  readonly match: RouteConfig['match']
  readonly matchesHost: Predicate
  readonly matchesPath: Predicate
}

/**
 * Compiles the question for one route; `undefined` where no other route has hosts in common with it.
 *
 * A server with a lenient parser takes a path for one of the first route that matches its reading. So a path of
 * this route could be one of an earlier route, or of a later one if this route does not match the lenient reading.
 *
 * @param place the position of the route among all
 */
export const otherRouteFinder = (
  all: readonly MatchedRoute[],
  place: number,
): OtherRouteOf | undefined => {
  const own = all[place]
  if (own === undefined) return undefined
  const readsLoosely = own.match.ambiguousPaths === 'refuse'
  const besides = (routes: readonly MatchedRoute[]): readonly Rival[] =>
    routes
      .filter((one) => hostsOverlap(one.match.hosts, own.match.hosts))
      .map((one) => rivalOf(one, readsLoosely))
  // What matches every path to the letter has left none to a later route.
  const earlier = besides(all.slice(0, place).filter(({ match }) => !match.paths.includes('/**')))
  const later = readsLoosely ? besides(all.slice(place + 1)) : []
  if (earlier.length === 0 && later.length === 0) return undefined
  // An ordinary path, read to the letter, can only be one of globs that are not ordinary themselves.
  const folded = earlier.filter(({ isFolded }) => isFolded)
  const self = rivalOf(own, readsLoosely)
  return (request) => {
    const { path } = request
    const loose = readsLoosely ? loosePathOf(request) : path
    const isOrdinary = loose === path && path === request.rawPath
    const first = (isOrdinary ? folded : earlier).find((one) => takesFirst(one, request, loose))
    if (first !== undefined || loose === path) return first?.name
    // Another route that Envoy names goes by what Envoy looked at.
    if (!self.matchesPath(path) || self.matchesLoose(loose)) return undefined
    return later.find((one) => one.matchesHost(request.host) && one.matchesLoose(loose))?.name
  }
}

interface Rival extends MatchedRoute {
  /** Whether Envoy, which compares paths as they are sent, would take it for one of the route. */
  readonly matchesSent: Predicate
  /** Whether a careless reading of a path matches; never, where the routes are not compared by it. */
  readonly matchesLoose: Predicate
  /** Whether its globs differ when they are read so. */
  readonly isFolded: boolean
}

const rivalOf = (route: MatchedRoute, readsLoosely: boolean): Rival => {
  const { paths } = route.match
  const loose = readsLoosely ? paths.map(loosePath) : paths
  return {
    ...route,
    matchesSent: pathMatcher(paths.map(encodedGlob)),
    matchesLoose: readsLoosely ? pathMatcher(loose) : () => false,
    isFolded: loose.some((glob, index) => glob !== paths[index]),
  }
}

const takesFirst = (
  { matchesHost, matchesSent, matchesPath, matchesLoose }: Rival,
  { host, path, rawPath }: Request,
  loose: string,
): boolean =>
  matchesHost(host) &&
  // Envoy could have chosen a route by the path as sent, and did not: this path does not bypass that route.
  !matchesSent(rawPath) &&
  (matchesPath(path) || matchesLoose(loose))
