// Every rule, in the order of a request: Envoy itself, the listener, the filters, the routes, the clusters.

import { applyRules, type Finding, type Rule, type RuleText } from './rule.ts'
import { accessLogRules } from './rules/access-log.ts'
import { authzClusterRules } from './rules/authz-cluster.ts'
import { certificateUpstreamRules } from './rules/certificate-upstream.ts'
import { chainRules } from './rules/chain.ts'
import { clientCertificateRules } from './rules/client-certificate.ts'
import { downstreamTlsRules } from './rules/downstream-tls.ts'
import { extAuthzRules } from './rules/ext-authz.ts'
import { failOpenRules } from './rules/fail-open.ts'
import { filterStateRules } from './rules/filter-state.ts'
import { forwardedCertificateRules } from './rules/forwarded-certificate.ts'
import { furtherRequestRules } from './rules/further-requests.ts'
import { headerRules } from './rules/headers.ts'
import { issuerBoundsRules } from './rules/issuer-bounds.ts'
import { issuerClusterRules } from './rules/issuer-cluster.ts'
import { issuerRules } from './rules/issuer.ts'
import { listenerRules } from './rules/listener.ts'
import { lookAlikeRules } from './rules/look-alikes.ts'
import { policyRules } from './rules/policy.ts'
import { processRules } from './rules/process.ts'
import { routeRules } from './rules/route.ts'
import { selectorRules } from './rules/selector.ts'
import { signerRules } from './rules/signer.ts'
import { streamRules } from './rules/stream.ts'
import { upstreamTlsRules } from './rules/upstream-tls.ts'
import { authzWorkerRules, issuerWorkerRules } from './rules/workers.ts'
import { endpointsOf } from './view/configuration.ts'
import { credentialsOf, guardsIn } from './view/credentials.ts'
import type { Setting } from './view/setting.ts'
import { guardsOf, isLeftOut, type Site } from './view/site.ts'

/** The texts of every rule. */
export const RULES: readonly RuleText[] = [
  ...processRules,
  ...listenerRules,
  ...accessLogRules,
  ...downstreamTlsRules,
  ...forwardedCertificateRules,
  ...clientCertificateRules,
  ...headerRules,
  ...lookAlikeRules,
  ...streamRules,
  ...chainRules,
  ...failOpenRules,
  ...policyRules,
  ...extAuthzRules,
  ...routeRules,
  ...furtherRequestRules,
  ...issuerRules,
  ...issuerBoundsRules,
  ...issuerClusterRules,
  ...issuerWorkerRules,
  ...authzClusterRules,
  ...authzWorkerRules,
  ...upstreamTlsRules,
  ...filterStateRules,
  ...certificateUpstreamRules,
  ...selectorRules,
  ...signerRules,
]

/** EnvoyFilters, by what they change. */
const PATCHES = {
  bootstrap: 'in the bootstrap of the gateway (EnvoyFilter, applyTo: BOOTSTRAP)',
  manager:
    'EnvoyFilter, applyTo: NETWORK_FILTER on envoy.filters.network.http_connection_manager, MERGE',
  tls: 'EnvoyFilter, applyTo: FILTER_CHAIN, MERGE of transport_socket (name: envoy.transport_sockets.tls)',
  filters: 'EnvoyFilter, applyTo: HTTP_FILTER, INSERT_AFTER envoy.filters.http.ext_authz',
  authz: 'EnvoyFilter, applyTo: HTTP_FILTER on envoy.filters.http.ext_authz, MERGE',
  route: 'EnvoyFilter, applyTo: HTTP_ROUTE, MERGE',
  cluster: 'EnvoyFilter, applyTo: CLUSTER, MERGE',
} as const

/** Applies every rule to its subjects. */
export const findAll = (site: Site): readonly Finding[] => {
  const apply = <Subject>(
    rules: readonly Rule<Subject>[],
    subjects: readonly Subject[],
    patch: keyof typeof PATCHES,
  ): readonly Finding[] => applyRules(rules, subjects, site.istio ? PATCHES[patch] : undefined)
  const { chains, guarded, managers, edges, guards, routes } = subjectsOf(site)
  const published = site.managers.map((manager) => ({ site, manager }))
  const withEndpoints = (names: Iterable<string>) =>
    clustersOf(site, names).map((cluster) => ({
      site,
      cluster,
      endpoints: endpointsOf(site.configuration, cluster),
    }))
  const [authz, issuer] = [withEndpoints(site.authzClusters), withEndpoints(site.issuerClusters)]
  const upstreams = site.certificateUpstreams.map((upstream) => ({ site, upstream }))
  const signers = site.certificateUpstreams.flatMap((upstream) =>
    upstream.signers.map(({ text }) => text),
  )
  return [
    ...apply(processRules, [site], 'bootstrap'),
    ...apply(listenerRules, managers, 'manager'),
    ...apply(accessLogRules, managers, 'manager'),
    ...apply(downstreamTlsRules, managers, 'tls'),
    ...apply(forwardedCertificateRules, edges, 'manager'),
    ...apply(clientCertificateRules, edges, 'manager'),
    ...apply(headerRules, edges, 'manager'),
    ...apply(lookAlikeRules, edges, 'manager'),
    ...apply(streamRules, edges, 'manager'),
    ...apply(chainRules, chains, 'filters'),
    ...apply(failOpenRules, [...site.guards], 'authz'),
    ...apply(policyRules, guarded, 'authz'),
    ...apply(extAuthzRules, guards, 'authz'),
    ...apply(routeRules, routes, 'route'),
    ...apply(furtherRequestRules, routes, 'route'),
    ...apply(issuerRules, published, 'route'),
    ...apply(issuerBoundsRules, published, 'route'),
    ...apply(issuerClusterRules, issuer, 'cluster'),
    ...apply(issuerWorkerRules, issuer, 'cluster'),
    ...apply(authzClusterRules, authz, 'cluster'),
    ...apply(authzWorkerRules, authz, 'cluster'),
    ...apply(
      upstreamTlsRules,
      clustersOf(site, [...site.authzClusters, ...site.issuerClusters, ...site.protected]),
      'cluster',
    ),
    ...apply(filterStateRules, guarded, 'filters'),
    ...apply(certificateUpstreamRules, upstreams, 'cluster'),
    ...apply(selectorRules, upstreams, 'cluster'),
    ...apply(signerRules, clustersOf(site, signers), 'cluster'),
  ]
}

/** The subjects of rules, where Envoy calls Countersign. */
const subjectsOf = (site: Site) => {
  const chains = site.managers.flatMap((manager) =>
    manager.chains.map((chain) => ({ site, manager, chain })),
  )
  const guarded = chains.filter(({ chain }) => guardsOf(site, chain).length > 0)
  const managers = [...new Set(guarded.map(({ manager }) => manager))]
  const edges = managers.map((manager) => ({
    site,
    manager,
    credentials: credentialsOf(site, manager),
  }))
  const guards = edges.flatMap(({ manager, credentials }) =>
    guardsIn(site, manager).map((guard) => ({ ...guard, credentials })),
  )
  const routes = edges.flatMap(({ manager }) =>
    guardsOf(site, manager.chains[0]).flatMap((guard) =>
      manager.routes
        .filter((route) => !isLeftOut(guard, route))
        .map((route) => ({ site, manager, route, guard })),
    ),
  )
  return { chains, guarded, managers, edges, guards, routes }
}

const clustersOf = ({ configuration }: Site, names: Iterable<string>): readonly Setting[] =>
  [...new Set(names)].flatMap((name) => configuration.clusters.get(name) ?? [])
