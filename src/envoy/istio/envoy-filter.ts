// What Istio has no word for, as one EnvoyFilter for the ingress gateway: what the generated bootstrap
// says of ext_authz and the connection manager, as patches. One, since Istio appends to lists, and two
// that both add SPDY/3.1 make Envoy refuse the listener.

import { Document, isNode, isSeq } from 'yaml'
import type { Config } from '../../configuration/schema.ts'
import type { Address } from '../../config/values.ts'
import { ROUTE_EXTENSION } from '../../request/request.ts'
import { signerClusterAt } from '../clusters.ts'
import {
  contextExtensions,
  EXT_AUTHZ,
  extAuthzSettings,
  repeatedHeadersFilter,
} from '../filters.ts'
import { localReplies } from '../local-replies.ts'
import { certificateSelector, HANDLE, handleFilterBy } from '../identity-certificate.ts'
import {
  headerBounds,
  HEADERS_TIMEOUT,
  nobodyInternal,
  normalisation,
  nothingResumed,
  streamBounds,
  UPGRADES,
} from '../listener.ts'
import { extension, typeUrl, type Message } from '../message.ts'
import { connectionLog, requestLog } from '../refusal-log.ts'
import { earlyHeaderMutations, trailerFilter } from '../strip.ts'
import { HANDLE_HEADER } from './delegation-hop.ts'
import { extAuthzMatch, issuerPatches, managerMatch, type Patch } from './issuer-patches.ts'

/** A service as Istio knows it, whose upstream gets a certificate of its own for each caller. */
interface IstioService {
  readonly host: string
  readonly port: number
}

/** What differs between gateways. */
export interface EnvoyFilterOptions {
  /** Where the gateway itself presents callers' certificates. Default: a delegation hop does. */
  readonly certificates?: { readonly signer: Address; readonly service: IstioService }
  /** The namespace of the gateway, and the labels of its pods. */
  readonly namespace?: string
  readonly labels?: Readonly<Record<string, string>>
  /** How many proxies in front append to X-Forwarded-For (`gatewayTopology.numTrustedProxies`). */
  readonly trustedHops?: number
}

/** The EnvoyFilter as commented YAML. */
export const renderEnvoyFilter = (config: Config, options: EnvoyFilterOptions = {}): string => {
  const { namespace = 'istio-ingress', labels = { istio: 'ingressgateway' } } = options
  const patches = [
    managerPatch(config, options.trustedHops ?? 0),
    extAuthzPatch(config),
    ...issuerPatches(config),
    repeatedHeadersPatch,
    trailersPatch(config),
    ...routePatches(config),
    ...resumptionPatches(config),
    ...(options.certificates === undefined
      ? [handlePatch]
      : certificatePatches(options.certificates)),
    connectionLogPatch,
  ]
  const filter = {
    apiVersion: 'networking.istio.io/v1alpha3',
    kind: 'EnvoyFilter',
    metadata: { name: 'countersign', namespace },
    spec: {
      workloadSelector: { labels },
      configPatches: patches.map(({ patch }) => patch),
    },
  }
  const document = new Document(filter, { aliasDuplicateObjects: false })
  document.commentBefore = HEADER
  const list = document.getIn(['spec', 'configPatches'])
  for (const [index, { why }] of patches.entries()) {
    const item = isSeq(list) ? list.items[index] : undefined
    if (isNode(item)) item.commentBefore = why
  }
  return document.toString({ lineWidth: 0 })
}

const HEADER = ` Made from countersign.yaml by \`countersign envoy istio\`: what Istio has no API for.
 Generate it again when routes, headers of "set" or API keys change.
 Istio appends to lists, so let no other EnvoyFilter add SPDY/3.1 to the same gateway: Envoy would
 refuse the listener and keep the old one. A misspelt field is dropped silently.`

/** Istio disables the idle timeout of streams; exec and watches need the configured one. */
const STREAM_IDLE = '3600s'

const managerPatch = (config: Config, trustedHops: number): Patch => ({
  why: ` Before anything else: no caller sends a header that Countersign may set, nor one that CGI or PHP take
 for it (x.remote!user), nor one that steers
 Envoy or says where it is (where a proxy in front does: --trusted-hops). One spelling for each path, since rules are about paths. SPDY/3.1 for kubectl;
 WebSocket is Istio's own. Callers cannot claim a client certificate by a header, whatever
 gatewayTopology contains.`,
  patch: {
    applyTo: 'NETWORK_FILTER',
    match: managerMatch,
    patch: {
      operation: 'MERGE',
      value: {
        typed_config: {
          '@type': typeUrl('filters.network.http_connection_manager.v3.HttpConnectionManager'),
          internal_address_config: nobodyInternal,
          ...normalisation,
          forward_client_cert_details: 'SANITIZE_SET',
          set_current_client_cert_details: { cert: true },
          access_log: requestLog({}),
          request_headers_timeout: HEADERS_TIMEOUT,
          stream_idle_timeout: STREAM_IDLE,
          common_http_protocol_options: headerBounds,
          http2_protocol_options: streamBounds,
          ...localReplies(config),
          upgrade_configs: UPGRADES.filter((type) => type !== 'websocket').map((type) => ({
            upgrade_type: type,
          })),
          early_header_mutation_extensions: earlyHeaderMutations(config, trustedHops),
        },
      },
    },
  },
})

