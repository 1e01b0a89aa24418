// The delegation hop: an Envoy behind a gateway whose Envoy has no certificate selector. The gateway calls
// authz and forwards the handle in a header; the hop presents that certificate to the upstream. It has no
// authorization of its own, so it accepts only the gateway, by mutual TLS.

import { Document } from 'yaml'
import type { Address } from '../../config/values.ts'
import type { Upstream } from '../../configuration/upstream-schema.ts'
import { signerClusterAt } from '../clusters.ts'
import { certificateCluster, handleFilterBy, statistics } from '../identity-certificate.ts'
import { UPGRADES } from '../listener.ts'
import { addressMessage, extension, file, type Message } from '../message.ts'
import { upstreamCluster } from '../upstream-clusters.ts'

/** The header in which the gateway hands on the handle; callers' own are removed at the gateway. */
export const HANDLE_HEADER = 'x-countersign-certificate'

/** What a hop needs. */
export interface DelegationHop {
  readonly address: Address
  /** Its server certificate. */
  readonly certificate: string
  readonly key: string
  /** Who may connect: a DNS name in a certificate of this CA. */
  readonly gateway: { readonly ca: string; readonly name: string }
  readonly signer: Address
  readonly upstream: Upstream
  /** Of the callers' certificates, in milliseconds. */
  readonly lifetime: number
}

const UPSTREAM = 'kubernetes'
const SOCKET_MODE = 0o600

const delegationHop = (hop: DelegationHop): Message => ({
  node: { id: 'countersign-hop', cluster: 'countersign' },
  admin: {
    address: addressMessage({ kind: 'unix', path: '/tmp/envoy-admin.sock' }, SOCKET_MODE),
  },
  ...statistics,
  static_resources: {
    listeners: [
      {
        name: 'hop',
        address: addressMessage(hop.address),
        filter_chains: [{ transport_socket: tlsOf(hop), filters: [manager] }],
      },
    ],
    clusters: [
      signerClusterAt(hop.signer),
      upstreamCluster(certificateCluster(UPSTREAM), hop.upstream, hop.lifetime),
    ],
  },
})

/** The bootstrap as commented YAML. */
export const renderDelegationHop = (hop: DelegationHop): string => {
  const document = new Document(delegationHop(hop), { aliasDuplicateObjects: false })
  document.commentBefore = ` Made by \`npm run generate\` from src/envoy/istio: an Envoy ≥ 1.40 that presents to the upstream the
 certificate whose handle the gateway sends in ${HANDLE_HEADER}. It has no authorization: a client with a
 handle acts as its identity, so it accepts connections of the gateway only.`
  return document.toString({ lineWidth: 0 })
}

const tlsOf = ({ certificate, key, gateway }: DelegationHop): Message =>
  extension('envoy.transport_sockets.tls', 'transport_sockets.tls.v3.DownstreamTlsContext', {
    require_client_certificate: true,
    common_tls_context: {
      tls_params: {
        tls_minimum_protocol_version: 'TLSv1_2',
        tls_maximum_protocol_version: 'TLSv1_3',
      },
      alpn_protocols: ['http/1.1'],
      tls_certificates: [{ certificate_chain: file(certificate), private_key: file(key) }],
      validation_context: {
        trusted_ca: file(gateway.ca),
        match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: gateway.name } }],
      },
    },
  })

const manager: Message = extension(
  'envoy.filters.network.http_connection_manager',
  'filters.network.http_connection_manager.v3.HttpConnectionManager',
  {
    stat_prefix: 'hop',
    // The gateway has said where the request came from.
    skip_xff_append: true,
    forward_client_cert_details: 'SANITIZE',
    stream_idle_timeout: '3600s',
    request_timeout: '0s',
    upgrade_configs: UPGRADES.map((type) => ({ upgrade_type: type })),
    route_config: {
      name: 'hop',
      virtual_hosts: [
        {
          name: '*',
          domains: ['*'],
          routes: [
            {
              match: { prefix: '/', headers: [{ name: HANDLE_HEADER, present_match: true }] },
              // Never sent again: the signer may be what refuses.
              route: { cluster: certificateCluster(UPSTREAM), timeout: '0s' },
              request_headers_to_remove: [HANDLE_HEADER],
            },
            { match: { prefix: '/' }, direct_response: { status: 403 } },
          ],
        },
      ],
    },
    http_filters: [
      handleFilterBy(`%REQ(${HANDLE_HEADER})%`),
      extension('envoy.filters.http.router', 'filters.http.router.v3.Router'),
    ],
  },
)
