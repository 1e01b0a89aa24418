// How Envoy publishes what upstreams verify our tokens by, and where people log in: those paths and no
// other of the issuer's host, without a question to authz, since nobody there has said yet who they are.

import type { EnvoyConfig } from '../config/envoy-schema.ts'
import type { Config } from '../config/schema.ts'
import type { Address } from '../config/values.ts'
import { CERTIFICATE_HEADER, SOURCE_HEADER } from '../issuer/caller.ts'
import { sessionOf } from '../check/authorization-server.ts'
import { documentPaths } from '../issuer/documents.ts'
import { SESSION_PREFIX } from '../issuer/session/endpoints.ts'
import { PUBLISHED_PREFIXES } from '../issuer/paths.ts'
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
  const documents = [...paths].map((path) => routeTo({ path }, '5s', unjudged))
  if (issuer.login === undefined && Object.keys(issuer.clients).length === 0) return documents
  const pages = PUBLISHED_PREFIXES.map((prefix) => ({
    // Longer than a directory is asked for by whoever proves a password.
    ...routeTo({ path_separated_prefix: prefix }, '15s', unjudged),
    ...saying,
  }))
  return [...documents, ...pages]
}

/**
 * Routes for what is answered below `/.countersign/` on the host of a route that takes sessions; before
 * all others of that host.
 */
export const sessionRoutes = (
  { authenticators, routes }: Pick<Config, 'authenticators' | 'routes'>,
  host: string,
  unjudged: Message,
): readonly Message[] =>
  routes.some(
    (route) => route.match.hosts.includes(host) && sessionOf(route, authenticators) !== undefined,
  )
    ? [{ ...routeTo({ prefix: SESSION_PREFIX }, '15s', unjudged), ...saying }]
    : []

const routeTo = (match: Message, timeout: string, unjudged: Message): Message => ({
  name: 'issuer',
  match,
  route: {
    cluster: ISSUER_CLUSTER,
    timeout,
    retry_policy: { retry_on: 'connect-failure,reset-before-request', num_retries: 1 },
  },
  typed_per_filter_config: unjudged,
})

const header = (key: string, value: string): Message => ({
  header: { key, value },
  append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
})

/**
 * What Envoy knows of the caller. What callers say themselves is removed first (Envoy's order, also where
 * there is nothing to be added: an address or a certificate that is not known is no header).
 */
const saying: Message = {
  request_headers_to_remove: [SOURCE_HEADER, CERTIFICATE_HEADER],
  request_headers_to_add: [
    header(SOURCE_HEADER, '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%'),
    header(CERTIFICATE_HEADER, '%DOWNSTREAM_PEER_CERT%'),
  ],
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
