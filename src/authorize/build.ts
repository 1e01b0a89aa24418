// Builds phase 5 of one route: its OpenAPI document, its rules, and the API server that reviews access for them.

import { Authorizer, type AccessReviewer } from './authorizer.ts'
import { policyCompilation } from './policy.ts'
import type { OpenApiConfig } from '../request/openapi-schema.ts'
import type { ApiServerConfig } from '../clients/kubernetes/api-server-schema.ts'
import type { ApiDescriptions } from '../request/openapi/descriptions.ts'
import type { AuthorizeEntry } from './schema.ts'
import { OperationIndex } from '../request/openapi/operation-index.ts'
import type { Operation } from '../request/openapi/operation.ts'
import { Slices } from '../runtime/slices.ts'
import { CountersignError } from '../runtime/errors.ts'
import type { AuthenticatorParts } from '../authenticate/parts.ts'
import { MAX_ANSWER_BYTES, RememberedReviews } from './remembered-reviews.ts'
import { buildReviewServer } from '../clients/kubernetes/build.ts'

/** What a route has for phase 5. */
export interface Authorization {
  readonly authorizer: Authorizer
  /** The operations of its OpenAPI document. */
  readonly operations: OperationIndex | undefined
}

/** The settings of a route for phase 5. */
interface AuthorizedRoute {
  readonly name: string
  readonly kind: 'http' | 'kubernetes'
  readonly authorize: readonly AuthorizeEntry[]
  readonly openapi?: OpenApiConfig | undefined
  readonly apiServer?: ApiServerConfig | undefined
}

/** What building needs. */
export interface AuthorizationParts extends AuthenticatorParts {
  readonly descriptions: ApiDescriptions
}

/**
 * Builds phase 5 of a route.
 *
 * @param path of the route in the configuration, for problems
 */
export const buildAuthorization = async (
  route: AuthorizedRoute,
  path: readonly PropertyKey[],
  parts: AuthorizationParts,
): Promise<Authorization | undefined> => {
  const { openapi, apiServer, kind, authorize } = route
  const { problems } = parts
  const description =
    openapi &&
    (await problems.collect([...path, 'openapi'], () => readDescription(openapi, kind, parts)))
  const reviewer = apiServer && (await reviewerOf(route.name, apiServer, path, parts))
  const broken =
    (openapi !== undefined && description === undefined) ||
    (apiServer !== undefined && reviewer === undefined)
  if (broken) return undefined
  const compilation = policyCompilation(authorize, {
    kind,
    operations: description?.operations,
    demands: openapi,
    report(place, message) {
      problems.add([...path, 'authorize', ...place], message)
    },
  })
  const policy = await new Slices().run(compilation)
  return { authorizer: new Authorizer(policy, reviewer), operations: description?.index }
}

interface Description {
  readonly operations: readonly Operation[]
  readonly index: OperationIndex
}

const readDescription = async (
  { file, base }: OpenApiConfig,
  kind: AuthorizedRoute['kind'],
  { files, descriptions }: AuthorizationParts,
): Promise<Description> => {
  const text = await files.readText(file)
  try {
    const { operations, base: start } = await descriptions.read(text, base)
    const index = new OperationIndex(operations, start, {
      ignoreTrailingSlash: kind === 'kubernetes',
    })
    return { operations, index }
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause
    throw new CountersignError(cause.code, `${file}: ${cause.message}`, { cause })
  }
}

const reviewerOf = async (
  name: string,
  config: ApiServerConfig,
  path: readonly PropertyKey[],
  parts: AuthenticatorParts,
): Promise<AccessReviewer | undefined> =>
  await parts.problems.collect([...path, 'apiServer'], () =>
    buildAccessReviewer(name, config, parts),
  )

const API = '/apis/authorization.k8s.io/v1/subjectaccessreviews'

/**
 * Builds the access reviewer of a route.
 *
 * @param route its name
 * @throws CountersignError when the settings cannot be used
 */
const buildAccessReviewer = async (
  route: string,
  config: ApiServerConfig,
  parts: AuthenticatorParts,
): Promise<AccessReviewer> => {
  const { clock, credentialCache } = parts
  const kind = 'access-review'
  const reviews = { kind, api: API, maxBytes: MAX_ANSWER_BYTES } as const
  const server = await buildReviewServer(config, reviews, parts)
  const { ask, state, generation } = server
  const remembered = new RememberedReviews({
    ask,
    // What invalidates cached credentials invalidates cached reviews too.
    keyOf: (review) => credentialCache.keyOf(`${generation}\0${credentialCache.epoch}`, review),
    remember: config.cacheTtl,
    clock,
  })
  parts.dependencies.push({ route, kind, ...state, cached: () => remembered.cached })
  return remembered
}
