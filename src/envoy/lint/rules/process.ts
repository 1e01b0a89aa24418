// Rules about Envoy as a whole: whether it asks Countersign at all, its node, its administration
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
    problem: 'Envoy refused a new configuration and runs with what it had before',
    risk: 'what was changed since, hardening too, does not hold; and once Envoy starts anew there is nothing in its place',
    remedy: 'what Envoy takes: it says after "details" what it does not',
    istio:
      'what Envoy takes: mostly two EnvoyFilters that add the same, such as an upgrade_type, since lists are joined; `istioctl proxy-status` and the log of istiod tell of it too',
    find: ({ configuration: { refused } }) =>
      refused.map(({ at, resource }) => ({ at, detail: describeRefusal(resource, at) })),
  },
  {
    id: 'update-waiting',
    severity: 'warning',
    problem: 'a new configuration waits for something that has not come, and is not in force yet',
    risk: 'until then Envoy runs with the one before it, or without; what stays like that waits for a secret, for routes or for endpoints that nobody delivers',
    remedy: 'what it waits for; where that comes by itself, look again in some seconds',
    istio:
      'what it waits for: the Secret that credentialName names in the Gateway, in the namespace of the gateway; for clusters, pilot-agent (secrets "default" and "ROOTCA")',
    find: ({ configuration: { waiting } }) =>
      waiting.map(({ at, resource, secrets }) => ({
        at,
        detail: secrets.length === 0 ? resource : `${resource}, for secret ${secrets.join(', ')}`,
      })),
  },
  {
    id: 'ext-authz-missing',
    severity: 'error',
    problem: 'no ext_authz filter asks Countersign',
    risk: 'every request is forwarded unjudged, or this is not the configuration that publishes anything',
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
    risk: 'whoever reaches it goes around every rule, in the name of Envoy',
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
    problem: 'the setting is there twice',
    risk: 'Envoy takes one of them without a word, and a reader may take the other',
    remedy: 'one of them',
    find: ({ repeated }) => repeated.map((at) => ({ at })),
  },
  {
    id: 'not-in-file',
    severity: 'warning',
    problem: 'this part comes from elsewhere and was not checked',
    risk: 'whatever is wrong there stays unseen',
    remedy: 'check what Envoy runs with: --admin URL, or the output of its /config_dump',
    istio: 'a VirtualService whose destination exists; where it comes by itself, look again',
    find: (site) => elsewhere(site).map((at) => ({ at })),
  },
  {
    id: 'google-grpc',
    severity: 'warning',
    problem: 'Countersign is asked with the gRPC client of Google',
    risk: 'its addresses, its TLS and its limits are not those of a cluster, and are not checked here',
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
    risk: 'the first certificate that Envoy fetches ends the whole process; --mode validate does not notice',
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
    problem: 'the administration interface can be reached from other machines',
    risk: 'whoever reaches it reads the configuration and the names of certificates, and can stop Envoy',
    remedy: 'admin: { address: { pipe: { path: PATH, mode: 384 } } }',
    find: ({ configuration: { bootstrap } }) => {
      const at = bootstrap.get('admin', 'address', 'socket_address', 'address')
      return when(at.isSet && !isLoopback(at.text), at)
    },
  },
  {
    id: 'statistics-name-certificates',
    severity: 'warning',
    problem: 'statistics carry the names of certificates',
    risk: 'each is a sealed grant, and statistics go to many places; every identity adds statistics that stay',
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
