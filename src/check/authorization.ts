// Phase 5 of one route, built: its OpenAPI document, its rules, and the API server that they ask.

import { Authorizer, type AccessReviewer } from '../authorize/authorizer.ts'
import { compilePolicy } from '../authorize/policy.ts'
import type { OpenApiConfig } from '../config/openapi-schema.ts'
import type { RouteConfig } from '../config/schema.ts'
import { OperationIndex } from '../request/openapi/operation-index.ts'
import type { Operation } from '../request/openapi/operation.ts'
import { CountersignError } from '../runtime/errors.ts'
import { buildAccessReviewer } from './authenticators/access-review.ts'
import type { AuthenticatorParts } from './authenticators/parts.ts'

/** What a route has for phase 5. */
export interface Authorization {
  readonly authorizer: Authorizer
  /** The operations of its OpenAPI document. */
  readonly operations: OperationIndex | undefined
}

/**
 * Builds phase 5 of a route.
 *
 * @param path where the route stands in the configuration, for problems
 */
export const buildAuthorization = async (
  route: RouteConfig,
  path: readonly PropertyKey[],
  parts: AuthenticatorParts,
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
  const policy = compilePolicy(authorize, {
    kind,
    operations: description?.operations,
    demands: openapi,
    report(place, message) {
      problems.add([...path, 'authorize', ...place], message)
    },
  })
  return { authorizer: new Authorizer(policy, reviewer), operations: description?.index }
}

interface Description {
  readonly operations: readonly Operation[]
  readonly index: OperationIndex
}

const readDescription = async (
  { file, base }: OpenApiConfig,
  kind: RouteConfig['kind'],
  { files, descriptions }: AuthenticatorParts,
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
  config: NonNullable<RouteConfig['apiServer']>,
  path: readonly PropertyKey[],
  parts: AuthenticatorParts,
): Promise<AccessReviewer | undefined> =>
  await parts.problems.collect([...path, 'apiServer'], () =>
    buildAccessReviewer(name, config, parts),
  )
