// What can refuse a request with a valid credential, before and among the rules.

import type { Reason } from '../../src/audit/event.ts'
import { RateLimited } from '../../src/runtime/errors.ts'
import type { RequestParts } from '../fakes/envoy.ts'
import { operationsNeeding } from '../fakes/operations.ts'
import type { RouteParts } from '../fakes/route.ts'

/** A request that is refused, and why. */
export interface Failure {
  readonly reason: Reason
  readonly route: RouteParts
  readonly request?: RequestParts
}

/** Requests that a Kubernetes API server could read in more than one way, with a secret in them. */
export const unreadable = (secret: string, route: RouteParts): readonly Failure[] => [
  {
    reason: 'ambiguous-query',
    route: { ...route, kind: 'kubernetes' },
    request: { path: `/api/v1/pods?watch=0&watch=${encodeURIComponent(secret)}` },
  },
  {
    reason: 'impersonation-malformed',
    route: { ...route, kind: 'kubernetes' },
    request: { headers: [['impersonate-group', secret]] },
  },
]

/** Requests about which the rules cannot say yes. */
export const unruled = (route: RouteParts): readonly Failure[] => [
  {
    reason: 'rule-failed',
    route: {
      ...route,
      rules: [{ deny: 'odd', when: 'int(request.headers["authorization"][0]) > 0' }],
    },
  },
  {
    reason: 'operation-undefined',
    route: {
      ...route,
      operations: operationsNeeding(),
      demands: { undefined: 'deny', scopes: 'ignore' },
    },
  },
  {
    reason: 'scope-missing',
    route: {
      ...route,
      operations: operationsNeeding('users:read'),
      demands: { undefined: 'deny', scopes: 'require' },
    },
    request: { path: '/users' },
  },
  {
    reason: 'authorizer-unavailable',
    route: { ...route, rules: [{ allow: 'asked', subjectAccessReview: true }] },
  },
  {
    reason: 'rate-limited',
    route: {
      ...route,
      rules: [{ allow: 'asked', subjectAccessReview: true }],
      reviewer: {
        review: () =>
          Promise.resolve({ outcome: 'unavailable', cause: new RateLimited('too much', 1) }),
      },
    },
  },
]
