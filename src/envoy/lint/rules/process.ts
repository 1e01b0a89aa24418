// Rules about Envoy as a whole: whether it calls Countersign at all, its node, its administration
// interface, its statistics, and what of its configuration was not there to be checked.

import { when, type Rule } from '../rule.ts'
import { isLoopback } from '../view/cluster.ts'
import { matchesAny } from '../view/matcher.ts'
import { Setting } from '../view/setting.ts'
import type { CertificateUpstream, Site } from '../view/site.ts'

/** Rules about the whole. */
export const processRules: readonly Rule<Site>[] = [
  {
    id: 'update-refused',
    severity: 'error',
    problem: 'Envoy refused a new configuration and runs with the previous one',
    risk: 'changes since then, hardening included, are not in force; after a restart Envoy has no configuration in their place',
    remedy: 'a configuration that Envoy accepts; "details" has the reason',
    istio:
      'a configuration that Envoy accepts: mostly two EnvoyFilters add the same, such as an upgrade_type, since lists are joined; `istioctl proxy-status` and the log of istiod show it too',
    find: ({ configuration: { refused } }) =>
      refused.map(({ at, resource }) => ({ at, detail: describeRefusal(resource, at) })),
  },
  {
    id: 'update-waiting',
    severity: 'warning',
    problem: 'a new configuration waits for a dependency and is not in force yet',
    risk: 'until then Envoy runs with the previous configuration or none; a wait that lasts is for a secret, routes or endpoints that no server delivers',
    remedy: 'the dependency; if it will arrive by itself, check again after some seconds',
    istio:
      'the dependency: the Secret that credentialName names in the Gateway, in the namespace of the gateway; for clusters, pilot-agent (secrets "default" and "ROOTCA")',
    find: ({ configuration: { waiting } }) =>
      waiting.map(({ at, resource, secrets }) => ({
        at,
        detail: secrets.length === 0 ? resource : `${resource}, for secret ${secrets.join(', ')}`,
      })),
  },
  {
    id: 'ext-authz-missing',
    severity: 'error',
    problem: 'no ext_authz filter calls Countersign',
    risk: 'every request is forwarded without a check, or this configuration publishes no upstream',
    remedy:
      'http_filters: [{ name: envoy.filters.http.ext_authz, typed_config: { … } }, …]; where it is called differently, --authz-cluster NAME',
    istio:
      'MeshConfig: extensionProviders: [{ name: countersign, envoyExtAuthzGrpc: { service: HOST, port: PORT, timeout: 5s } }], and an AuthorizationPolicy with action: CUSTOM, provider: { name: countersign }, whose selector takes in this gateway; where the service is called differently, --authz-cluster "outbound|PORT||HOST"',
    find: ({ guards }) => when(guards.size === 0, new Setting(undefined)),
  },
  {
    id: 'tcp-around-ext-authz',
    severity: 'error',
    problem: 'a listener forwards raw connections to an upstream that Countersign protects',
    risk: 'any client of the listener bypasses every rule, with the network position of Envoy',
    remedy: 'no tcp_proxy to this cluster',
    istio: 'in the Gateway, no server of protocol TCP or TLS (mode PASSTHROUGH) to this service',
    find: ({ tcpProxies, protected: guarded }) =>
      tcpProxies
        .flatMap(({ clusters }) => clusters)
        .filter(({ text }) => guarded.has(text))
        .map((at) => ({ at })),
  },
  {
    id: 'repeated-setting',
    severity: 'error',
    problem: 'the setting is present twice',
    risk: 'Envoy uses one of them silently, and a reader may assume the other',
    remedy: 'one of them',
    find: ({ repeated }) => repeated.map((at) => ({ at })),
  },
  {
    id: 'not-in-file',
    severity: 'warning',
    problem: 'this part is configured elsewhere and was not checked',
    risk: 'faults in it are not reported',
    remedy: 'check what Envoy runs with: --admin URL, or the output of its /config_dump',
    istio: 'a VirtualService whose destination exists; if it will arrive by itself, check again',
    find: (site) => elsewhere(site).map((at) => ({ at })),
  },
  {
    id: 'google-grpc',
    severity: 'warning',
    problem: 'Countersign is called with the Google gRPC client',
    risk: 'its addresses, TLS and limits are not those of a cluster, and are not checked here',
    remedy: 'envoy_grpc: { cluster_name: NAME }',
    find: ({ guards, certificateUpstreams }) =>
      [
        ...[...guards].map(({ config }) => config.get('grpc_service')),
        ...certificateUpstreams.flatMap(({ selector }) =>
          selector.config.get('config_source', 'api_config_source', 'grpc_services').items(),
        ),
      ]
        .map((service) => service.get('google_grpc'))
        .flatMap((at) => when(at.isSet, at)),
  },
  {
    id: 'node-missing',
    severity: 'error',
    problem: 'the node has no id or no cluster',
    risk: 'Envoy terminates when it fetches its first certificate; --mode validate does not report it',
    remedy: 'node: { id: NAME, cluster: NAME }, or --service-node and --service-cluster',
    find: ({ configuration: { bootstrap }, certificateUpstreams }) =>
      ['id', 'cluster']
        .map((name) => bootstrap.get('node', name))
        .flatMap((at) =>
          when(certificateUpstreams.length > 0 && bootstrap.isSet && at.text === '', at),
        ),
  },
  {
    id: 'admin-exposed',
    severity: 'error',
    problem: 'the administration interface is reachable from other machines',
    risk: 'any client of it can read the configuration and the certificate handles, and can stop Envoy',
    remedy: 'admin: { address: { pipe: { path: PATH, mode: 384 } } }',
    find: ({ configuration: { bootstrap } }) => {
      const at = bootstrap.get('admin', 'address', 'socket_address', 'address')
      return when(at.isSet && !isLoopback(at.text), at)
    },
  },
  {
    id: 'statistics-name-certificates',
    severity: 'warning',
    problem: 'statistics contain certificate handles',
    risk: 'each handle is a sealed certificate grant, and statistics are widely readable; every identity adds statistics that remain',
    remedy:
      'stats_config: { stats_matcher: { exclusion_list: { patterns: [{ prefix: sds. }, { contains: .on_demand_secret.ssl.certificate. }] } } }',
    find: ({ configuration: { bootstrap }, certificateUpstreams }) => {
      const kept = bootstrap.isSet
        ? certificateUpstreams.flatMap((upstream) => telling(bootstrap, upstream))
        : []
      const detail = [...new Set(kept)].join(', ')
      return when(kept.length > 0, bootstrap.get('stats_config', 'stats_matcher'), { detail })
    },
  },
]

