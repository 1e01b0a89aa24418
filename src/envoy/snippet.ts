// The parts for an Envoy configuration that exists: the calls of authz, what writes and removes headers, and the
// clusters of Countersign. Pure, as the bootstrap, and of the same messages.

import { Document, isScalar, visit } from 'yaml'
import { envoySchema, type EnvoyConfig } from '../configuration/envoy-schema.ts'
import type { Config } from '../configuration/schema.ts'
import { formatAddress, type Address } from '../config/values.ts'
import { ROUTE_EXTENSION } from '../request/request.ts'
import { authzCluster, signerCluster } from './clusters.ts'
import { EXPLANATIONS } from './explanations.ts'
import { authzFilters, contextExtensions } from './filters.ts'
import {
  certificateSelector,
  connectionBounds,
  forwardsCertificates,
  shortestLifetime,
  statistics,
} from './identity-certificate.ts'
import { kubernetesLocalReplies } from './local-replies.ts'
import type { Message } from './message.ts'
import { earlyHeaderMutations } from './strip.ts'

/** What a configuration without an `envoy` section does not have. */
export interface SnippetOptions {
  /** Where Envoy reaches the signer; needed where a route forwards a certificate. */
  readonly signerAddress?: Address | undefined
}

const HEADER = ` Parts for an Envoy configuration that exists, by \`countersign envoy snippet\`. Copy each to the place that its
 comment names, then find what is missing: countersign envoy lint envoy.yaml --config countersign.yaml`

/** Where each part belongs. */
const PLACES: Readonly<Record<keyof Snippet, string>> = {
  http_connection_manager:
    'Into each HTTP connection manager; http_filters before every filter that uses an identity.',
  routes: 'Into the Envoy route with the host, path and upstream of this route of Countersign.',
  upstream_clusters:
    'Into the cluster of each upstream that receives a certificate: own connections for every identity.',
  stats_config: 'Into the bootstrap.',
  clusters: 'Into static_resources.',
}

interface Snippet {
  readonly http_connection_manager: Message
  readonly routes: readonly Message[]
  readonly upstream_clusters?: readonly Message[]
  readonly stats_config?: unknown
  readonly clusters: readonly Message[]
}

/**
 * The parts as objects.
 *
 * @throws CountersignError `configuration-invalid` when a route forwards a certificate and the signer's address is unknown
 */
export const envoySnippet = (config: Config, options: SnippetOptions = {}): Snippet => {
  const envoy = config.envoy ?? sectionWith(config, options)
  const certificates = forwardsCertificates(config)
  return {
    http_connection_manager: {
      early_header_mutation_extensions: earlyHeaderMutations(config, envoy.listener.trustedHops),
      http_filters: authzFilters(config, envoy),
      ...kubernetesLocalReplies(config),
    },
    routes: config.routes.map(({ name }) => ({
      name,
      typed_per_filter_config: contextExtensions({ [ROUTE_EXTENSION]: name }),
    })),
    ...(certificates ? { upstream_clusters: certificateParts(config), ...statistics } : {}),
    clusters: [authzCluster(config, envoy), ...(certificates ? [signerCluster(envoy)] : [])],
  }
}

const certificateParts = (config: Config): readonly Message[] =>
  [...new Set(config.routes.map(({ name, upstream = name }) => upstream))].flatMap((name) => {
    const lifetime = shortestLifetime(config, name)
    if (lifetime === undefined) return []
    return [
      {
        name,
        common_http_protocol_options: connectionBounds(lifetime),
        upstream_tls_context: {
          max_session_keys: 0,
          common_tls_context: { custom_tls_certificate_selector: certificateSelector },
        },
      },
    ]
  })

/** The section of a configuration for an Envoy that is configured elsewhere: only its defaults are used. */
const sectionWith = ({ listen }: Config, { signerAddress }: SnippetOptions): EnvoyConfig => {
  const files = { certificate: '/etc/envoy/client.pem', key: '/etc/envoy/client.key' }
  return envoySchema.parse({
    listener: { address: '0.0.0.0:443', ...files },
    upstreams: {},
    ...(listen.authz.tls === undefined
      ? {}
      : { authzTls: { ...files, ca: '/etc/envoy/authz-ca.pem' } }),
    ...(signerAddress === undefined ? {} : { signerAddress: formatAddress(signerAddress) }),
  })
}

/** The parts as commented YAML. */
export const renderSnippet = (config: Config, options: SnippetOptions = {}): string => {
  const document = new Document(envoySnippet(config, options), { aliasDuplicateObjects: false })
  document.commentBefore = HEADER
  const comments = new Map(Object.entries({ ...EXPLANATIONS, ...PLACES }))
  visit(document, {
    Pair: (_key, { key }) => {
      if (!isScalar(key) || typeof key.value !== 'string') return
      const comment = comments.get(key.value)
      if (comment === undefined) return
      comments.delete(key.value) // only where it first occurs
      key.commentBefore = ` ${comment}`
    },
  })
  return document.toString({ lineWidth: 0 })
}
