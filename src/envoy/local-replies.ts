// What callers read where Envoy itself answers (`local_reply_config`): on routes to Kubernetes API servers a Status
// object, since kubectl prints its message, and of any other body only that it is unknown. Answers of authz stay as they
// are.

import type { Config, RouteConfig } from '../configuration/schema.ts'
import { SESSION_PREFIX } from '../logins/session-client.ts'
import { compileGlob, encodedGlob } from '../request/glob.ts'
import { hostsOverlap } from '../request/hosts.ts'
import { tooManyRequests } from './issuer-bounds.ts'
import type { Message } from './message.ts'
import { allOf, celFilter } from './refusal-log.ts'

/** `local_reply_config` of the connection manager, as a field; nothing where Envoy's own texts are good enough. */
export const localReplies = (
  config: Pick<Config, 'issuer' | 'routes'>,
): { readonly local_reply_config?: Message } => {
  const mappers = [
    ...(config.issuer === undefined ? [] : tooManyRequests),
    ...kubernetesReplies(config.routes),
  ]
  return mappers.length === 0 ? {} : { local_reply_config: { mappers } }
}

/** The same for an Envoy that does not serve the issuer. */
export const kubernetesLocalReplies = ({
  routes,
}: Pick<Config, 'routes'>): { readonly local_reply_config?: Message } =>
  localReplies({ issuer: undefined, routes })

/**
 * The first mapper that matches decides, as the first route does: a route of another kind that comes before one to an
 * API server, and has a host in common with it, keeps its texts.
 */
const kubernetesReplies = (routes: readonly RouteConfig[]): readonly Message[] =>
  routes.flatMap((route, index) => {
    if (route.kind === 'kubernetes') return REPLIES.map((reply) => statusReply(route, reply))
    const isShared = routes
      .slice(index + 1)
      .some(
        ({ kind, match }) => kind === 'kubernetes' && hostsOverlap(match.hosts, route.match.hosts),
      )
    return isShared ? [{ filter: allOf([...requestsOf(route), anyStatus]) }] : []
  })

/** An answer of Envoy, in the terms of metav1.Status. */
interface Reply {
  readonly when: Message
  readonly status: number
  /** metav1.StatusReason (apimachinery v0.37.2, pkg/apis/meta/v1/types.go). */
  readonly reason: string
  /** Problem and action. */
  readonly text: string
}

const REPLIES: readonly Reply[] = [
  {
    // authz could not be called: its own words for a check without a result.
    when: celFilter("response.code == 503 && response.code_details.startsWith('ext_authz_error')"),
    status: 503,
    reason: 'ServiceUnavailable',
    text: 'The request could not be checked. Try again later',
  },
  {
    when: withStatus(503),
    status: 503,
    reason: 'ServiceUnavailable',
    text: 'The API server cannot be reached. Try again later',
  },
  {
    when: withStatus(504),
    status: 504,
    reason: 'Timeout',
    text: 'The API server did not answer in time. Try again later',
  },
]

const statusReply = (route: RouteConfig, { when, status, reason, text }: Reply): Message => ({
  filter: allOf([...requestsOf(route), notOfAuthz, when]),
  body_format_override: {
    content_type: 'application/json',
    json_format: {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      // Envoy's log has the request's id, with the cause.
      message: `${text} (request %REQ(X-REQUEST-ID):64%)`,
      reason,
      code: status,
    },
  },
})

const notOfAuthz = celFilter(
  `response.code_details != 'ext_authz_denied' && !request.path.startsWith('${SESSION_PREFIX}')`,
)

/** By host and path as sent: the name of Envoy's route is another one in Istio and in an Envoy with `envoy snippet`. */
const requestsOf = ({ match }: RouteConfig): readonly Message[] => [
  ...(match.hosts.includes('*') ? [] : [header(':authority', hostsExpression(match.hosts))]),
  ...(match.paths.includes('/**') ? [] : [header(':path', pathsExpression(match.paths))]),
]

const hostsExpression = (hosts: readonly string[]): string =>
  `(?i)(?:${hosts.map(hostExpression).join('|')})(?::[0-9]+)?`

const hostExpression = (host: string): string =>
  host.startsWith('*.') ? `.+${escaped(host.slice(1))}` : escaped(host)

const pathsExpression = (globs: readonly string[]): string =>
  `(?:${globs.map((glob) => compileGlob(encodedGlob(glob)).source.slice(1, -1)).join('|')})(?:\\?.*)?`

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')

const header = (name: string, regex: string): Message => ({
  header_filter: { header: { name, string_match: { safe_regex: { regex } } } },
})

const anyStatus: Message = celFilter('true')

function withStatus(status: number): Message {
  return celFilter(`response.code == ${status}`)
}
