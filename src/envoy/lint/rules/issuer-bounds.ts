// Rules about the resources of Envoy and the issuer that an unauthenticated client can occupy: these routes
// bypass authz, so Envoy alone limits them.

import { when, type Rule } from '../rule.ts'
import { isKind, KINDS, type Extension } from '../view/extension.ts'
import type { Manager } from '../view/manager.ts'
import { perFilterOf, type Route } from '../view/route.ts'
import type { Setting } from '../view/setting.ts'
import { isDocument, issuerRoutes, type IssuerSubject } from './issuer.ts'

const FILTERS =
  'http_filters, before ext_authz: [{ name: envoy.filters.http.local_ratelimit, disabled: true, typed_config: { … } }, { name: envoy.filters.http.buffer, disabled: true, typed_config: { … } }]; on the route,'

/** Rules about the bounds of routes to the issuer. */
export const issuerBoundsRules: readonly Rule<IssuerSubject>[] = [
  {
    id: 'issuer-bodies-streamed',
    severity: 'warning',
    problem: 'a route to the issuer forwards requests before they are complete',
    risk: 'a client that begins a thousand requests and ends none takes every connection to the issuer: no user can log in, and no client gets a token',
    remedy: `${FILTERS} typed_per_filter_config: { envoy.filters.http.buffer: { "@type": type.googleapis.com/envoy.extensions.filters.http.buffer.v3.BufferPerRoute, buffer: { max_request_bytes: 32768 } } }`,
    find: ({ site, manager }) =>
      pagesOf(issuerRoutes(site, manager))
        .filter((route) => !isBuffered(manager, route))
        .map(({ at }) => ({ at: at.get('typed_per_filter_config') })),
  },
  {
    id: 'issuer-requests-without-end',
    severity: 'warning',
    problem: 'there is no time limit for requests to the issuer',
    risk: 'single bytes keep a request from being idle, so that streams accumulate until there is no room for other clients',
    remedy: 'route: { idle_timeout: 16s, max_stream_duration: { max_stream_duration: 25s } }',
    find: ({ site, manager }) =>
      pagesOf(issuerRoutes(site, manager)).flatMap(({ action }) => {
        const at = action.get('max_stream_duration')
        return when(!isEnding(at.get('max_stream_duration')) && !isEndedBy(manager), at)
      }),
  },
  {
    id: 'issuer-rate-unlimited',
    severity: 'warning',
    problem: 'the rate of requests to the issuer is not limited',
    risk: 'one client can occupy it and authz, which is the same process: all logins and API calls become slow',
    remedy: `${FILTERS} typed_per_filter_config: { envoy.filters.http.local_ratelimit: { "@type": type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit, stat_prefix: issuer, token_bucket: { max_tokens: 1000, tokens_per_fill: 200, fill_interval: 1s }, filter_enabled: { default_value: { numerator: 100 } }, filter_enforced: { default_value: { numerator: 100 } } } }`,
    find: ({ site, manager }) =>
      issuerRoutes(site, manager)
        .filter((route) => !isLimited(manager, route))
        .map(({ at }) => ({ at: at.get('typed_per_filter_config') })),
  },
]

const pagesOf = (routes: readonly Route[]): readonly Route[] =>
  routes.filter((route) => !isDocument(route))

const isEnding = (time: Setting): boolean => (time.milliseconds ?? 0) > 0

/** Whether the connection manager ends every stream, or every request that does not come. */
const isEndedBy = ({ config }: Manager): boolean =>
  isEnding(config.get('common_http_protocol_options', 'max_stream_duration')) ||
  isEnding(config.get('request_timeout'))

const isBuffered = (manager: Manager, route: Route): boolean =>
  acting(manager, route, 'buffer').length > 0

/** By Envoy itself, or by a service that it asks: what that knows is not seen. */
const isLimited = (manager: Manager, route: Route): boolean =>
  acting(manager, route, 'localRateLimit').some(isEnforced) ||
  acting(manager, route, 'rateLimit').length > 0 ||
  acting(manager, route, 'rateLimitQuota').length > 0

/** Both are 0 % by default. */
const isEnforced = (config: Setting): boolean =>
  config.get('token_bucket').isSet &&
  ['filter_enabled', 'filter_enforced'].every(
    (name) => (config.get(name, 'default_value', 'numerator').count ?? 0) > 0,
  )

/** The settings of filters of a kind for requests of the route; none for disabled filters. */
const acting = (
  { chains: [main] }: Manager,
  route: Route,
  kind: keyof typeof KINDS,
): readonly Setting[] =>
  main.filters
    .filter((filter) => isKind(filter, KINDS[kind]))
    .flatMap((filter) => configFor(filter, route) ?? [])

const configFor = ({ at, name, config }: Extension, route: Route): Setting | undefined => {
  const own = perFilterOf(route, name)
  if (own === undefined) return at.get('disabled').flag ? undefined : config
  return own.disabled.flag ? undefined : own.config
}
