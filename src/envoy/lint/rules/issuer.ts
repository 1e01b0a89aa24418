// Rules about routes to the issuer and its login pages: only Envoy sets the trusted headers about the caller,
// no credential is required, and logins return to their host.

import { CALLBACK_PATH } from '../../../logins/session-client.ts'
import { CERTIFICATE_HEADER, SOURCE_HEADER } from '../../../issuer/http/caller.ts'
import { SESSION_PREFIX } from '../../../logins/session-client.ts'
import { when, type Rule } from '../rule.ts'
import { forwardedHeader } from '../view/forwarded-header.ts'
import { hostsOf, takesPath, virtualHostsFor, type VirtualHost } from '../view/host.ts'
import type { AuthzFilter, Manager } from '../view/manager.ts'
import type { Route } from '../view/route.ts'
import { guardsOf, isTurnedOff, type Site } from '../view/site.ts'

/** A connection manager, whether it calls Countersign or not. */
export interface IssuerSubject {
  readonly site: Site
  readonly manager: Manager
}

const REMEDY = `request_headers_to_remove: [${SOURCE_HEADER}, ${CERTIFICATE_HEADER}], request_headers_to_add: [{ header: { key: ${SOURCE_HEADER}, value: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%" }, append_action: OVERWRITE_IF_EXISTS_OR_ADD }, { header: { key: ${CERTIFICATE_HEADER}, value: "%DOWNSTREAM_PEER_CERT%" }, append_action: OVERWRITE_IF_EXISTS_OR_ADD }]`

/** Rules about the routes to the issuer. */
export const issuerRules: readonly Rule<IssuerSubject>[] = [
  {
    id: 'issuer-judged',
    severity: 'error',
    problem: 'a route to the issuer calls authz first',
    risk: 'callers have no credential there yet: no user can log in, and upstreams cannot read the keys',
    remedy:
      'typed_per_filter_config: { envoy.filters.http.ext_authz: { "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute, disabled: true } }',
    istio:
      'AuthorizationPolicy (action: CUSTOM), in each of its rules: to: [{ operation: { …, notPaths: [the paths of this route] } }]',
    find: ({ site, manager }) =>
      guardsOf(site, manager.chains[0]).flatMap((guard) =>
        issuerRoutes(site, manager)
          .filter((route) => !isTurnedOff(guard, route) && isPicked(guard, route))
          .map(({ at }) => ({ at: at.get('typed_per_filter_config') })),
      ),
  },
  {
    id: 'issuer-caller-forgeable',
    severity: 'error',
    problem: 'the login page receives headers about the caller that callers can write',
    risk: 'a caller who sends the public certificate of another user is authenticated as that user; with invented addresses passwords can be guessed without limit',
    remedy: REMEDY,
    find: ({ site, manager }) =>
      headersIn(site, manager)
        .filter(({ header }) => header.forgeable)
        .map(({ route, name }) => ({
          at: route.at.get('request_headers_to_remove'),
          detail: name,
        })),
  },
  {
    id: 'issuer-caller-wrong',
    severity: 'error',
    problem: 'the login page receives other values about the caller than Envoy has verified',
    risk: 'they may contain data of the caller; a value other than an address or certificate is ignored',
    remedy: REMEDY,
    find: ({ site, manager }) =>
      headersIn(site, manager).flatMap(({ header: { written }, values }) =>
        written === undefined
          ? []
          : when(!values.includes(written.text), written, { detail: written.text }),
      ),
  },
  {
    id: 'issuer-caller-unsaid',
    severity: 'warning',
    problem: 'the login page does not receive the address or certificate of the caller',
    risk: 'every caller has the address of Envoy, so that one attacker locks out all users; login with a certificate is impossible',
    remedy: REMEDY,
    find: ({ site, manager }) =>
      headersIn(site, manager)
        .filter(({ header, name }) => header.written === undefined && isNeeded(site, name))
        .map(({ route, name }) => ({
          at: route.at.get('request_headers_to_add'),
          detail: name,
          severity: name === CERTIFICATE_HEADER ? 'error' : 'warning',
        })),
  },
  {
    id: 'session-endpoints-unpublished',
    severity: 'error',
    problem: `a host whose routes take sessions does not publish ${SESSION_PREFIX}`,
    risk: 'after a login the browser returns to a path that is missing or belongs to another service: no session begins',
    remedy: `routes: [{ match: { prefix: ${SESSION_PREFIX} }, route: { cluster: ISSUER, timeout: 15s }, … }, …], before all other routes`,
    find: ({ site, manager }) =>
      [...(site.expected?.sessionHosts ?? [])].flatMap((host) =>
        virtualHostsFor(manager.routes, host)
          .filter((one) => serves(one, site, manager) && !publishes(one, site))
          .map(({ at }) => ({ at: at.get('routes'), detail: host })),
      ),
  },
]

/** Whether nothing lets a request that takes the route pass unjudged. */
const isPicked = ({ policy }: AuthzFilter, route: Route): boolean =>
  policy === undefined || hostsOf(route, policy.hosts).every((host) => policy.picks(host) === 'yes')

/** The routes that lead to the issuer. */
export const issuerRoutes = ({ issuerClusters }: Site, { routes }: Manager): readonly Route[] =>
  routes.filter(({ cluster }) => cluster !== undefined && issuerClusters.has(cluster.text))

const SAYINGS = [
  {
    name: SOURCE_HEADER,
    values: [
      '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%',
      '%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%',
    ],
  },
  { name: CERTIFICATE_HEADER, values: ['%DOWNSTREAM_PEER_CERT%'] },
] as const

/** The result of the trusted headers on each route that uses them. */
const headersIn = (site: Site, manager: Manager) =>
  issuerRoutes(site, manager)
    .filter((route) => !isDocument(route))
    .flatMap((route) =>
      SAYINGS.filter(({ name }) => isBelieved(site, name)).map(({ name, values }) => ({
        route,
        name,
        values: values.map(String),
        header: forwardedHeader(manager, route, name),
      })),
    )

/** Whether the login page reads a header; unknown without countersign.yaml. */
const isBelieved = ({ expected }: Site, name: string): boolean =>
  name === SOURCE_HEADER || expected?.certificateLogin !== false

const isNeeded = ({ expected }: Site, name: string): boolean =>
  name === SOURCE_HEADER || expected?.certificateLogin === true

/** Discovery and keys, which are equal for all clients. */
export const isDocument = ({ at }: Route): boolean => {
  const match = at.get('match')
  const path = match.get('path').text
  return path.endsWith('/jwks') || `${path}${match.get('prefix').text}`.includes('/.well-known/')
}

/** Whether requests are forwarded there because Countersign permitted them. */
const serves = ({ routes }: VirtualHost, site: Site, manager: Manager): boolean =>
  guardsOf(site, manager.chains[0]).some((guard) =>
    routes.some(
      (route) =>
        route.action.isSet &&
        !isTurnedOff(guard, route) &&
        !site.issuerClusters.has(route.cluster?.text ?? ''),
    ),
  )

const publishes = ({ at, routes }: VirtualHost, { issuerClusters }: Site): boolean => {
  if (at.get('matcher').isSet) return true // not followed
  const leads = ({ cluster }: Route): boolean => issuerClusters.has(cluster?.text ?? '')
  const first = routes.find((route) => {
    const taken = takesPath(route.at.get('match'), CALLBACK_PATH)
    return taken === 'yes' || (taken === 'maybe' && leads(route))
  })
  return first !== undefined && leads(first)
}
