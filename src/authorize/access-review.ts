// The SubjectAccessReview of a request, and its answer
// (kubernetes.io, API reference, authorization.k8s.io/v1), made from a question and read strictly.

import type { Identity } from '../identity/identity.ts'
import type { KubernetesRequest } from '../request/kubernetes/request-info.ts'
import { isJsonObject, type JsonObject } from '../runtime/json-object.ts'
import type { Question } from './question.ts'

const ACCESS_REVIEW = {
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SubjectAccessReview',
} as const

/** The attributes of the review. Empty ones are left out, so equal reviews have equal JSON. */
export interface AccessReview {
  readonly apiVersion: typeof ACCESS_REVIEW.apiVersion
  readonly kind: typeof ACCESS_REVIEW.kind
  readonly spec: Readonly<Record<string, unknown>>
}

/** What an answer comes to. */
export type AccessReviewReading =
  | { readonly outcome: 'reviewed'; readonly allowed: boolean }
  /** The server could not find out itself; why, in its words. */
  | { readonly outcome: 'undecided'; readonly what: string }
  /** The API server gave no usable answer. */
  | { readonly outcome: 'malformed'; readonly what: string }

/**
 * The review that asks whether the caller may make the request. Pure; never throws.
 *
 * It is about the caller also where the request impersonates a user: whether it may be made in
 * another's name is for the rules with `impersonate`, and the server judges it again.
 */
export const accessReviewOf = ({ identity, request, kubernetes }: Question): AccessReview => {
  const attributes =
    kubernetes?.isResource === true
      ? { resourceAttributes: resourceAttributes(kubernetes) }
      : // kubernetes.io, "Authorization Overview": the verb of a path without a resource is the method.
        { nonResourceAttributes: { path: request.path, verb: request.method.toLowerCase() } }
  return { ...ACCESS_REVIEW, spec: { ...subjectOf(identity), ...attributes } }
}

/**
 * Without selectors, so the review covers all objects and not only the selected ones: it never allows more.
 * Callers cannot make a new question of each request by its selectors, or one that the server cannot parse. RBAC
 * ignores selectors.
 */
const resourceAttributes = ({
  verb,
  apiGroup,
  apiVersion,
  namespace,
  resource,
  subresource,
  name,
}: KubernetesRequest): Readonly<Record<string, string>> => ({
  verb,
  ...withoutEmpty({ group: apiGroup, version: apiVersion, namespace, resource, subresource, name }),
})

const withoutEmpty = (texts: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== ''))

const subjectOf = ({
  user,
  uid,
  groups,
  extra,
}: Identity): Readonly<Record<string, string | readonly string[] | object>> => {
  // Keys that differ in case alone are one key to an API server, which knows them in lower case.
  const extras = Map.groupBy(Object.entries(extra), ([key]) => key.toLowerCase())
  const entries = [...extras].map(([key, all]) => [key, all.flatMap(([, values]) => values)])
  return {
    user,
    ...(uid === undefined ? {} : { uid }),
    groups: withEverybody(user, groups),
    ...(entries.length === 0 ? {} : { extra: Object.fromEntries(entries) }),
  }
}

const EVERYBODY = 'system:authenticated'

/**
 * The groups as the server has them of an authenticated user: it adds one that every user is in
 * (apiserver, pkg/authentication/group/authenticated_group_adder.go), and to a review it does not.
 */
const withEverybody = (user: string, groups: readonly string[]): readonly string[] =>
  user === 'system:anonymous' ||
  groups.includes(EVERYBODY) ||
  groups.includes('system:unauthenticated')
    ? groups
    : [...groups, EVERYBODY]

const malformed = (what: string): AccessReviewReading => ({ outcome: 'malformed', what })

// Enough to see what failed; it may hold anything that an authorizer of the server wrote.
const MAX_ERROR = 300

/** Reads an answer. Pure; never throws. */
export const readAccessReview = (document: JsonObject): AccessReviewReading => {
  const { apiVersion, kind, status } = document
  if (apiVersion !== ACCESS_REVIEW.apiVersion || kind !== ACCESS_REVIEW.kind) {
    return malformed('it is not a SubjectAccessReview')
  }
  if (!isJsonObject(status)) return malformed('it has no status')
  const { allowed, denied = false, evaluationError = '' } = status
  if (typeof allowed !== 'boolean') return malformed('"allowed" is not a boolean')
  if (typeof denied !== 'boolean') return malformed('"denied" is not a boolean')
  if (typeof evaluationError !== 'string') return malformed('"evaluationError" is not a string')
  // "Denied may not be true if Allowed is true" (SubjectAccessReviewStatus).
  if (allowed && denied) return malformed('it allows and denies at once')
  // As the API server itself does (apiserver, pkg/endpoints/filters/authorization.go): an evaluation error
  // does not revoke a permission, but turns a refusal into a failure. Otherwise a rule that allows what the
  // server refuses could match because of an error.
  if (!allowed && evaluationError !== '') {
    return { outcome: 'undecided', what: evaluationError.slice(0, MAX_ERROR) }
  }
  return { outcome: 'reviewed', allowed }
}