const connectionLogPatch: Patch = {
  why: ` A line for each connection that is refused in the TLS handshake, or requests an unknown server
 name. (For requests that the gateway refuses by itself: access_log above.) Without issuer and serial
 number, which an Envoy before 1.37 cannot cut off.`,
  patch: {
    applyTo: 'LISTENER',
    match: { context: 'GATEWAY' },
    patch: {
      operation: 'MERGE',
      value: { access_log: connectionLog({}, 'cel') },
    },
  },
}

const extAuthzPatch = (config: Config): Patch => ({
  why: ` authz sees the client's certificate, the server name and every header line unchanged; a header that cannot
 be sent as authz wrote it is an error, and authz cannot change the destination of a request.`,
  patch: {
    applyTo: 'HTTP_FILTER',
    match: extAuthzMatch,
    patch: {
      operation: 'MERGE',
      value: {
        name: EXT_AUTHZ,
        typed_config: {
          '@type': typeUrl('filters.http.ext_authz.v3.ExtAuthz'),
          ...extAuthzSettings(config),
        },
      },
    },
  },
})

const insertion = (filter: Message): Message => ({
  applyTo: 'HTTP_FILTER',
  match: extAuthzMatch,
  patch: { operation: 'INSERT_AFTER', value: filter },
})

const repeatedHeadersPatch: Patch = {
  why: ` ext_authz cannot write a header in several lines, and to an API server "dev,ops" is one group:
 lists arrive as metadata and are written here.`,
  patch: insertion(repeatedHeadersFilter),
}

const trailersPatch = (config: Config): Patch => ({
  why: ` authz sees no trailers, and Envoy forwards them to services that use HTTP/2: this removes those with the
 name of a header that callers may not send.`,
  patch: insertion(trailerFilter(config)),
})

/** The route of the configuration for an HTTP route of a VirtualService with the same name. */
const routePatches = ({ routes }: Config): readonly Patch[] =>
  routes.map(({ name }) => ({
    why: ` The HTTP route "${name}" of a VirtualService is the route of that name to authz. Without, authz
 takes the first of its own whose host and path match.`,
    patch: {
      applyTo: 'HTTP_ROUTE',
      match: { context: 'GATEWAY', routeConfiguration: { vhost: { route: { name } } } },
      patch: {
        operation: 'MERGE',
        value: { typed_per_filter_config: contextExtensions({ [ROUTE_EXTENSION]: name }) },
      },
    },
  }))

// By host, since Istio would make a TLS listener of a plain one to which it applies this.
const resumptionPatches = ({ routes, authenticators }: Config): readonly Patch[] =>
  Object.values(authenticators).every(({ certificate }) => certificate === undefined)
    ? []
    : [...new Set(routes.flatMap(({ match }) => match.hosts))].map((host) => ({
        why: ` ${host}: a resumed session would bring back a client certificate without validating it again.`,
        patch: {
          applyTo: 'FILTER_CHAIN',
          match: { context: 'GATEWAY', listener: { filterChain: { sni: host } } },
          patch: {
            operation: 'MERGE',
            value: {
              transport_socket: extension(
                'envoy.transport_sockets.tls',
                'transport_sockets.tls.v3.DownstreamTlsContext',
                nothingResumed,
              ),
            },
          },
        },
      }))

const handlePatch: Patch = {
  why: ` Tells the delegation hop which certificate to present. Without a hop, leave it out.`,
  patch: insertion(
    extension(
      'envoy.filters.http.header_mutation',
      'filters.http.header_mutation.v3.HeaderMutation',
      {
        mutations: {
          request_mutations: [
            { remove: HANDLE_HEADER },
            {
              append: {
                header: { key: HANDLE_HEADER, value: HANDLE },
                append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
              },
            },
          ],
        },
      },
    ),
  ),
}

const certificatePatches = ({
  signer,
  service,
}: NonNullable<EnvoyFilterOptions['certificates']>): readonly Patch[] => [
  {
    why: ` Which certificate the connection to the upstream presents, and that no other caller shares it:
 each of these settings fails open and silently.`,
    patch: insertion(handleFilterBy(HANDLE)),
  },
  {
    why: ` The signer, by a socket that it shares with the gateway's pod.`,
    patch: {
      applyTo: 'CLUSTER',
      match: { context: 'GATEWAY' },
      patch: { operation: 'ADD', value: signerClusterAt(signer) },
    },
  },
  {
    why: ` The client certificate of this very caller, from the signer over SDS. Its DestinationRule has to
 contain "tls: { mode: SIMPLE }": Istio merges this with what that makes. Needs an Envoy ≥ 1.40 that
 has the selector, which Istio's own proxy lacks.`,
    patch: {
      applyTo: 'CLUSTER',
      match: { context: 'GATEWAY', cluster: { service: service.host, portNumber: service.port } },
      patch: {
        operation: 'MERGE',
        value: {
          transport_socket: extension(
            'envoy.transport_sockets.tls',
            'transport_sockets.tls.v3.UpstreamTlsContext',
            {
              max_session_keys: 0,
              common_tls_context: { custom_tls_certificate_selector: certificateSelector },
            },
          ),
        },
      },
    },
  },
]
