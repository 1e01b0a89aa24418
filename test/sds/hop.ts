// A real Envoy that takes the name of the client certificate from a request header, between a
// scripted issuer behind the real service and an upstream that wants certificates.

import { readFile } from 'node:fs/promises'
import { stringify } from 'yaml'
import { systemClock } from '../../src/runtime/clock.ts'
import { startBuiltInServer } from '../../src/runtime/grpc/built-in-server.ts'
import { streamLimits } from '../../src/runtime/grpc/limits.ts'
import type { Issued } from '../../src/ca/issuer.ts'
import { sdsService } from '../../src/sds/service.ts'
import type { SdsStatistics } from '../../src/sds/statistics.ts'
import { memoryLogger } from '../fakes/logger.ts'
import { FakeIssuer, UNKNOWN } from '../fakes/secret-issuer.ts'
import { startEnvoy, type Envoy } from '../servers/envoy.ts'
import { createPki, type KeyPair, type Pki } from '../servers/pki.ts'
import { temporaryFolder } from '../servers/temporary.ts'
import { startUpstream, type Upstream } from '../servers/upstream.ts'

/** The service as one process of the signer would run it; it starts anew with each. */
interface Signer extends AsyncDisposable {
  readonly issuer: FakeIssuer
  readonly log: readonly string[]
  statistics(): SdsStatistics
}

/** The outcome of a request. */
interface Outcome {
  readonly status: number
  /** CN of the client certificate that the upstream saw, where it answered. */
  readonly client: string | undefined
  readonly milliseconds: number
}

/** Everything that runs; the signer is started and stopped by the test. */
export interface Hop extends AsyncDisposable {
  readonly envoy: Envoy
  readonly pki: Pki
  /**
   * Starts a signer on the socket that Envoy knows, with what it answers from its first moment on: Envoy may
   * be waiting for it. By default it issues nothing until a test says so.
   */
  startSigner(answer?: FakeIssuer['answer']): Promise<Signer>
  /** Sends a request with the certificate of that name, on a connection of its own. */
  request(name: string): Promise<Outcome>
  /** `cert_requested`, `cert_updated` or `cert_active` of the upstream's cluster. */
  statistic(name: string): Promise<number>
}

/** The longest that Envoy waits for a connection to the upstream, certificate included. */
export const CONNECT_TIMEOUT = 2_000

/** Starts Envoy and the upstream, which serves alice only. */
export const startHop = async (): Promise<Hop> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const pki = stack.use(await createPki())
  const upstream = stack.use(
    await startUpstream({ identity: pki.upstream, clientCa: pki.ca, client: 'alice' }),
  )
  const socket = folder.file('sds.sock')
  const bootstrap = bootstrapOf(folder.file('admin.sock'), socket, upstream, pki)
  const envoy = stack.use(await startEnvoy({ bootstrap: stringify(bootstrap) }))
  const port = await envoy.port('hop')
  const owned = stack.move()
  return {
    envoy,
    pki,
    startSigner: (answer = () => UNKNOWN) => startSigner(socket, answer),
    request: (name) => request(port, name),
    async statistic(name) {
      const text = await envoy.admin(`/stats?filter=on_demand_secret\\.${name}$`)
      return Number(/\d+$/.exec(text.trim())?.[0])
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** A certificate of the test's CA, as an issuer hands it out. */
export const certificateOf = async (
  { certificate, key }: KeyPair,
  version: string,
  ttl: number,
): Promise<Issued> => ({
  outcome: 'issued',
  certificateChain: await readFile(certificate),
  privateKey: await readFile(key),
  version,
  ttl,
})

const startSigner = async (path: string, answer: FakeIssuer['answer']): Promise<Signer> => {
  const issuer = new FakeIssuer()
  issuer.answer = answer
  const { logger, lines } = memoryLogger()
  const sds = sdsService({ issuer, clock: systemClock, logger, maxNames: 1_000 })
  const server = await startBuiltInServer({
    address: { kind: 'unix', path },
    mode: 0o600,
    tls: undefined,
    streams: sds.methods,
    limits: streamLimits(10_000),
    grace: 1_000,
    logger,
  })
  return {
    issuer,
    log: lines,
    statistics: () => sds.statistics(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

const request = async (port: number, name: string): Promise<Outcome> => {
  const start = performance.now()
  const response = await fetch(`http://127.0.0.1:${port}/`, {
    headers: { 'x-secret': name, connection: 'close' },
  })
  const body = await response.text()
  return {
    status: response.status,
    client: /"client":"([^"]*)"/.exec(body)?.[1],
    milliseconds: Math.round(performance.now() - start),
  }
}

const typed = (name: string, type: string, fields: object = {}) => ({
  name,
  typed_config: { '@type': `type.googleapis.com/envoy.extensions.${type}`, ...fields },
})

const cluster = (name: string, address: object, fields: object) => ({
  name,
  type: 'STATIC',
  load_assignment: {
    cluster_name: name,
    endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }],
  },
  ...fields,
})

const httpOptions = (fields: object) => ({
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      ...fields,
    },
  },
})

