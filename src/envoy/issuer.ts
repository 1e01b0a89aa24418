// Routes to the issuer: its metadata and keys, and its login pages. Only these paths of its host are
// published, without authz, since their clients are not authenticated yet.

import type { EnvoyConfig } from '../configuration/envoy-schema.ts'
import type { Config } from '../configuration/schema.ts'
import type { Address } from '../config/values.ts'
import { loginWait } from '../authenticate/password/schema.ts'
import type { RateLimits } from '../configuration/rate-limit-schema.ts'
import { CERTIFICATE_HEADER, SOURCE_HEADER } from '../issuer/http/caller.ts'
import { sessionOf } from '../check/authorization-server.ts'
import { documentPaths } from '../issuer/documents.ts'
import { SESSION_PREFIX } from '../logins/session-client.ts'
import { ENDPOINTS, PUBLISHED_PREFIXES } from '../issuer/http/paths.ts'
import { CountersignError } from '../runtime/errors.ts'
import { issuerAddresses } from '../configuration/workers.ts'
import { issuerBounds, LARGEST_FORM, LARGEST_UNREAD } from './issuer-bounds.ts'
import { duration, hasNoPort, type Message } from './message.ts'

/** The cluster of the issuer; no upstream can have that name, since names hold no colon. */
export const ISSUER_CLUSTER = 'countersign:issuer'

/** The host whose paths are published; `undefined` where there is no issuer. */
export const issuerHost = ({ issuer }: Pick<Config, 'issuer'>): string | undefined =>
  issuer && new URL(issuer.url).hostname

/** Routes for the documents and pages of the issuer; before all other routes of its host. */
export const issuerRoutes = (
  config: Pick<Config, 'issuer' | 'authenticators'>,
  { rateLimits }: Pick<EnvoyConfig, 'rateLimits'>,
  unjudged: Message,
): readonly Message[] => {
  const { issuer } = config
  if (issuer === undefined) return []
  const isServed = hasPages(issuer)
  const paths = new Set([
    ...Object.values(documentPaths(issuer.url)),
    // Where the authorization server has it, if not there.
    ...(isServed ? [ENDPOINTS.jwks] : []),
  ])
  const to = (group: PathGroup, match: Message): Message =>
    routeTo(match, boundsOf(group, config, rateLimits), unjudged)
  const documents = [...paths].map((path) => to('documents', { path }))
  if (!isServed) return documents
  // One route for each group, since each route has buckets of its own.
  const prefixes = PUBLISHED_PREFIXES.filter((prefix) => !paths.has(prefix))
  const pages = [...Map.groupBy(prefixes, groupOf)].map(([group, members]) => ({
    ...to(group, { safe_regex: { regex: belowAny(members) } }),
    ...saying,
  }))
  return [...documents, ...pages]
}

/** Whole paths that are one of these, or below it. The prefixes have no character that means another here. */
const belowAny = (prefixes: readonly string[]): string =>
  `/(?:${prefixes.map((prefix) => prefix.slice(1)).join('|')})(?:/.*)?`

const hasPages = ({ login, clients }: NonNullable<Config['issuer']>): boolean =>
  login !== undefined || Object.keys(clients).length > 0

/** Paths of the issuer that have their rate and their times in common. */
export type PathGroup = keyof RateLimits

/** Those that the issuer of a configuration has. */
export const pathGroups = ({ issuer }: Pick<Config, 'issuer'>): readonly PathGroup[] => {
  if (issuer === undefined) return []
  return hasPages(issuer) ? ['documents', 'login', 'token', 'device'] : ['documents']
}

const DOCUMENT_MS = 5_000
const ROOM_MS = 1_000

/** The settings of a route to the issuer, except its cluster. */
export interface RouteBounds {
  /** Fields of a RouteAction. */
  readonly route: Message
  readonly typed_per_filter_config: Message
}

