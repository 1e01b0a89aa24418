// The stock Envoy as the ingress gateway of a real istiod: what pilot-agent writes for Istio's own build,
// as far as it concerns a gateway.

import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { statistics } from '../../src/envoy/identity-certificate.ts'
import { startEnvoy, type Envoy } from './envoy.ts'
import { ISTIO_VERSION, ISTIOD_NAME, type Istiod } from './istiod.ts'
import type { KeyPair } from './pki.ts'
import { temporaryFolder } from './temporary.ts'

/** A running gateway. */
export interface IstioGateway extends AsyncDisposable {
  readonly envoy: Envoy
  /** Where its administration interface is, as Countersign writes addresses. */
  readonly admin: string
  /** The configuration of which Envoy makes use, as JSON: all listeners, routes and clusters. */
  inForce(): Promise<string>
  /** Waits until that satisfies a condition. */
  until(wished: (configuration: string) => boolean): Promise<void>
}

/** Its namespace and its labels, which policies and gateways select. */
export const NAMESPACE = 'istio-ingress'
const ACCOUNT = 'gateway'
const LABELS = { istio: 'ingressgateway' }

const LIMIT = 20_000
const POLL = 50

/** Starts one; its listeners are there when its Gateway objects are. */
export const startIstioGateway = async (istiod: Istiod): Promise<IstioGateway> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const identity = await istiod.authority.issue({
    commonName: 'gateway',
    names: [`spiffe://cluster.local/ns/${NAMESPACE}/sa/${ACCOUNT}`],
    usage: 'peer',
  })
  const socket = folder.file('admin.sock')
  const bootstrap = JSON.stringify(bootstrapFor(istiod, identity, socket))
  const envoy = stack.use(await startEnvoy({ bootstrap, concurrency: 1 }))
  const inForce = async (): Promise<string> => {
    const end = performance.now() + LIMIT
    for (;;) {
      const { configs } = dumpSchema.parse(JSON.parse(await envoy.admin('/config_dump')))
      const listeners = configs.flatMap(({ dynamic_listeners }) => dynamic_listeners ?? [])
      // A listener that warms has neither state: its routes would be missed.
      if (listeners.every(({ warming_state, active_state }) => !warming_state || active_state)) {
        return JSON.stringify(configs.map(inUse))
      }
      if (performance.now() > end) throw new Error(`a listener still warms:\n${logOf(envoy)}`)
      await sleep(POLL)
    }
  }
  const owned = stack.move()
  return {
    envoy,
    admin: `unix:${socket}`,
    inForce,
    async until(wished) {
      const end = performance.now() + LIMIT
      while (!wished(await inForce())) {
        if (performance.now() > end) {
          throw new Error(`the gateway's configuration is not as wished:\n${logOf(envoy)}`)
        }
        await sleep(POLL)
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const logOf = (envoy: Envoy): string => envoy.log().slice(-LOG)
const LOG = 4_000

const listenerSchema = z.looseObject({
  active_state: z.unknown().optional(),
  warming_state: z.unknown().optional(),
})
const dumpSchema = z.object({
  configs: z.array(z.looseObject({ dynamic_listeners: z.array(listenerSchema).optional() })),
})
type Dump = z.output<typeof dumpSchema>['configs'][number]

/** The listeners that Envoy uses, and all else. */
const inUse = ({ dynamic_listeners: listeners, ...config }: Dump): object =>
  listeners === undefined
    ? config
    : {
        ...config,
        listeners: listeners.flatMap(({ active_state }) =>
          active_state === undefined ? [] : [active_state],
        ),
      }

const ADS = { ads: {}, initial_fetch_timeout: '0s', resource_api_version: 'V3' }

const bootstrapFor = (istiod: Istiod, identity: KeyPair, admin: string): object => ({
  node: {
    id: `router~127.0.0.1~gateway-1.${NAMESPACE}~${NAMESPACE}.svc.cluster.local`,
    cluster: `ingressgateway.${NAMESPACE}`,
    metadata: {
      ISTIO_VERSION,
      NAMESPACE,
      NAME: 'gateway-1',
      WORKLOAD_NAME: 'gateway',
      SERVICE_ACCOUNT: ACCOUNT,
      CLUSTER_ID: 'Kubernetes',
      MESH_ID: 'cluster.local',
      LABELS,
    },
  },
  admin: { address: { pipe: { path: admin } } },
  ...statistics,
  layered_runtime: { layers: [{ name: 'admin', admin_layer: {} }] },
  bootstrap_extensions: [
    {
      name: 'envoy.bootstrap.internal_listener',
      typed_config: {
        '@type': `${EXTENSIONS}.bootstrap.internal_listener.v3.InternalListener`,
      },
    },
  ],
  dynamic_resources: {
    ads_config: {
      api_type: 'DELTA_GRPC',
      set_node_on_first_message_only: true,
      transport_api_version: 'V3',
      grpc_services: [{ envoy_grpc: { cluster_name: 'xds-grpc' } }],
    },
    cds_config: ADS,
    lds_config: ADS,
  },
  static_resources: { clusters: [discoveryCluster(istiod, identity)] },
})

const EXTENSIONS = 'type.googleapis.com/envoy.extensions'

const discoveryCluster = ({ port, authority }: Istiod, { certificate, key }: KeyPair): object => ({
  name: 'xds-grpc',
  type: 'STATIC',
  connect_timeout: '1s',
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': `${EXTENSIONS}.upstreams.http.v3.HttpProtocolOptions`,
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
  load_assignment: {
    cluster_name: 'xds-grpc',
    endpoints: [
      {
        lb_endpoints: [
          {
            endpoint: {
              address: { socket_address: { address: '127.0.0.1', port_value: port } },
            },
          },
        ],
      },
    ],
  },
  transport_socket: {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': `${EXTENSIONS}.transport_sockets.tls.v3.UpstreamTlsContext`,
      sni: ISTIOD_NAME,
      common_tls_context: {
        alpn_protocols: ['h2'],
        tls_certificates: [
          { certificate_chain: { filename: certificate }, private_key: { filename: key } },
        ],
        validation_context: {
          trusted_ca: { filename: authority.ca },
          match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: ISTIOD_NAME } }],
        },
      },
    },
  },
})
