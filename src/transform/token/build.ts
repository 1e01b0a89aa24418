// `forward.bearer` of a route, built, where another server makes the token. Sends no request yet.

import { isBearerToken } from '../../authenticate/bearer/bearer-credentials.ts'
import type { ClientCredentialsConfig, ExchangeConfig } from './exchange-schema.ts'
import { describeReference } from '../../config/secret.ts'
import type { SecretReference } from '../../config/values.ts'
import { digestOf } from '../../runtime/digest.ts'
import { CountersignError, describeError } from '../../runtime/errors.ts'
import { clientCredentials } from './client-credentials.ts'
import { exchangedToken } from './exchange.ts'
import { complaintAboutToken, serviceToken } from './service-token.ts'
import { REFRESH_TOKEN_TYPE } from './token-answer.ts'
import type { Transformer } from '../transformer.ts'
import { changingSecret, type ChangingSecret } from '../../config/changing-secret.ts'
import type { ForwardingRoute, TransformerParts } from '../parts.ts'
import { buildTokenEndpoint } from '../../clients/token-endpoint/build.ts'

/** What makes the token, once it is built. */
export interface BearerToBuild {
  /** The key under `bearer`, for problems. */
  readonly key: 'exchange' | 'clientCredentials' | 'token'
  /** @throws CountersignError when the settings cannot be used */
  readonly build: () => Promise<Transformer>
}

/** What has to be built; `undefined` where there is no token, or authz mints it. */
export const foreignBearer = (
  { name, forward: { bearer = {} } }: ForwardingRoute,
  parts: TransformerParts,
): BearerToBuild | undefined => {
  const { exchange, clientCredentials: credentials, token } = bearer
  if (exchange !== undefined) {
    return { key: 'exchange', build: () => buildExchange(name, exchange, parts) }
  }
  if (credentials !== undefined) {
    return { key: 'clientCredentials', build: () => buildCredentials(name, credentials, parts) }
  }
  return token && { key: 'token', build: () => buildServiceToken(token, parts) }
}

const CALLED = { called: 'the token endpoint', member: 'token_endpoint' } as const

const buildExchange = async (
  route: string,
  config: ExchangeConfig,
  parts: TransformerParts,
): Promise<Transformer> => {
  if (config.requestedTokenType === REFRESH_TOKEN_TYPE) {
    const message = 'requests a refresh token, which no upstream accepts'
    throw new CountersignError('configuration-invalid', message)
  }
  const { credentialCache: keys, tokens: cache, clock } = parts
  const remedy = 'see "client", and whether this client may exchange tokens'
  const asker = { route, kind: 'token-exchange' } as const
  const source = await buildTokenEndpoint(config, { ...CALLED, remedy, asker }, parts)
  const { actor } = config
  return exchangedToken({
    terms: config,
    actor: actor && { type: actor.type, read: (await changingToken(actor.token, parts)).read },
    source,
    generation: digestOf(['exchange', config, source.authorities]),
    keys,
    cache,
    clock,
  })
}

const buildCredentials = async (
  route: string,
  config: ClientCredentialsConfig,
  parts: TransformerParts,
): Promise<Transformer> => {
  const { tokens: cache, logger, clock } = parts
  const remedy = 'see "client", and whether this client may use client_credentials'
  const asker = { route, kind: 'client-credentials' } as const
  const source = await buildTokenEndpoint(config, { ...CALLED, remedy, asker }, parts)
  return clientCredentials({
    terms: config,
    source,
    generation: digestOf(['client-credentials', config, source.authorities]),
    cache,
    report: (failure) => {
      const reason = describeError(failure)
      logger.warn({ route, server: source.name, reason }, 'service token could not be renewed')
    },
    clock,
  })
}

const buildServiceToken = async (
  reference: SecretReference,
  parts: TransformerParts,
): Promise<Transformer> => {
  const { read } = await changingToken(reference, parts)
  return serviceToken({ name: describeReference(reference), read })
}

/** A secret that is a token now; later it may be anything, and that is found out then. */
const changingToken = async (
  reference: SecretReference,
  { clock }: TransformerParts,
): Promise<ChangingSecret> => {
  const secret = await changingSecret(reference, clock)
  if (!isBearerToken(await secret.read())) {
    const message = complaintAboutToken(describeReference(reference))
    throw new CountersignError('configuration-invalid', message)
  }
  return secret
}
