// A refusal in the words of a Kubernetes API server: a `Status` object, which client-go takes for an
// error of the server and kubectl prints (apimachinery v0.37.2, pkg/api/errors; kubectl v0.37.2,
// pkg/cmd/util/helpers.go, StandardErrorMessage).

import type { KubernetesRequest } from '../../request/kubernetes/request-info.ts'
import type { CheckContext } from '../context.ts'
import type { PublicRefusal } from './public-refusal.ts'
import { cutText, replaceUnprintable } from '../../runtime/text.ts'

/** What is sent, and as what. */
export interface KubernetesBody {
  readonly type: string
  readonly body: string
}

/**
 * The `Status`, as JSON. Where kubectl looks what the server has, it reads no Status and would print
 * `unknown`: there it gets the message as text, which it does print (client-go v0.37.2,
 * `newUnstructuredResponseError` of rest/request.go).
 */
export const kubernetesBody = (refused: PublicRefusal, context: CheckContext): KubernetesBody => {
  const { kubernetes } = context.target ?? {}
  const discovers = kubernetes?.isResource === false && DISCOVERY.test(kubernetes.path)
  return refused.status === FORBIDDEN && discovers
    ? { type: 'text/plain; charset=utf-8', body: `${messageOf(refused, context)}\n` }
    : { type: 'application/json', body: statusOf(refused, context) }
}

/** The discovery requests of kubectl. */
const DISCOVERY = /^\/(api|apis|openapi|version)(\/|$)/

const statusOf = (refused: PublicRefusal, context: CheckContext): string => {
  const { status } = refused
  const details = detailsOf(refused, context)
  return JSON.stringify({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: messageOf(refused, context),
    reason: reasonOf(status),
    details,
    code: status,
  })
}

// metav1.StatusReason, each of which belongs to one status (pkg/apis/meta/v1/types.go).
const REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  503: 'ServiceUnavailable',
  504: 'Timeout',
}

/** As client-go itself takes an answer that says nothing (NewGenericServerResponse). */
const reasonOf = (status: number): string | undefined =>
  REASONS[status] ?? (status >= 500 ? 'InternalError' : undefined)

const FORBIDDEN = 403
// Those in which the API server speaks of the object. With `Invalid` kubectl prints the object and
// its causes in place of the message.
const ABOUT_OBJECT: ReadonlySet<number> = new Set([FORBIDDEN, 404, 405, 409, 410])

const detailsOf = ({ status, wait }: PublicRefusal, { target }: CheckContext) => {
  if (wait !== undefined) return { retryAfterSeconds: Math.min(wait, MAX_INT32) }
  const { kubernetes } = target ?? {}
  if (kubernetes === undefined || !ABOUT_OBJECT.has(status)) return undefined
  const { name, apiGroup, resource } = kubernetes
  return {
    name: present(cut(name)),
    group: present(cut(apiGroup)),
    kind: present(cut(resource)),
  }
}

const MAX_INT32 = 2_147_483_647

const present = (text: string): string | undefined => (text === '' ? undefined : text)

const messageOf = (refused: PublicRefusal, { identity, target }: CheckContext): string => {
  const why = whyOf(refused, target?.kubernetes)
  if (refused.status !== FORBIDDEN) return why
  if (identity === undefined || target?.kubernetes === undefined) return `forbidden: ${why}`
  const { kubernetes } = target
  return `${objectOf(kubernetes)}: ${sanitized(actionOf(identity.user, kubernetes))}: ${why}`
}

/** The reason, as an authorizer of the API server would write it, with the decision id for the operator. */
const whyOf = (refused: PublicRefusal, kubernetes: KubernetesRequest | undefined): string => {
  const { id, text, own, rule } = refused
  if (own && rule !== undefined)
    return `${withoutStop(text)} (rule ${quoted(rule)}, decision ${id})`
  return `${causeOf(refused, kubernetes?.impersonation?.user) ?? withoutStop(text)} (decision ${id})`
}

/** Reasons that kubectl prints in fewer words than the public text. */
const causeOf = (
  { reason, rule = '' }: PublicRefusal,
  whom: string | undefined,
): string | undefined => {
  if (reason === 'rule-denied') return `denied by rule ${quoted(rule)}`
  if (reason === 'rule-failed') return `rule ${quoted(rule)} could not be evaluated`
  if (reason === 'no-rule') return 'no rule allows it'
  if (reason !== 'impersonation' || whom === undefined) return undefined
  return `no rule allows it as ${sanitized(quoted(whom))}`
}

const withoutStop = (text: string): string => text.replace(/\.$/, '')

/** `NewForbidden` of apimachinery. */
const objectOf = ({ apiGroup, resource, name }: KubernetesRequest): string => {
  if (resource === '' && apiGroup === '') return 'forbidden'
  const kind = cut(apiGroup === '' ? resource : `${resource}.${apiGroup}`)
  return name === '' ? `${kind} is forbidden` : `${kind} ${quoted(name)} is forbidden`
}

/** `forbiddenMessage` of apiserver (pkg/endpoints/handlers/responsewriters/errors.go). */
const actionOf = (user: string, kubernetes: KubernetesRequest): string => {
  const { isResource, verb, path, apiGroup, namespace, resource, subresource } = kubernetes
  const who = `User ${quoted(user)} cannot ${verb}`
  if (!isResource) return `${who} path ${quoted(path)}`
  const what = quoted(subresource === '' ? resource : `${resource}/${subresource}`)
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${quoted(namespace)}`
  return `${who} resource ${what} in API group ${quoted(apiGroup)} ${where}`
}

// The API server's own: no answer may look like HTML.
const sanitized = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** About as Go's `%q`. */
const quoted = (text: string): string =>
  replaceUnprintable(JSON.stringify(cut(text)), (char) => {
    const point = char.codePointAt(0) ?? 0
    return point > 0xffff
      ? `\\U${point.toString(16).padStart(8, '0')}`
      : `\\u${point.toString(16).padStart(4, '0')}`
  })

// Nothing that a Kubernetes API server serves has a longer name or path.
const LONGEST = 1_024

const cut = (text: string): string => cutText(text, LONGEST)
