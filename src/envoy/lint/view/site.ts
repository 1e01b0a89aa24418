// Everything that the rules look at: which ext_authz filters call Countersign, what they protect, and
// which clusters get a certificate for each identity.

import type { Address } from '../../../config/values.ts'
import { ISSUER_CLUSTER } from '../../issuer.ts'
import type { Expectations } from '../expectations.ts'
import { addressesOf, upstreamTls, type UpstreamTls } from './cluster.ts'
import type { Configuration } from './configuration.ts'
import { extensionIn, isKind, KINDS, type Extension } from './extension.ts'
import { hostsOf } from './host.ts'
import { isIstios, serviceOf, type Service } from './istio.ts'
import {
  managersOf,
  tcpProxiesOf,
  type AuthzFilter,
  type Chain,
  type Manager,
  type TcpProxy,
} from './manager.ts'
import { perFilterOf, routeNameOf, type Route } from './route.ts'
import type { Setting } from './setting.ts'

/** A cluster to which Envoy presents a certificate for each identity, over one of its TLS contexts. */
export interface CertificateUpstream {
  readonly name: string
  readonly cluster: Setting
  readonly tls: UpstreamTls
  /** The on-demand certificate selector. */
  readonly selector: Extension
  /** The settings with the names of the clusters that deliver certificates. */
  readonly signers: readonly Setting[]
}

/** One Envoy, as the rules see it. */
export interface Site {
  /** Whether Istio configures it. */
  readonly istio: boolean
  readonly configuration: Configuration
  /** Settings that their message has already had. */
  readonly repeated: readonly Setting[]
  /** What countersign.yaml expects, if it was given. */
  readonly expected: Expectations | undefined
  readonly managers: readonly Manager[]
  readonly tcpProxies: readonly TcpProxy[]
  /** The ext_authz filters that call Countersign. */
  readonly guards: ReadonlySet<AuthzFilter>
  /** The names of the clusters through which they call it. */
  readonly authzClusters: ReadonlySet<string>
  readonly certificateUpstreams: readonly CertificateUpstream[]
  /** The names of the clusters of the issuer, whose requests bypass authz. */
  readonly issuerClusters: ReadonlySet<string>
  /** The names of the clusters that take requests because Countersign permitted them. */
  readonly protected: ReadonlySet<string>
}

/** What else is known of the site. */
export interface SiteOptions {
  readonly repeated: readonly Setting[]
  readonly expected: Expectations | undefined
  /** The cluster through which Envoy calls Countersign, where it has to be said. */
  readonly authzCluster: string | undefined
}

/** Finds its way around a configuration. */
export const siteOf = (configuration: Configuration, options: SiteOptions): Site => {
  const { repeated, expected } = options
  const managers = managersOf(configuration)
  const guards = findGuards(managers, configuration, options)
  const certificateUpstreams = certificateUpstreamsOf(configuration)
  const judged = managers.flatMap(({ chains: [{ authz }], routes }) =>
    authz
      .filter((filter) => guards.has(filter))
      .flatMap((guard) =>
        routes.filter((route) => !isTurnedOff(guard, route) && !isLeftOut(guard, route)),
      )
      .flatMap(({ cluster }) => cluster?.text ?? []),
  )
  const authzClusters = new Set([...guards].map(authzClusterOf).filter((name) => name !== ''))
  return {
    istio: isIstios(configuration.bootstrap),
    configuration,
    repeated,
    expected,
    managers,
    tcpProxies: tcpProxiesOf(configuration),
    guards,
    authzClusters,
    certificateUpstreams,
    issuerClusters: issuerClustersOf(configuration, authzClusters, expected),
    protected: new Set([...judged, ...certificateUpstreams.map(({ name }) => name)]),
  }
}

/** The filters of a chain that call Countersign. */
export const guardsOf = ({ guards }: Site, { authz }: Chain): readonly AuthzFilter[] =>
  authz.filter((filter) => guards.has(filter))

/** Whether a route turns the filter off. */
export const isTurnedOff = ({ name }: AuthzFilter, route: Route): boolean =>
  perFilterOf(route, name)?.disabled.flag === true

/** Whether an AuthorizationPolicy of Istio leaves out every request that can take the route. */
export const isLeftOut = ({ policy }: AuthzFilter, route: Route): boolean =>
  policy !== undefined && hostsOf(route, policy.hosts).every((host) => policy.picks(host) === 'no')

