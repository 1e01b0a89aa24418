// A published service made of fakes.

import type { Authenticator } from '../../src/authenticate/authenticator.ts'
import { Chain } from '../../src/authenticate/chain.ts'
import { Authorizer, type AccessReviewer } from '../../src/authorize/authorizer.ts'
import type { OperationDemands } from '../../src/authorize/policy.ts'
import { RouteTable, type Route } from '../../src/check/route.ts'
import type { RouteConfig } from '../../src/configuration/schema.ts'
import { IdentityMapping } from '../../src/identity/mapping.ts'
import type { OperationIndex } from '../../src/request/openapi/operation-index.ts'
import { kubernetesHeaders } from '../../src/transform/headers/kubernetes-headers.ts'
import { placesOf } from '../../src/transform/strip.ts'
import type { Transformer } from '../../src/transform/transformer.ts'
import { policyOf, type RuleParts } from './rules.ts'
import { fakeAuthenticator, type FakeAnswer } from './authenticator.ts'

/** The parts of a route that tests choose. */
export interface RouteParts {
  readonly name?: string
  readonly authenticators?: readonly Authenticator[]
  readonly rules?: readonly RuleParts[]
  readonly kind?: RouteConfig['kind']
  readonly reviewer?: AccessReviewer
  /** The operations of its OpenAPI document, and what it demands of requests. */
  readonly operations?: OperationIndex
  readonly demands?: OperationDemands
  readonly transformers?: readonly Transformer[]
  readonly onAuditFailure?: RouteConfig['onAuditFailure']
  readonly sendsAuditId?: boolean
  readonly match?: Partial<RouteConfig['match']>
}

/**
 * A route; by default no client is authenticated, every identity is allowed everything, and headers are
 * set.
 */
export const routeOf = ({
  name = 'app',
  authenticators = [],
  rules = [{ allow: 'all' }],
  kind = 'http',
  reviewer,
  operations,
  demands,
  transformers = [kubernetesHeaders()],
  onAuditFailure = 'deny',
  sendsAuditId = false,
}: RouteParts): Route => ({
  name,
  chain: new Chain(
    authenticators.map((authenticator) => ({
      authenticator,
      mapping: new IdentityMapping(authenticator.name, { allowReserved: [] }),
    })),
  ),
  kind,
  operations,
  authorizer: new Authorizer(policyOf(rules, { kind, demands }), reviewer),
  transformers,
  places: placesOf(authenticators.flatMap(({ locations }) => locations)),
  maxHeaderBytes: Number.POSITIVE_INFINITY,
  onAuditFailure,
  sendsAuditId,
})

/** Routes in order; each takes every host and path unless it says otherwise. */
export const routesOf = (...routes: readonly RouteParts[]): RouteTable =>
  new RouteTable(
    routes.map((parts) => ({
      route: routeOf(parts),
      match: { hosts: ['*'], paths: ['/**'], ambiguousPaths: 'refuse', ...parts.match },
    })),
  )

/** A route with one authenticator, which answers so. */
export const answering = (answer: FakeAnswer): Pick<RouteParts, 'authenticators'> => ({
  authenticators: [fakeAuthenticator('staff', answer)],
})
