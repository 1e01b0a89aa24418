// The target of a request, in the terms of the service that a route publishes: the attributes of a
// Kubernetes API, or an operation of an OpenAPI document. What that service could read otherwise
// than we do is refused.

import {
  readKubernetes,
  type KubernetesReading,
  type KubernetesRequest,
} from './kubernetes/request-info.ts'
import type { OperationIndex } from './openapi/operation-index.ts'
import type { OperationMatch } from './openapi/operation.ts'
import type { Request } from './request.ts'

/** The requested operation or resource; empty where only HTTP says it. */
export interface Target {
  /** As a Kubernetes API server reads it; only on routes of `kind: kubernetes`. */
  readonly kubernetes?: KubernetesRequest | undefined
  /** The operation of the route's OpenAPI document; absent where there is no document or no operation. */
  readonly operation?: OperationMatch | undefined
}

/** Why a request has no one reading for the service it is for. */
export type TargetRefusal =
  | Extract<KubernetesReading, { outcome: 'refused' }>['code']
  | 'impersonation'

/** The outcome of reading. */
export type TargetReading =
  | { readonly outcome: 'read'; readonly target: Target }
  | { readonly outcome: 'refused'; readonly code: TargetRefusal }

/** What a route publishes. */
export interface Published {
  readonly kind: 'http' | 'kubernetes'
  /** The operations of its OpenAPI document. */
  readonly operations?: OperationIndex | undefined
}

const NOTHING_MORE: TargetReading = { outcome: 'read', target: {} }

/** Reads the target of a request. Pure; never throws. */
export const readTarget = ({ kind, operations }: Published, request: Request): TargetReading => {
  let kubernetes: KubernetesRequest | undefined
  if (kind === 'kubernetes') {
    const reading = readKubernetes(request)
    if (reading.outcome === 'refused') return reading
    kubernetes = reading.kubernetes
  } else if (request.impersonates) {
    // Dropping the header would run `kubectl --as=other` as oneself, so it is refused instead.
    return { outcome: 'refused', code: 'impersonation' }
  }
  if (operations === undefined) {
    return kubernetes === undefined ? NOTHING_MORE : { outcome: 'read', target: { kubernetes } }
  }
  const found = operations.find(request.method, request.path)
  switch (found.outcome) {
    case 'ambiguous':
      return { outcome: 'refused', code: 'ambiguous-path' }
    case 'undefined':
      return { outcome: 'read', target: { kubernetes } }
    case 'matched':
      return { outcome: 'read', target: { kubernetes, operation: found } }
  }
}
