// Rules about routes: that none goes around authz, and that authz and Envoy mean the same route.

import { ROUTE_EXTENSION } from '../../../request/request.ts'
import { when, type Hit, type Rule } from '../rule.ts'
import type { Expectations } from '../expectations.ts'
import { HANDLE } from '../../identity-certificate.ts'
import { HANDLE_HEADER } from '../../istio/delegation-hop.ts'
import { httpOptions } from '../view/cluster.ts'
import { forwardedHeader } from '../view/forwarded-header.ts'
import type { AuthzFilter, Manager } from '../view/manager.ts'
import { isRemovedEarly } from '../view/mutation.ts'
import { ourRouteOf, perFilterOf, REDACTED, routeNameOf, type Route } from '../view/route.ts'
import type { Setting } from '../view/setting.ts'
import type { Site } from '../view/site.ts'

// Istio's own Envoy has no certificate selector.
const HAND_ON = `EnvoyFilter, applyTo: HTTP_FILTER, INSERT_AFTER envoy.filters.http.ext_authz, which tells a delegation hop: envoy.filters.http.header_mutation with mutations: { request_mutations: [{ remove: ${HANDLE_HEADER} }, { append: { header: { key: ${HANDLE_HEADER}, value: "${HANDLE}" }, append_action: OVERWRITE_IF_EXISTS_OR_ADD } }] }`

/** A route, and the ext_authz filter that judges what takes it. */
export interface RouteSubject {
  readonly site: Site
  readonly manager: Manager
  readonly route: Route
  readonly guard: AuthzFilter
}

