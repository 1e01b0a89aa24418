// Rules about the cluster of the issuer: passwords of the login page, and the headers of Envoy about callers,
// must not be readable or writable on the network.

import { when, type Rule } from '../rule.ts'
import { addressOf, isLocal, isPlaintextTo, upstreamTls } from '../view/cluster.ts'
import type { Setting } from '../view/setting.ts'
import type { Site } from '../view/site.ts'

/** A cluster of the issuer. */
export interface IssuerCluster {
  readonly site: Site
  readonly cluster: Setting
  /** Its endpoints, as far as they were seen. */
  readonly endpoints: readonly Setting[]
}

const REMEDY =
  'transport_socket: { name: envoy.transport_sockets.tls, typed_config: { "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext, common_tls_context: { tls_certificates: [{ certificate_chain: { filename: CERTIFICATE }, private_key: { filename: KEY } }], validation_context: { trusted_ca: { filename: CA }, match_typed_subject_alt_names: [{ san_type: DNS, matcher: { exact: NAME } }] } } } }'

const ISTIO =
  'DestinationRule for its host: trafficPolicy: { tls: { mode: MUTUAL, credentialName: NAME, subjectAltNames: [NAME] } }'

/** Rules about clusters of the issuer. */
export const issuerClusterRules: readonly Rule<IssuerCluster>[] = [
  {
    id: 'issuer-plaintext',
    severity: 'error',
    problem: 'the issuer is called over a network without TLS',
    risk: 'passwords of the login page are sent in the clear, an attacker on the network can replace the published keys, and the issuer does not trust the headers of Envoy',
    remedy: `a pipe on the same machine; or listen.issuer.tls of countersign.yaml and ${REMEDY}`,
    istio: ISTIO,
    find: ({ cluster, endpoints }) =>
      endpoints
        .filter((endpoint) => !isLocal(addressOf(endpoint)) && isPlaintextTo(cluster, endpoint))
        .map((endpoint) => ({ at: addressOf(endpoint) })),
  },
  {
    id: 'issuer-client-certificate',
    severity: 'error',
    problem: 'Envoy presents no client certificate to the issuer',
    risk: 'listen.issuer.tls requires one: no user can log in, and upstreams cannot read the keys',
    remedy: REMEDY,
    istio: ISTIO,
    find: ({ site, cluster }) => {
      const presents = upstreamTls(cluster).some(({ config }) =>
        PRESENTED.some((name) => config.get('common_tls_context', name).isSet),
      )
      return when(site.expected?.issuerTls === true && !presents, cluster.get('transport_socket'))
    },
  },
]

/** Fields of CommonTlsContext that say which certificate is presented. */
const PRESENTED = [
  'tls_certificates',
  'tls_certificate_sds_secret_configs',
  'tls_certificate_provider_instance',
  'custom_tls_certificate_selector',
] as const