const bootstrapOf = (admin: string, signer: string, { port }: Upstream, { ca }: Pki) => ({
  node: { id: 'hop', cluster: 'test' },
  admin: { address: { pipe: { path: admin } } },
  static_resources: {
    listeners: [
      {
        name: 'hop',
        address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
        filter_chains: [{ filters: [connectionManager] }],
      },
    ],
    clusters: [
      cluster(
        'upstream',
        { socket_address: { address: '127.0.0.1', port_value: port } },
        {
          connect_timeout: `${CONNECT_TIMEOUT / 1_000}s`,
          transport_socket: upstreamTls(ca),
          // A handshake for each request: none rides on what an earlier one was given.
          ...httpOptions({
            common_http_protocol_options: { max_requests_per_connection: 1 },
            explicit_http_config: { http_protocol_options: {} },
          }),
        },
      ),
      cluster(
        'signer',
        { pipe: { path: signer } },
        httpOptions({
          explicit_http_config: {
            http2_protocol_options: { connection_keepalive: { interval: '1s', timeout: '1s' } },
          },
        }),
      ),
    ],
  },
})

const upstreamTls = (ca: string) =>
  typed('envoy.transport_sockets.tls', 'transport_sockets.tls.v3.UpstreamTlsContext', {
    sni: 'localhost',
    max_session_keys: 0,
    common_tls_context: {
      validation_context: { trusted_ca: { filename: ca } },
      custom_tls_certificate_selector: typed(
        'envoy.tls.certificate_selectors.on_demand_secret',
        'transport_sockets.tls.cert_selectors.on_demand_secret.v3.Config',
        {
          config_source: {
            resource_api_version: 'V3',
            api_config_source: {
              api_type: 'DELTA_GRPC',
              transport_api_version: 'V3',
              grpc_services: [
                {
                  envoy_grpc: {
                    cluster_name: 'signer',
                    retry_policy: {
                      retry_back_off: { base_interval: '0.1s', max_interval: '0.5s' },
                    },
                  },
                },
              ],
            },
          },
          certificate_mapper: typed(
            'envoy.tls.upstream_certificate_mappers.filter_state_override',
            'transport_sockets.tls.cert_mappers.filter_state_override.v3.Config',
            { default_value: 'nobody' },
          ),
        },
      ),
    },
  })

const nameFromHeader = typed(
  'envoy.filters.http.set_filter_state',
  'filters.http.set_filter_state.v3.Config',
  {
    on_request_headers: [
      {
        object_key: 'envoy.tls.certificate_mappers.on_demand_secret',
        factory_key: 'envoy.hashable_string',
        shared_with_upstream: 'ONCE',
        format_string: { text_format_source: { inline_string: '%REQ(x-secret)%' } },
      },
    ],
  },
)

const connectionManager = typed(
  'envoy.filters.network.http_connection_manager',
  'filters.network.http_connection_manager.v3.HttpConnectionManager',
  {
    stat_prefix: 'hop',
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [{ match: { prefix: '/' }, route: { cluster: 'upstream', timeout: '0s' } }],
        },
      ],
    },
    http_filters: [
      nameFromHeader,
      typed('envoy.filters.http.router', 'filters.http.router.v3.Router'),
    ],
  },
)
