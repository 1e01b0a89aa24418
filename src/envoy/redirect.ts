// The listener that redirects from HTTP to HTTPS. It forwards nothing.

import type { EnvoyConfig } from '../configuration/envoy-schema.ts'
import type { Config } from '../configuration/schema.ts'
import { issuerHost } from './issuer.ts'
import { headerBounds, HEADERS_TIMEOUT, nobodyInternal, normalisation } from './listener.ts'
import { addressMessage, extension, type Message } from './message.ts'

/** The name of the listener. */
const REDIRECT_LISTENER = 'redirect'

const HTTPS_PORT = 443
const CONNECTION_BUFFER = 32_768

/** The listener, if the configuration has one. */
export const redirectListeners = (config: Config, envoy: EnvoyConfig): readonly Message[] => {
  const { redirect } = envoy.listener
  return redirect === undefined
    ? []
    : [
        {
          name: REDIRECT_LISTENER,
          address: addressMessage(redirect.address),
          per_connection_buffer_limit_bytes: CONNECTION_BUFFER,
          filter_chains: [{ filters: [manager(config, portOf(envoy))] }],
        },
      ]
}

const portOf = ({ listener: { address, redirect } }: EnvoyConfig): number =>
  redirect?.port ?? (address.kind === 'tcp' ? address.port : HTTPS_PORT)

const manager = (config: Config, port: number): Message =>
  extension(
    'envoy.filters.network.http_connection_manager',
    'filters.network.http_connection_manager.v3.HttpConnectionManager',
    {
      stat_prefix: REDIRECT_LISTENER,
      codec_type: 'HTTP1',
      use_remote_address: true,
      internal_address_config: nobodyInternal,
      forward_client_cert_details: 'SANITIZE',
      ...normalisation,
      request_headers_timeout: HEADERS_TIMEOUT,
      request_timeout: '10s',
      stream_idle_timeout: '10s',
      common_http_protocol_options: { idle_timeout: '10s', ...headerBounds },
      route_config: {
        name: REDIRECT_LISTENER,
        ignore_port_in_host_matching: true,
        virtual_hosts: virtualHosts(config, port),
      },
      http_filters: [extension('envoy.filters.http.router', 'filters.http.router.v3.Router')],
    },
  )

/** Only published hosts are redirected to. */
const virtualHosts = (config: Config, port: number): readonly Message[] => {
  const issuer = issuerHost(config)
  const hosts = new Set([
    ...config.routes.flatMap(({ match }) => match.hosts),
    ...(issuer === undefined ? [] : [issuer]),
  ])
  const redirected: Message = {
    name: REDIRECT_LISTENER,
    domains: hosts.has('*') ? ['*'] : [...hosts],
    routes: [
      {
        match: { prefix: '/' },
        redirect: {
          https_redirect: true,
          port_redirect: port,
          response_code: 'PERMANENT_REDIRECT',
        },
      },
    ],
  }
  const other: Message = {
    name: 'other',
    domains: ['*'],
    routes: [{ match: { prefix: '/' }, direct_response: { status: 404 } }],
  }
  return hosts.has('*') ? [redirected] : [redirected, other]
}
