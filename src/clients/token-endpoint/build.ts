// Builds the client of an endpoint of an authorization server: its address, and client authentication.
// Authenticators introspect tokens there, routes request tokens.

import {
  certificateOnly,
  readSigningKey,
  secretInForm,
  secretInHeader,
  signedAssertion,
  type ClientAuthentication,
} from './client-authentication.ts'
import { discoveredEndpoint, fixedEndpoint, type Endpoint } from './endpoint.ts'
import { jsonFetcher } from '../fetch-json.ts'
import { TokenServer } from './server.ts'
import { describeReference, readSecret } from '../../config/secret.ts'
import type { TokenClientConfig } from './client-schema.ts'
import { httpFetcher } from '../../runtime/http/fetch.ts'
import type { JsonObject } from '../../runtime/json-object.ts'
import type { ServerDurations } from '../../runtime/request-durations.ts'
import type { SharedServerLimits } from '../../runtime/shared-server.ts'
import { clientTls } from '../client-tls.ts'
import type { ClientParts, DependencyOwner } from '../parts.ts'
import { readSecretText } from '../../config/secret-text.ts'

/** What is configured of one. */
export interface TokenEndpointSettings extends SharedServerLimits {
  readonly issuer: string
  readonly endpoint?: string | undefined
  readonly ca?: string | undefined
  readonly client: TokenClientConfig
}

/** What the endpoint is used for, and by which component. */
export interface TokenEndpointPurpose {
  /** What it is called in messages, before its issuer: `the token endpoint`. */
  readonly called: string
  /** Its member in the discovery document. */
  readonly member: 'introspection_endpoint' | 'token_endpoint'
  /** What an operator can do when the server refuses the client credentials. */
  readonly remedy: string
  readonly asker: DependencyOwner
  /** See `TokenServerOptions`. */
  readonly isGood?: (document: JsonObject) => boolean
}

/** A token endpoint that is ready for requests. */
export interface TokenEndpoint {
  /** For messages. */
  readonly name: string
  readonly endpoint: Endpoint
  readonly client: ClientAuthentication
  readonly server: TokenServer
  /** The CAs that vouch for it; `undefined`: those that Node trusts. For generations. */
  readonly authorities: string | undefined
}

// As many as answer a busy service; a burst opens more, which end after it.
const KEPT_CONNECTIONS = 16

/**
 * Reads the files that requests need, lists the server as a dependency, and sends no request yet.
 *
 * @throws CountersignError when the settings cannot be used
 */
export const buildTokenEndpoint = async (
  settings: TokenEndpointSettings,
  { called, member, remedy, asker, isGood }: TokenEndpointPurpose,
  parts: ClientParts,
): Promise<TokenEndpoint> => {
  const { files, clock, logger, connections, dependencies } = parts
  const { issuer } = settings
  const tls = await clientTls({ ca: settings.ca, client: settings.client.certificate }, files)
  const endpoint = endpointOf(settings, member, tls.ca, parts)
  const client = await clientOf(settings, parts)
  const { fetch } = connections.use(httpFetcher({ ...tls, kept: KEPT_CONNECTIONS }))
  const name = `${called} of ${issuer}`
  const server = new TokenServer({
    name,
    fetch,
    limits: settings,
    remedy,
    ...(isGood === undefined ? {} : { isGood }),
    durations: durationsOf(asker, settings, parts),
    clock,
    logger,
  })
  dependencies.push({
    ...asker,
    name: settings.endpoint ?? issuer,
    isUp: () => server.isUp,
    refusals: () => server.refusals,
  })
  return { name, endpoint, client, server, authorities: tls.ca?.toString('base64') }
}

/** `state` has durations of its own. */
const durationsOf = (
  { kind }: DependencyOwner,
  { endpoint, issuer }: TokenEndpointSettings,
  { durations }: ClientParts,
): ServerDurations | undefined =>
  kind === 'state' ? undefined : durations?.of(kind, endpoint ?? issuer)

const endpointOf = (
  { endpoint, issuer, client }: TokenEndpointSettings,
  member: string,
  ca: Buffer | undefined,
  { clock }: ClientParts,
): Endpoint =>
  endpoint === undefined
    ? discoveredEndpoint({
        issuer,
        member,
        mutualTls: client.certificate !== undefined,
        fetchJson: jsonFetcher(ca),
        clock,
      })
    : fixedEndpoint(endpoint)

const clientOf = async (
  { issuer, client }: TokenEndpointSettings,
  { files, clock }: ClientParts,
): Promise<ClientAuthentication> => {
  const { id, secret, method, assertion } = client
  if (secret !== undefined) {
    const text = await readSecretText(secret, files)
    return method === 'basic' ? secretInHeader(id, text) : secretInForm(id, text)
  }
  if (assertion === undefined) return certificateOnly(id)
  const { algorithm, keyId, audience, lifetime } = assertion
  const pem = await readSecret(assertion.key, files)
  return signedAssertion({
    id,
    key: readSigningKey(describeReference(assertion.key), pem, algorithm),
    algorithm,
    keyId,
    audience: audience === 'issuer' ? issuer : undefined,
    lifetime,
    clock,
  })
}
