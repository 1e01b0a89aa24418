// Which request goes to which upstream: "the first route in the order of the file whose host and
// path match", said in Envoy's terms, where the most specific virtual host is chosen first.

import type { EnvoyConfig } from '../configuration/envoy-schema.ts'
import type { Config, RouteConfig } from '../configuration/schema.ts'
import { compileGlob, encodedGlob } from '../request/glob.ts'
import { covers } from '../request/hosts.ts'
import { ROUTE_EXTENSION } from '../request/request.ts'
import { contextExtensions, unjudged } from './filters.ts'
import { clusterOf } from './identity-certificate.ts'
import { issuerHost, issuerRoutes, sessionRoutes } from './issuer.ts'
import type { Message } from './message.ts'

/**
 * The route table of the listener. Envoy matches the path as it was sent, percent-encoded, and
 * authz decodes it for its rules. authz obeys the name that Envoy gives it here, and refuses a path that
 * decoded is one of an earlier route.
 */
export const routeConfiguration = (config: Config, envoy: EnvoyConfig): Message => {
  const { routes } = config
  const publishing = issuerHost(config)
  const patterns = new Set([
    '*',
    ...routes.flatMap(({ match }) => match.hosts),
    ...(publishing === undefined ? [] : [publishing]),
  ])
  return {
    name: 'countersign',
    ignore_port_in_host_matching: true,
    virtual_hosts: [...patterns].map((pattern) => ({
      name: pattern,
      domains: [pattern],
      routes: [
        ...(pattern === publishing ? issuerRoutes(config, envoy, unjudged) : []),
        ...sessionRoutes(config, envoy, pattern, unjudged),
        ...routes
          .filter(({ match }) => match.hosts.some((host) => covers(host, pattern)))
          .flatMap((route) => envoyRoutes(route, envoy)),
        unpublished,
      ],
    })),
  }
}

const envoyRoutes = (route: RouteConfig, envoy: EnvoyConfig): readonly Message[] =>
  route.match.paths.map((glob) => ({
    name: route.name,
    match: glob === '/**' ? { prefix: '/' } : { safe_regex: { regex: regexOf(glob) } },
    route: {
      cluster: clusterOf(route),
      // Watches, logs and exec have no end of their own; the listener's idle timeout bounds them.
      timeout: '0s',
      ...retries(route),
      ...upgrades(route, envoy),
    },
    typed_per_filter_config: contextExtensions({ [ROUTE_EXTENSION]: route.name }),
  }))

/**
 * Retries only requests that the upstream cannot have received. No retries when the signer may fail: a refusal
 * would be requested twice, and a silent signer awaited twice.
 */
const retries = ({ forward }: RouteConfig): Message =>
  forward.certificate === undefined
    ? { retry_policy: { retry_on: 'connect-failure,reset-before-request', num_retries: 1 } }
    : {}

/** No SPDY upgrade to HTTP/2 upstreams, since HTTP/2 cannot carry it. */
const upgrades = ({ name, upstream = name }: RouteConfig, { upstreams }: EnvoyConfig): Message =>
  upstreams[upstream]?.protocol === 'http2'
    ? { upgrade_configs: [{ upgrade_type: 'SPDY/3.1', enabled: false }] }
    : {}

/** The glob is for decoded paths; Envoy compares with the path as sent. */
const regexOf = (glob: string): string => compileGlob(encodedGlob(glob)).source

// authz is called here as well: it refuses, with a decision id and an audit event. The direct answer
// is only what would come if it did not.
const unpublished: Message = {
  name: 'unpublished',
  match: { prefix: '/' },
  direct_response: { status: 403 },
  typed_per_filter_config: contextExtensions({ [ROUTE_EXTENSION]: '' }),
}
