// Paths that are those of one route to the letter, and those of an earlier route of the host once they are decoded, or
// to servers that read them carelessly. Without a refusal they would get past what guards that route.

import type { RouteConfig } from '../config/schema.ts'
import { hostsOverlap } from '../request/hosts.ts'
import { encodedGlob } from '../request/glob.ts'
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
 * Compiles the question for one route; `undefined` where no earlier route has hosts in common with it.
 *
 * @param earlier the routes before it, in order
 */
export const earlierRouteFinder = (
  match: RouteConfig['match'],
  earlier: readonly EarlierRoute[],
): EarlierRouteOf | undefined => {
  const readsLoosely = match.ambiguousPaths === 'refuse'
  const rivals = earlier
    // What matches every path to the letter has left none to this route.
    .filter((one) => !one.match.paths.includes('/**'))
    .filter((one) => hostsOverlap(one.match.hosts, match.hosts))
    .map((one) => rivalOf(one, readsLoosely))
  if (rivals.length === 0) return undefined
  // An ordinary path, read to the letter, can only be one of globs that are not ordinary themselves.
  const folded = rivals.filter(({ isFolded }) => isFolded)
  return (request) => {
    const { path } = request
    const loose = readsLoosely ? loosePathOf(request) : path
    const isOrdinary = loose === path && path === request.rawPath
    return (isOrdinary ? folded : rivals).find((rival) => couldTake(rival, request, loose))?.name
  }
}

interface Rival extends EarlierRoute {
  /** Whether Envoy, which compares paths as they are sent, would take it for one of the route. */
  readonly matchesSent: Predicate
  /** Whether a careless reading of a path matches; never, where nobody reads so. */
  readonly matchesLoose: Predicate
  /** Whether its globs are others when they are read so. */
  readonly isFolded: boolean
}

const rivalOf = (route: EarlierRoute, readsLoosely: boolean): Rival => {
  const { paths } = route.match
  const loose = readsLoosely ? paths.map(loosePath) : paths
  return {
    ...route,
    matchesSent: pathMatcher(paths.map(encodedGlob)),
    matchesLoose: readsLoosely ? pathMatcher(loose) : () => false,
    isFolded: loose.some((glob, index) => glob !== paths[index]),
  }
}

const couldTake = (
  { matchesHost, matchesSent, matchesPath, matchesLoose }: Rival,
  { host, path, rawPath }: Request,
  loose: string,
): boolean =>
  matchesHost(host) &&
  // A route that Envoy could have chosen by the path, and did not, is none that it was kept from.
  !matchesSent(rawPath) &&
  (matchesPath(path) || matchesLoose(loose))
