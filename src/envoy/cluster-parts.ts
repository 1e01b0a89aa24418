// The parts of clusters: endpoints, limits, protocols, TLS.

import { isIP } from 'node:net'
import type { Address } from '../config/values.ts'
import { addressMessage, extension, file, isResolved, typeUrl, type Message } from './message.ts'

/** The fields that say what the cluster is called and where its endpoints are. */
export const endpoints = (name: string, addresses: readonly Address[]): Message => {
  const resolved = addresses.every(isResolved)
  return {
    name,
    type: resolved ? 'STATIC' : 'STRICT_DNS',
    ...(resolved ? {} : { dns_lookup_family: 'V4_PREFERRED' }),
    load_assignment: {
      cluster_name: name,
      endpoints: [
        {
          lb_endpoints: addresses.map((address) => ({
            endpoint: { address: addressMessage(address) },
          })),
        },
      ],
    },
  }
}

/** Of connections, and of requests that are under way or wait. */
export const limits = (most: number): Message => ({ thresholds: [threshold(most, most)] })

/** One priority of `circuit_breakers`. */
export const threshold = (connections: number, requests: number): Message => ({
  max_connections: connections,
  max_pending_requests: requests,
  max_requests: requests,
})

/** `typed_extension_protocol_options`: the version of HTTP. */
export const protocol = (options: Message): Message => ({
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
    '@type': typeUrl('upstreams.http.v3.HttpProtocolOptions'),
    ...options,
  },
})

/** Envoy as a client of TLS. */
interface ClientTls {
  readonly serverName: string
  readonly ca: string
  readonly alpn: string
  /** Fields of CommonTlsContext: the client certificate, if any. */
  readonly present: Message
}

/** The fields of CommonTlsContext that present a certificate from files, if there is one. */
export const ownCertificate = ({
  certificate,
  key,
}: {
  readonly certificate?: string | undefined
  readonly key?: string | undefined
}): Message =>
  certificate === undefined || key === undefined
    ? {}
    : { tls_certificates: [{ certificate_chain: file(certificate), private_key: file(key) }] }

/** The transport socket of a cluster with TLS: the server must have a certificate of that CA and name. */
export const tls = ({ serverName, ca, alpn, present }: ClientTls): Message => {
  const byAddress = isIP(serverName) !== 0
  return extension('envoy.transport_sockets.tls', 'transport_sockets.tls.v3.UpstreamTlsContext', {
    // RFC 6066 §3: an IP address is not a server name.
    ...(byAddress ? {} : { sni: serverName }),
    max_session_keys: 0,
    common_tls_context: {
      tls_params: {
        tls_minimum_protocol_version: 'TLSv1_2',
        tls_maximum_protocol_version: 'TLSv1_3',
      },
      alpn_protocols: [alpn],
      ...present,
      validation_context: {
        trusted_ca: file(ca),
        match_typed_subject_alt_names: [
          {
            san_type: byAddress ? 'IP_ADDRESS' : 'DNS',
            matcher: { exact: byAddress ? canonicalAddress(serverName) : serverName },
          },
        ],
      },
    },
  })
}

/** The host of an address, for TLS. */
export const hostOf = (address: Address | undefined): string =>
  address?.kind === 'tcp' ? address.host : 'localhost'

/** RFC 5952: the spelling in which Envoy prints the address of a certificate before it compares. */
const canonicalAddress = (address: string): string =>
  isIP(address) === 6 ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address