/** Rules about the routes of connection managers that call Countersign. */
export const routeRules: readonly Rule<RouteSubject>[] = [
  {
    id: 'ext-authz-disabled',
    severity: 'warning',
    problem: 'a route disables Countersign',
    risk: 'any client may use it; where its cluster also receives permitted requests, the route bypasses every rule',
    remedy: 'no `disabled: true`, or a cluster that nothing protected shares',
    find: ({ site, route, guard }) => {
      const disabled = perFilterOf(route, guard.name)?.disabled
      const { cluster, action } = route
      // The login pages and the public key set.
      if (disabled?.flag !== true || site.issuerClusters.has(cluster?.text ?? '')) return []
      // If no route calls Countersign, a route is recognised by its name alone.
      const isOurs = site.expected?.routes.has(route.at.get('name').text) === true
      const open = cluster === undefined ? action.isSet : isOurs || site.protected.has(cluster.text)
      const severity = open ? 'error' : 'warning'
      return [
        { at: disabled, severity, ...(cluster === undefined ? {} : { detail: cluster.text }) },
      ]
    },
  },
  {
    id: 'ext-authz-elsewhere',
    severity: 'error',
    problem: 'a route calls another authorization service instead of Countersign',
    risk: 'the decision of that service applies',
    remedy: 'check_settings without grpc_service and http_service',
    find: ({ site, route, guard }) => {
      const settings = perFilterOf(route, guard.name)?.config.get('check_settings')
      if (settings === undefined) return []
      const [grpc, http] = [settings.get('grpc_service'), settings.get('http_service')]
      const asked = grpc.get('envoy_grpc', 'cluster_name').text
      return [
        ...when(grpc.isSet && !site.authzClusters.has(asked), grpc, { detail: asked }),
        ...when(http.isSet, http),
      ]
    },
  },
  {
    id: 'cluster-from-header',
    severity: 'error',
    problem: 'a request header selects the cluster',
    risk: 'callers choose the upstream and bypass the rules of the route',
    remedy: 'route: { cluster: NAME }, or the header among the early removals',
    find: ({ manager, route: { action } }) =>
      [action, ...action.get('weighted_clusters', 'clusters').items()]
        .map((choice) => choice.get('cluster_header'))
        .filter(({ isSet }) => isSet)
        .map((at) => ({
          at,
          severity: isRemovedEarly(manager, at.text.toLowerCase()) ? 'warning' : 'error',
        })),
  },
  {
    id: 'route-timeout',
    severity: 'warning',
    problem: 'requests end after Envoy’s default of 15 s',
    risk: 'watches, logs -f, uploads and exec are terminated',
    remedy: 'route: { …, timeout: 0s }',
    istio: 'VirtualService: http: [{ timeout: 0s, … }]',
    find: ({ site, route: { action, cluster } }) => {
      const page = site.issuerClusters.has(cluster?.text ?? '') // for which that is long enough
      return when(action.isSet && !action.get('timeout').isSet && !page, action.get('timeout'))
    },
  },
  {
    id: 'refusals-retried',
    severity: 'warning',
    problem: 'failed connections to an upstream with certificates are retried',
    risk: 'a refused certificate looks like one: every refusal takes twice as long and calls the signer again',
    remedy: 'retry_policy: { retry_on: reset-before-request, num_retries: 1 }',
    istio: 'VirtualService: http: [{ retries: { retryOn: reset-before-request, attempts: 1 }, … }]',
    find: ({ site, route }) => {
      const found = site.certificateUpstreams.find(({ name }) => name === route.cluster?.text)
      return found === undefined ? [] : retriesOf(route, found.cluster)
    },
  },
  {
    id: 'route-name-missing',
    severity: 'warning',
    problem: 'the route does not send its name to authz',
    risk: 'authz selects a route by host and path, which may differ from the route of Envoy',
    remedy: `typed_per_filter_config: { envoy.filters.http.ext_authz: { …, check_settings: { context_extensions: { ${ROUTE_EXTENSION}: NAME } } } }`,
    find: ({ site: { expected, issuerClusters }, route, guard }) => {
      if (issuerClusters.has(route.cluster?.text ?? '')) return []
      const said = routeNameOf(route, guard.name)
      const judged = perFilterOf(route, guard.name)?.disabled.flag !== true
      const unnamed = expected !== undefined && said === undefined && judged && route.action.isSet
      return when(unnamed, route.at.get('typed_per_filter_config'))
    },
  },
  {
    id: 'route-name-unknown',
    severity: 'error',
    problem: 'the route sends a name to authz that countersign.yaml does not contain',
    risk: 'authz refuses every request of the route',
    remedy: 'the name of a route in countersign.yaml; empty for what is not published',
    find: ({ site: { expected }, route, guard }) => {
      const said = routeNameOf(route, guard.name)
      if (expected === undefined || said === undefined) return []
      const known = said.text === '' || said.text === REDACTED || expected.routes.has(said.text)
      return when(!known, said, { detail: said.text })
    },
  },
  {
    id: 'certificate-name-forgeable',
    severity: 'error',
    problem: 'a caller can send the certificate handle that a delegation hop presents',
    risk: 'a caller who learns a handle obtains the certificate of another user',
    remedy: `early_header_mutation_extensions: [{ …, mutations: [{ remove: ${HANDLE_HEADER} }] }]`,
    istio: HAND_ON,
    find: ({ manager, route }) => {
      const { forgeable, written } = forwardedHeader(manager, route, HANDLE_HEADER)
      return when(written !== undefined && forgeable, written ?? route.at)
    },
  },
  {
    id: 'certificate-not-presented',
    severity: 'error',
    problem: 'the route forwards a certificate, but its cluster presents none for each identity',
    risk: 'the upstream receives no identity, or that of Envoy',
    remedy:
      'transport_socket: { …, common_tls_context: { custom_tls_certificate_selector: { name: envoy.tls.certificate_selectors.on_demand_secret, … } } }',
    istio: HAND_ON,
    find: ({ site, manager, route, guard }) => {
      const { routes, lifetimes } = site.expected ?? NOTHING
      const name = ourRouteOf(route, guard.name, routes)
      const forwards = name !== undefined && lifetimes.has(name)
      const cluster = site.configuration.clusters.get(route.cluster?.text ?? '')
      if (!forwards || cluster === undefined || isHandedOn(manager, route)) return []
      const presents = site.certificateUpstreams.some((one) => one.name === route.cluster?.text)
      return when(!presents, cluster.get('transport_socket'), { detail: name })
    },
  },
]

const NOTHING: Pick<Expectations, 'routes' | 'lifetimes'> = {
  routes: new Set(),
  lifetimes: new Map(),
}

/** Whether another Envoy presents the certificate of a handle. */
const isHandedOn = (manager: Manager, route: Route): boolean =>
  forwardedHeader(manager, route, HANDLE_HEADER).written?.text === HANDLE

const CONNECT_FAILURES: ReadonlySet<string> = new Set(['connect-failure', '5xx', 'gateway-error'])

/** Where connection failures are retried: the route's policy counts before that of its host. */
const retriesOf = ({ action, host }: Route, cluster: Setting): readonly Hit[] => {
  const policy = [action, host, httpOptions(cluster)]
    .map((level) => level.get('retry_policy'))
    .find(({ isSet }) => isSet)
  const at = policy?.get('retry_on')
  const reasons = at?.text.split(',').map((reason) => reason.trim()) ?? []
  return at !== undefined && reasons.some((reason) => CONNECT_FAILURES.has(reason)) ? [{ at }] : []
}