/** The certificate upstreams that a manager's routes lead to. */
export const certificateUpstreamsFrom = (
  { certificateUpstreams }: Site,
  { routes }: Manager,
): readonly CertificateUpstream[] =>
  certificateUpstreams.filter(({ name }) => routes.some(({ cluster }) => cluster?.text === name))

/** The name of the cluster through which a filter calls; empty if it calls in some other way. */
const authzClusterOf = ({ config }: AuthzFilter): string =>
  config.get('grpc_service', 'envoy_grpc', 'cluster_name').text

/**
 * There may be other ext_authz services in addition to Countersign. When the filters of Countersign can be
 * identified, other filters are ignored; otherwise all filters are checked.
 */
const findGuards = (
  managers: readonly Manager[],
  configuration: Configuration,
  { authzCluster, expected }: SiteOptions,
): ReadonlySet<AuthzFilter> => {
  const all = managers.flatMap(({ chains, routes }) =>
    chains.flatMap(({ authz }) => authz.map((filter) => ({ filter, routes }))),
  )
  if (authzCluster !== undefined) {
    const named = all.filter(({ filter }) => authzClusterOf(filter) === authzCluster)
    return new Set(named.map(({ filter }) => filter))
  }
  const known = all.filter(
    ({ filter, routes }) =>
      /countersign/i.test(`${authzClusterOf(filter)} ${filter.name}`) ||
      routes.some((route) => routeNameOf(route, filter.name) !== undefined) ||
      (expected?.authz.some((address) => listensAt(filter, configuration, address)) ?? false),
  )
  return new Set((known.length > 0 ? known : all).map(({ filter }) => filter))
}

/** Whether the filter's cluster has that address, or is Istio's of a service with that port. */
const listensAt = (filter: AuthzFilter, { clusters }: Configuration, authz: Address): boolean => {
  const name = authzClusterOf(filter)
  const cluster = clusters.get(name)
  return isServiceAt(serviceOf(name), authz) || (cluster !== undefined && isAt(cluster, authz))
}

/** Pods listen at every address: then the port is all that there is to go by. */
const isServiceAt = (service: Service | undefined, place: Address): boolean =>
  service !== undefined &&
  place.kind === 'tcp' &&
  service.port === place.port &&
  ['0.0.0.0', '::', service.host].includes(place.host)

/** Whether a cluster has that address. */
const isAt = (cluster: Setting, place: Address): boolean =>
  addressesOf(cluster).some((address) => {
    if (place.kind === 'unix') return address.get('pipe', 'path').text === place.path
    const socket = address.get('socket_address')
    return (
      socket.get('address').text === place.host && socket.get('port_value').count === place.port
    )
  })

/**
 * By the name that `envoy generate` gives it, one that says as much, or its address; in Istio it is
 * another port of the service that is authz.
 */
const issuerClustersOf = (
  { clusters }: Configuration,
  authzClusters: ReadonlySet<string>,
  expected: Expectations | undefined,
): ReadonlySet<string> => {
  const issuers = expected?.issuer ?? []
  const authz = new Set([...authzClusters].map((name) => serviceOf(name)?.host))
  const found = [...clusters].filter(([name, cluster]) => {
    if (/countersign[^a-z]?issuer/i.test(name)) return true
    const service = serviceOf(name)
    if (issuers.some((issuer) => isAt(cluster, issuer))) return true
    return issuers.some((issuer) => isServiceAt(service, issuer)) && authz.has(service?.host)
  })
  return new Set([ISSUER_CLUSTER, ...found.map(([name]) => name)])
}

const certificateUpstreamsOf = ({ clusters }: Configuration): readonly CertificateUpstream[] =>
  [...clusters].flatMap(([name, cluster]) =>
    upstreamTls(cluster).flatMap((tls) => {
      const selector = extensionIn(
        tls.config.get('common_tls_context', 'custom_tls_certificate_selector'),
      )
      if (!isKind(selector, KINDS.certificateSelector)) return []
      const signers = selector.config
        .get('config_source', 'api_config_source', 'grpc_services')
        .items()
        .map((service) => service.get('envoy_grpc', 'cluster_name'))
        .filter(({ isSet }) => isSet)
      return [{ name, cluster, tls, selector, signers }]
    }),
  )
