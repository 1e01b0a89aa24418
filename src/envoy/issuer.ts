// How Envoy publishes what upstreams verify our tokens by: those paths and no other of the issuer's
// host, without a question to authz, since whoever reads a public key need not say who they are.

import type { EnvoyConfig } from '../config/envoy-schema.ts'
import type { Config } from '../config/schema.ts'
import type { Address } from '../config/values.ts'
import { documentPaths } from '../issuer/documents.ts'
import { CountersignError } from '../runtime/errors.ts'
import type { Message } from './message.ts'

/** The cluster of the issuer; no upstream can have that name, since names hold no colon. */
export const ISSUER_CLUSTER = 'countersign:issuer'

/** The host whose paths are published; `undefined` where there is no issuer. */
export const issuerHost = ({ issuer }: Pick<Config, 'issuer'>): string | undefined =>
  issuer && new URL(issuer.url).hostname

/** Routes for the documents of the issuer; before all others of its host. */
export const issuerRoutes = (
  { issuer }: Pick<Config, 'issuer'>,
  unjudged: Message,
): readonly Message[] => {
  if (issuer === undefined) return []
  const paths = new Set(Object.values(documentPaths(issuer.url)))
  return [...paths].map((path) => ({
    name: 'issuer',
    match: { path },
    route: {
      cluster: ISSUER_CLUSTER,
      timeout: '5s',
      retry_policy: { retry_on: 'connect-failure,reset-before-request', num_retries: 1 },
    },
    typed_per_filter_config: unjudged,
  }))
}

/**
 * Where Envoy reaches the issuer.
 *
 * @throws CountersignError `configuration-invalid` when that cannot be known
 */
export const issuerAddress = (
  { listen }: Pick<Config, 'listen'>,
  { issuerAddress: address }: EnvoyConfig,
): Address => {
  const known = address ?? listen.issuer?.address
  if (known === undefined || (known.kind === 'tcp' && known.port === 0)) {
    throw new CountersignError(
      'configuration-invalid',
      'Envoy cannot know where the issuer listens: set listen.issuer, or envoy.issuerAddress where its port is 0',
    )
  }
  return known
}
