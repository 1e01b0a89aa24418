// `apiServer` of a route, built: whom rules with `subjectAccessReview` ask.

import type { AccessReviewer } from './authorizer.ts'
import { MAX_ANSWER_BYTES, RememberedReviews } from './remembered-reviews.ts'
import type { ApiServerConfig } from '../clients/kubernetes/api-server-schema.ts'
import type { AuthenticatorParts } from '../authenticate/parts.ts'
import { buildReviewServer } from '../clients/kubernetes/build.ts'

const API = '/apis/authorization.k8s.io/v1/subjectaccessreviews'

/**
 * Builds what asks the API server of a route.
 *
 * @param route its name
 * @throws CountersignError when the settings cannot be used
 */
export const buildAccessReviewer = async (
  route: string,
  config: ApiServerConfig,
  parts: AuthenticatorParts,
): Promise<AccessReviewer> => {
  const { clock, memory } = parts
  const server = await buildReviewServer(config, { api: API, maxBytes: MAX_ANSWER_BYTES }, parts)
  const { ask, state, generation } = server
  parts.dependencies.push({ route, kind: 'access-review', ...state })
  return new RememberedReviews({
    ask,
    // What makes remembered proofs void makes answers void too.
    keyOf: (review) => memory.keyOf(`${generation}\0${memory.epoch}`, review),
    remember: config.cacheTtl,
    clock,
  })
}
