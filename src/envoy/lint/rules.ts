// Every rule, in the order of a request's way: Envoy itself, the listener, the filters, the routes,
// the clusters.

import { applyRules, type Finding, type RuleText } from './rule.ts'
import { authzClusterRules } from './rules/authz-cluster.ts'
import { certificateUpstreamRules } from './rules/certificate-upstream.ts'
import { chainRules } from './rules/chain.ts'
import { clientCertificateRules } from './rules/client-certificate.ts'
import { downstreamTlsRules } from './rules/downstream-tls.ts'
import { extAuthzRules } from './rules/ext-authz.ts'
import { failOpenRules } from './rules/fail-open.ts'
import { filterStateRules } from './rules/filter-state.ts'
import { forwardedCertificateRules } from './rules/forwarded-certificate.ts'
import { headerRules } from './rules/headers.ts'
import { issuerRules } from './rules/issuer.ts'
import { listenerRules } from './rules/listener.ts'
import { processRules } from './rules/process.ts'
import { routeRules } from './rules/route.ts'
import { selectorRules } from './rules/selector.ts'
import { signerRules } from './rules/signer.ts'
import { streamRules } from './rules/stream.ts'
import { upstreamTlsRules } from './rules/upstream-tls.ts'
import { credentialsOf, guardsIn } from './view/credentials.ts'
import type { Setting } from './view/setting.ts'
import { guardsOf, type Site } from './view/site.ts'

/** What every rule says of itself. */
export const RULES: readonly RuleText[] = [
  ...processRules,
  ...listenerRules,
  ...downstreamTlsRules,
  ...forwardedCertificateRules,
  ...clientCertificateRules,
  ...headerRules,
  ...streamRules,
  ...chainRules,
  ...failOpenRules,
  ...extAuthzRules,
  ...routeRules,
  ...issuerRules,
  ...authzClusterRules,
  ...upstreamTlsRules,
  ...filterStateRules,
  ...certificateUpstreamRules,
  ...selectorRules,
  ...signerRules,
]

/** Applies every rule to what it is about. */
export const findAll = (site: Site): readonly Finding[] => {
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
      manager.routes.map((route) => ({ site, manager, route, guard })),
    ),
  )
  const upstreams = site.certificateUpstreams.map((upstream) => ({ site, upstream }))
  const issuers = site.managers.map((manager) => ({ site, manager }))
  const signers = site.certificateUpstreams.flatMap((upstream) =>
    upstream.signers.map(({ text }) => text),
  )
  return [
    ...applyRules(processRules, [site]),
    ...applyRules(listenerRules, managers),
    ...applyRules(downstreamTlsRules, managers),
    ...applyRules(forwardedCertificateRules, edges),
    ...applyRules(clientCertificateRules, edges),
    ...applyRules(headerRules, edges),
    ...applyRules(streamRules, edges),
    ...applyRules(chainRules, chains),
    ...applyRules(failOpenRules, [...site.guards]),
    ...applyRules(extAuthzRules, guards),
    ...applyRules(routeRules, routes),
    ...applyRules(issuerRules, issuers),
    ...applyRules(authzClusterRules, clustersOf(site, site.authzClusters)),
    ...applyRules(upstreamTlsRules, clustersOf(site, [...site.authzClusters, ...site.protected])),
    ...applyRules(filterStateRules, guarded),
    ...applyRules(certificateUpstreamRules, upstreams),
    ...applyRules(selectorRules, upstreams),
    ...applyRules(signerRules, clustersOf(site, signers)),
  ]
}

const clustersOf = ({ configuration }: Site, names: Iterable<string>): readonly Setting[] =>
  [...new Set(names)].flatMap((name) => configuration.clusters.get(name) ?? [])