/** An envoy.admin.v3.UpdateFailureState. */
const describeRefusal = (resource: string, failure: Setting): string => {
  const [details, last, version] = ['details', 'last_update_attempt', 'version_info'].map((name) =>
    failure.get(name).text.replaceAll(/\s+/g, ' '),
  )
  return [
    resource,
    ...(version === '' ? [] : [`version ${version}`]),
    ...(last === '' ? [] : [`last tried at ${last}`]),
    `details: ${details === '' ? 'none' : details}`,
  ].join('; ')
}

const elsewhere = ({ configuration, managers }: Site): readonly Setting[] => [
  ...configuration.elsewhere,
  ...managers.flatMap((manager) => manager.elsewhere),
  ...managers
    .flatMap(({ routes }) => routes)
    .map(({ cluster }) => cluster)
    .filter((cluster) => cluster !== undefined)
    .filter((cluster) => !configuration.clusters.has(cluster.text)),
]

/** The kinds of statistics that are kept and contain names of certificates. */
const telling = (bootstrap: Setting, { name, cluster }: CertificateUpstream): readonly string[] => {
  const matchers = [
    bootstrap.get('stats_config', 'stats_matcher'),
    cluster.get('stats_matcher'), // says for one cluster what the other says for all
  ]
  const called = (cluster.get('alt_stat_name').text || name).replaceAll(':', '_')
  const kinds = [
    { kind: 'sds.NAME.*', sample: 'sds.n.update_success', words: /sds/ },
    {
      kind: 'cluster.*.on_demand_secret.ssl.certificate.NAME.*',
      sample: `cluster.${called}.on_demand_secret.ssl.certificate.n.expiration_unix_time_seconds`,
      words: /on_demand_secret|certificate/,
    },
  ]
  return kinds
    .filter(({ sample, words }) => !matchers.some((matcher) => drops(matcher, sample, words)))
    .map(({ kind }) => kind)
}

const drops = (matcher: Setting, sample: string, words: RegExp): boolean => {
  if (matcher.get('reject_all').flag) return true
  const [excluded, included] = [matcher.get('exclusion_list'), matcher.get('inclusion_list')]
  // A regular expression is taken at its word, since this made-up name need not be one it matches.
  const names = (list: Setting): boolean =>
    list
      .get('patterns')
      .items()
      .some((pattern) => words.test(pattern.get('safe_regex', 'regex').text))
  if (excluded.isSet) return matchesAny(excluded, sample) || names(excluded)
  return included.isSet && !matchesAny(included, sample) && !names(included)
}
