// Rules about clusters to which Envoy presents a certificate for each identity: that no connection
// serves two of them, and none outlives its certificate.

import { DEFAULT_LIFETIME_MS } from '../expectations.ts'
import { when, type Rule } from '../rule.ts'
import { commonHttpOptions, http3Options, limitOf } from '../view/cluster.ts'
import { ourRouteOf } from '../view/route.ts'
import type { CertificateUpstream, Site } from '../view/site.ts'

/** A certificate upstream and what leads to it. */
export interface CertificateSubject {
  readonly site: Site
  readonly upstream: CertificateUpstream
}

const LONGEST_IDLE_MS = 300_000
const DEFAULT_LIMIT = 1_024

/** Rules about certificate upstreams. */
export const certificateUpstreamRules: readonly Rule<CertificateSubject>[] = [
  {
    id: 'session-resumed',
    severity: 'error',
    problem: 'TLS sessions to the upstream can be resumed; one is kept unless this is 0',
    risk: 'a resumed session belongs to the identity that began it: the upstream receives another user',
    remedy: 'max_session_keys: 0',
    find: ({ upstream: { tls } }) => {
      const at = tls.config.get('max_session_keys')
      return when(at.count !== 0, at)
    },
  },
  {
    id: 'renegotiation-allowed',
    severity: 'error',
    problem: 'the upstream may renegotiate TLS',
    risk: 'a renegotiation requests the certificate again, and is answered without the identity of the request',
    remedy: 'allow_renegotiation: false',
    find: ({ upstream: { tls } }) => {
      const at = tls.config.get('allow_renegotiation')
      return when(at.flag, at)
    },
  },
  {
    id: 'certificate-over-http3',
    severity: 'error',
    problem: 'the upstream uses HTTP/3',
    risk: 'QUIC has no certificate selector: Envoy refuses the configuration, or presents no certificate',
    remedy: 'explicit_http_config: { http_protocol_options: {} }',
    find: ({ upstream: { cluster, tls } }) => {
      const at = http3Options(cluster) ?? cluster.get('transport_socket')
      return when(tls.quic || http3Options(cluster) !== undefined, at)
    },
  },
  {
    id: 'connection-outlives-certificate',
    severity: 'error',
    problem: 'connections may outlive their certificate',
    risk: 'requests continue with a certificate that has expired, or whose identity was revoked',
    remedy:
      'common_http_protocol_options: { max_connection_duration: … }, at most half of forward.certificate.lifetime',
    find: ({ site, upstream }) => {
      const at = commonHttpOptions(upstream.cluster).get('max_connection_duration')
      const duration = at.milliseconds
      if (duration === undefined) return [{ at }]
      // A certificate is made anew at half of its life, so the other half is what is sure to be left.
      const limit = lifetimeFor(site, upstream) / 2
      const detail = `${duration / 1_000}s is more than half of the certificate’s ${(2 * limit) / 1_000}s`
      const severity = site.expected === undefined ? 'warning' : 'error'
      return when(duration > limit || duration === 0, at, { detail, severity })
    },
  },
  {
    id: 'connection-idles-long',
    severity: 'warning',
    problem: 'idle connections are kept for longer than 5 minutes; the default is an hour',
    risk: 'every identity has its own connections: they accumulate, and remain open for users whose access has ended',
    remedy: 'common_http_protocol_options: { idle_timeout: 30s }',
    find: ({ upstream: { cluster } }) => {
      const at = commonHttpOptions(cluster).get('idle_timeout')
      const idle = at.milliseconds ?? 0
      return when(idle === 0 || idle > LONGEST_IDLE_MS, at)
    },
  },
  {
    id: 'identities-limited',
    severity: 'warning',
    problem: 'connections are limited to Envoy’s default of 1,024, or fewer',
    risk: 'every identity has its own connections in every worker: further identities get 503',
    remedy:
      'circuit_breakers: { thresholds: [{ max_connections: 4096, max_pending_requests: 4096, max_connection_pools: 4096 }] }',
    find: ({ upstream: { cluster } }) => {
      const pools = limitOf(cluster, 'max_connection_pools')
      const others = ['max_connections', 'max_pending_requests'].map((name) =>
        limitOf(cluster, name),
      )
      return [
        ...others.flatMap((at) => when((at.count ?? 0) < DEFAULT_LIMIT, at)),
        ...when((pools.count ?? DEFAULT_LIMIT) < DEFAULT_LIMIT, pools), // unlimited by default
      ]
    },
  },
  {
    id: 'health-check-without-identity',
    severity: 'error',
    problem: 'health checks use the certificate selector',
    risk: 'they have no identity and are refused: Envoy considers the upstream unhealthy',
    remedy:
      'health_checks: [{ …, transport_socket_match_criteria: { … } }] with a transport_socket_matches entry of its own, or outlier_detection',
    find: ({ upstream: { cluster } }) =>
      cluster
        .get('health_checks')
        .items()
        .filter((check) => !check.get('transport_socket_match_criteria').isSet)
        .map((at) => ({ at })),
  },
  {
    id: 'connections-made-ahead',
    severity: 'warning',
    problem: 'connections are opened before a request needs them',
    risk: 'every identity has more connections and certificates than it uses',
    remedy: 'no preconnect_policy',
    find: ({ upstream: { cluster } }) =>
      when(cluster.get('preconnect_policy').isSet, cluster.get('preconnect_policy')),
  },
]

/** The shortest life of the certificates that are presented there. */
const lifetimeFor = (
  { managers, expected }: Site,
  { name }: Pick<CertificateUpstream, 'name'>,
): number => {
  if (expected === undefined) return DEFAULT_LIFETIME_MS
  const { lifetimes } = expected
  const here = managers.flatMap(({ chains: [{ authz }], routes }) =>
    routes
      .filter(({ cluster }) => cluster?.text === name)
      .flatMap((route) =>
        authz.flatMap(
          (filter) => lifetimes.get(ourRouteOf(route, filter.name, expected.routes) ?? '') ?? [],
        ),
      ),
  )
  const known = here.length > 0 ? here : [...lifetimes.values()]
  return known.length > 0 ? Math.min(...known) : DEFAULT_LIFETIME_MS
}
