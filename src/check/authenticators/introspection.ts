// The `introspection` section, built: where its endpoint is, and how we prove ourselves there.

import type { Authenticator } from '../../authenticate/authenticator.ts'
import { introspectionAuthenticator } from '../../authenticate/introspection.ts'
import {
  certificateOnly,
  readSigningKey,
  secretInForm,
  secretInHeader,
  signedAssertion,
  type ClientAuthentication,
} from '../../authenticate/token/client-authentication.ts'
import {
  discoveredEndpoint,
  fixedEndpoint,
  type Endpoint,
} from '../../authenticate/token/endpoint.ts'
import { jsonFetcher } from '../../authenticate/token/fetch-json.ts'
import { TokenServer } from '../../authenticate/token/token-server.ts'
import type { IntrospectionConfig } from '../../config/introspection-schema.ts'
import { describeReference, readSecret } from '../../config/secret.ts'
import { digestOf } from '../../runtime/digest.ts'
import { httpFetcher } from '../../runtime/http-fetch.ts'
import { clientTls } from './client-tls.ts'
import type { AuthenticatorParts } from './parts.ts'
import { readSecretText } from './secret-text.ts'

// As many as answer a busy service; a burst opens more, which end after it.
const KEPT_CONNECTIONS = 16

/** Builds an authenticator that asks an introspection endpoint; `undefined` when there are problems. */
export const buildIntrospection = async (
  name: string,
  config: IntrospectionConfig,
  parts: AuthenticatorParts,
): Promise<Authenticator | undefined> =>
  await parts.problems.collect(['authenticators', name, 'introspection'], async () => {
    const { files, clock, logger, memory } = parts
    const tls = await clientTls({ ca: config.ca, client: config.client.certificate }, files)
    const endpoint = endpointOf(config, tls.ca, parts)
    const client = await clientOf(config, parts)
    const { fetch } = parts.connections.use(httpFetcher({ ...tls, kept: KEPT_CONNECTIONS }))
    const server = new TokenServer({
      name: `the introspection endpoint of ${config.issuer}`,
      fetch,
      limits: config,
      remedy: 'see "client", and whether this client may introspect tokens',
      clock,
      logger,
    })
    parts.dependencies.push({
      authenticator: name,
      kind: 'introspection',
      name: config.endpoint ?? config.issuer,
      isUp: () => server.isUp,
    })
    const generation = digestOf([name, config, tls.ca?.toString('base64')])
    return introspectionAuthenticator({
      ...config,
      name,
      endpoint,
      client,
      server,
      generation,
      clock,
      memory,
    })
  })

const endpointOf = (
  { endpoint, issuer, client }: IntrospectionConfig,
  ca: Buffer | undefined,
  { clock }: AuthenticatorParts,
): Endpoint =>
  endpoint === undefined
    ? discoveredEndpoint({
        issuer,
        member: 'introspection_endpoint',
        mutualTls: client.certificate !== undefined,
        fetchJson: jsonFetcher(ca),
        clock,
      })
    : fixedEndpoint(endpoint)

const clientOf = async (
  { issuer, client }: IntrospectionConfig,
  { files, clock }: AuthenticatorParts,
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
