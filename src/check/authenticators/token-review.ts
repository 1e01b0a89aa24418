// The `tokenReview` section, built: the API server that is asked about tokens.

import type { Authenticator } from '../../authenticate/authenticator.ts'
import { tokenReviewAuthenticator } from '../../authenticate/token-review.ts'
import type { TokenReviewConfig } from '../../config/token-review-schema.ts'
import { digestOf } from '../../runtime/digest.ts'
import { isJsonObject, type JsonObject } from '../../runtime/json-object.ts'
import type { AuthenticatorParts } from './parts.ts'
import { buildReviewServer } from './review-server.ts'

const API = '/apis/authentication.k8s.io/v1/tokenreviews'

/** Whatever its audience is. */
const isGood = ({ status }: JsonObject): boolean =>
  isJsonObject(status) && status['authenticated'] === true

/** Builds an authenticator that asks an API server; `undefined` when there are problems. */
export const buildTokenReview = async (
  name: string,
  config: TokenReviewConfig,
  parts: AuthenticatorParts,
): Promise<Authenticator | undefined> =>
  await parts.problems.collect(['authenticators', name, 'tokenReview'], async () => {
    const { clock, memory } = parts
    const server = await buildReviewServer(config, { api: API, isGood }, parts)
    const { ask, state } = server
    parts.dependencies.push({ authenticator: name, kind: 'token-review', ...state })
    const generation = digestOf([name, config, server.generation])
    return tokenReviewAuthenticator({ ...config, name, ask, generation, clock, memory })
  })
