// The `tokenReview` section, built: the API server that reviews tokens.

import type { Authenticator } from '../authenticator.ts'
import { tokenReviewAuthenticator } from './authenticator.ts'
import { tokenReviewSchema, type TokenReviewConfig } from './schema.ts'
import { BEARER_LOCATIONS } from '../bearer/bearer-credentials.ts'
import { digestOf } from '../../runtime/digest.ts'
import { isJsonObject, type JsonObject } from '../../runtime/json-object.ts'
import type { AuthenticatorKind } from '../kind.ts'
import type { AuthenticatorParts } from '../parts.ts'
import { buildReviewServer } from '../../clients/kubernetes/build.ts'

const API = '/apis/authentication.k8s.io/v1/tokenreviews'

/** Whether the token is authenticated, for any audience. */
const isGood = ({ status }: JsonObject): boolean =>
  isJsonObject(status) && status['authenticated'] === true

/** Builds an authenticator that uses an API server; `undefined` when there are problems. */
const buildTokenReview = async (
  name: string,
  config: TokenReviewConfig,
  parts: AuthenticatorParts,
): Promise<Authenticator | undefined> =>
  await parts.problems.collect(['authenticators', name, 'tokenReview'], async () => {
    const { clock, credentialCache: cache } = parts
    const server = await buildReviewServer(
      config,
      { kind: 'token-review', api: API, isGood },
      parts,
    )
    const { ask, state } = server
    parts.dependencies.push({ authenticator: name, kind: 'token-review', ...state })
    const generation = digestOf([name, config, server.generation])
    return tokenReviewAuthenticator({ ...config, name, ask, generation, clock, cache })
  })

/** The kind `tokenReview`. */
export const tokenReview = {
  schema: tokenReviewSchema,
  subject: 'account',
  method: 'bearer',
  proves: ['token'],
  locations: () => BEARER_LOCATIONS,
  build: buildTokenReview,
} as const satisfies AuthenticatorKind<TokenReviewConfig>
