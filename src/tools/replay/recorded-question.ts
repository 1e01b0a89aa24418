// A recorded decision → the request that was made and the input that the rules of a route would
// get. What the log does not contain is undetermined, and never made up.

import type { Question } from '../../authorize/question.ts'
import { Headers } from '../../request/headers.ts'
import { readKubernetes, type KubernetesRequest } from '../../request/kubernetes/request-info.ts'
import { readPath, type PathReading } from '../../request/path.ts'
import type { Request } from '../../request/request.ts'
import { readTarget, type TargetRefusal } from '../../request/target.ts'
import { isCut, MAX_PATH, WITHHELD } from '../../check/record.ts'
import type { Route } from '../../check/route.ts'
import type { RecordedCheck } from './recorded-event.ts'

/** What a log did not keep of a request, and a question needs. */
export type UnrecordedPart =
  /** The path was longer than what is recorded of it. */
  | 'path'
  /** The query, on which the attributes of a Kubernetes request depend. */
  | 'query'
  /** The values of further keys that a caller wanted to be treated as. */
  | 'impersonation'

/** The outcome of reading the request of a decision. */
export type RecordedRequest =
  | { readonly outcome: 'read'; readonly request: Request }
  | Extract<PathReading, { outcome: 'refused' }>
  | { readonly outcome: 'undetermined'; readonly what: UnrecordedPart }

/** The input of the rules of a route. */
export type RecordedQuestion =
  | { readonly outcome: 'asked'; readonly question: Question }
  /** The route refuses the request before it authenticates the caller. */
  | { readonly outcome: 'refused'; readonly code: TargetRefusal }
  | Exclude<RecordedRequest, { outcome: 'read' }>

const NO_HEADERS = new Headers([])

/** The request, without what the log does not keep: headers, the TLS server name, query values. */
export const recordedRequest = (asked: RecordedCheck): RecordedRequest => {
  const { method, host, path: target, source, kubernetes } = asked
  const mark = target.indexOf('?')
  if (asked.cut || (mark === -1 && target.length >= MAX_PATH))
    return { outcome: 'undetermined', what: 'path' }
  const reading = readPath(target)
  if (reading.outcome === 'refused') return reading
  return {
    outcome: 'read',
    request: {
      id: undefined,
      method,
      path: reading.path,
      rawPath: mark === -1 ? target : target.slice(0, mark),
      query: reading.query,
      host,
      headers: NO_HEADERS,
      impersonates: kubernetes?.impersonation !== undefined,
      source: { address: source, port: 0 },
      peerCertificate: '',
      serverName: '',
      routeName: undefined,
    },
  }
}

/**
 * The input that a route would give its rules for the recorded request. Its `recorded` is set, and
 * conditions of rules read more than it tells: `recordedPolicy` makes them fail.
 */
export const recordedQuestion = (
  asked: RecordedCheck,
  route: Pick<Route, 'kind' | 'operations'>,
  reading: RecordedRequest = recordedRequest(asked),
): RecordedQuestion => {
  if (reading.outcome !== 'read') return reading
  const { request } = reading
  const { kind, operations } = route
  // On a route of `kind: kubernetes` impersonation is for the rules.
  const impersonates = kind === 'http' && request.impersonates
  const found = readTarget({ kind: 'http', operations }, { ...request, impersonates })
  if (found.outcome === 'refused') return found
  const { identity, at } = asked
  const question = { identity, request, at, recorded: true, ...found.target }
  if (kind === 'http') return { outcome: 'asked', question }
  const attributes = recordedKubernetes(asked, request)
  if (attributes.outcome !== 'read') return attributes
  return { outcome: 'asked', question: { ...question, kubernetes: attributes.kubernetes } }
}

type RecordedAttributes =
  | { readonly outcome: 'read'; readonly kubernetes: KubernetesRequest }
  | Exclude<RecordedQuestion, { outcome: 'asked' }>

/**
 * As it was read then, where it was; else read now, as far as the query is there. Without the query
 * a watch looks like a list.
 */
const recordedKubernetes = (asked: RecordedCheck, request: Request): RecordedAttributes => {
  const { kubernetes: recorded } = asked
  const bare = readKubernetes({ ...request, query: '' })
  if (recorded === undefined) {
    if (bare.outcome === 'refused' || !dependsOnQuery(bare.kubernetes)) return bare
    if (isQueryUnrecorded(asked, request)) return { outcome: 'undetermined', what: 'query' }
    return readKubernetes(request)
  }
  const { impersonation, verb, apiGroup = '', resource = '' } = recorded
  if (impersonation?.extra !== undefined && impersonation.extra.length > 0) {
    return { outcome: 'undetermined', what: 'impersonation' }
  }
  // All but the name of a list is from the path, which is whole.
  if (isCut(recorded.name ?? '')) return { outcome: 'undetermined', what: 'query' }
  const isResource = resource !== ''
  const { user = '', uid, groups = [] } = impersonation ?? {}
  const kubernetes = {
    isResource,
    verb,
    path: request.path,
    apiPrefix: isResource ? (apiGroup === '' ? 'api' : 'apis') : '',
    apiGroup,
    apiVersion: recorded.apiVersion ?? '',
    namespace: recorded.namespace ?? '',
    resource,
    subresource: recorded.subresource ?? '',
    name: recorded.name ?? '',
    parts: bare.outcome === 'read' ? bare.kubernetes.parts : [],
    // Not recorded, which conditions are made to notice; no other matcher reads them.
    fieldSelector: '',
    labelSelector: '',
    ...(impersonation && {
      impersonation: { user, ...(uid === undefined ? {} : { uid }), groups, extra: new Map() },
    }),
  }
  return { outcome: 'read', kubernetes }
}

/** Whether the query could make something else of it than it is without one. */
const dependsOnQuery = ({ verb, isResource, name }: KubernetesRequest): boolean =>
  isResource && name === '' && (verb === 'list' || verb === 'deletecollection')

// What makes a watch of a list, or names what is listed. Other values only matter where a
// server refuses the whole query.
const TELLING: ReadonlySet<string> = new Set(['watch', 'fieldSelector', 'labelSelector'])

const isQueryUnrecorded = ({ path, queryOmitted }: RecordedCheck, { query }: Request): boolean =>
  queryOmitted ||
  path.length >= MAX_PATH ||
  query
    .split('&')
    .some((part) => part.includes(WITHHELD) && TELLING.has(decodeName(part.split('=', 1)[0] ?? '')))

const decodeName = (name: string): string => {
  try {
    return decodeURIComponent(name.replaceAll('+', ' '))
  } catch {
    return name
  }
}