/** The bounds of a group of paths. */
export const boundsOf = (
  group: PathGroup,
  config: Pick<Config, 'issuer' | 'authenticators'>,
  rateLimits: RateLimits,
): RouteBounds => {
  const limit = rateLimits[group]
  if (group === 'documents') {
    return {
      // Connections of their own, which requests that wait cannot take.
      route: { ...timesOf(DOCUMENT_MS), priority: 'HIGH' },
      // Answered at once, whatever else the client sends.
      typed_per_filter_config: issuerBounds(group, limit, undefined),
    }
  }
  return {
    // Longer than the slowest login takes, so that the user sees its result.
    route: timesOf(loginWait(config) + ROOM_MS),
    typed_per_filter_config: issuerBounds(group, limit, LARGEST_FORM),
  }
}

const TOKEN_PATHS: ReadonlySet<string> = new Set([
  ENDPOINTS.token,
  ENDPOINTS.introspection,
  ENDPOINTS.revocation,
  ENDPOINTS.userinfo,
  ENDPOINTS.pushed_authorization_request,
])

/** Which of the rate limits a path has. */
const groupOf = (prefix: string): PathGroup => {
  if (prefix === ENDPOINTS.code_verification) return 'device'
  return TOKEN_PATHS.has(prefix) ? 'token' : 'login'
}

/**
 * Routes for the endpoints below `/.countersign/` on the host of a route with sessions; before all other
 * routes of that host.
 */
export const sessionRoutes = (
  { authenticators, routes }: Pick<Config, 'authenticators' | 'routes'>,
  { rateLimits }: Pick<EnvoyConfig, 'rateLimits'>,
  host: string,
  unjudged: Message,
): readonly Message[] =>
  routes.some(
    (route) => route.match.hosts.includes(host) && sessionOf(route, authenticators) !== undefined,
  )
    ? [
        {
          ...routeTo({ prefix: SESSION_PREFIX }, sessionBounds(rateLimits), unjudged),
          ...saying,
        },
      ]
    : []

// A code is redeemed at the issuer's token endpoint, which may call an upstream IdP.
const SESSION_MS = 15_000

const sessionBounds = ({ login }: RateLimits): RouteBounds => ({
  route: timesOf(SESSION_MS),
  typed_per_filter_config: issuerBounds('sessions', login, LARGEST_UNREAD),
})

/** For a whole request to be received, on top of the time for its answer. */
const RECEIVE_MS = 10_000

const timesOf = (answer: number): Message => ({
  timeout: duration(answer),
  // Counts from the last byte, also while the issuer works: a shorter one would end a login that waits.
  idle_timeout: duration(answer + ROOM_MS),
  // A client that sends single bytes is never idle.
  max_stream_duration: { max_stream_duration: duration(answer + RECEIVE_MS) },
})

/** Only requests that the issuer cannot have received; some two seconds, in which a restart is over. */
const whileItRestarts: Message = {
  retry_on: 'connect-failure,reset-before-request',
  num_retries: 10,
  retry_back_off: { base_interval: '0.025s', max_interval: '0.25s' },
}

const routeTo = (match: Message, bounds: RouteBounds, unjudged: Message): Message => ({
  name: 'issuer',
  match,
  route: {
    cluster: ISSUER_CLUSTER,
    ...bounds.route,
    retry_policy: whileItRestarts,
  },
  typed_per_filter_config: { ...unjudged, ...bounds.typed_per_filter_config },
})

const header = (key: string, value: string): Message => ({
  header: { key, value },
  append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
})

/**
 * Headers with the verified address and certificate of the caller. Values of the caller are removed first, also
 * when there is nothing to add: an unknown address or certificate adds no header.
 */
export const saying: Message = {
  request_headers_to_remove: [SOURCE_HEADER, CERTIFICATE_HEADER],
  request_headers_to_add: [
    header(SOURCE_HEADER, '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%'),
    header(CERTIFICATE_HEADER, '%DOWNSTREAM_PEER_CERT%'),
  ],
}

/**
 * Where Envoy reaches the issuer: one address for each worker.
 *
 * @throws CountersignError `configuration-invalid` when that cannot be known
 */
export const knownIssuerAddresses = (
  config: Pick<Config, 'listen' | 'envoy' | 'workers'>,
): readonly Address[] => {
  const known = issuerAddresses(config)
  if (known.length === 0 || known.some(hasNoPort)) {
    throw new CountersignError(
      'configuration-invalid',
      'Envoy cannot know where the issuer listens: set listen.issuer, or envoy.issuerAddress where its port is 0',
    )
  }
  return known
}
