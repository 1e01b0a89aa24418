// A recorded decision, explained by the rules that are in force now: the request and the caller are
// put together from what the log tells, and rules that look at more fail, as in a replay.

import { HeaderLine } from '../../request/header-line.ts'
import { Authorizer } from '../../authorize/authorizer.ts'
import { recordedPolicy } from '../../authorize/recorded-policy.ts'
import type { CheckAttributes } from '../../request/attributes.ts'
import { readRequest, ROUTE_EXTENSION } from '../../request/request.ts'
import { readTarget } from '../../request/target.ts'
import { CountersignError } from '../../runtime/errors.ts'
import type { RecordedCheck } from '../replay/recorded-event.ts'
import { recordedQuestion } from '../replay/recorded-question.ts'
import { Replay } from '../replay/replay.ts'
import type { Route } from '../../check/route.ts'
import { explain, type Explanation, type ExplainState } from './explain.ts'

const NOTE =
  'From an audit log: header values, the connection, values of the query, and the uid, extra values and claims of the user are not known.'

/**
 * Explains what the rules would decide about a recorded request now.
 *
 * @throws CountersignError when the log does not contain the request
 */
export const explainRecorded = async (
  asked: RecordedCheck,
  state: ExplainState,
  signal: AbortSignal,
): Promise<Explanation> => {
  const attributes = recordedAttributes(asked, state.routes)
  assertSameTarget(asked, attributes, state)
  const recorded = { ...state, routes: recordedRoutes(state.routes) }
  const { identity, at } = asked
  const explanation = await explain(attributes, recorded, { identity, at }, signal)
  const { request } = explanation
  const replayed = new Replay(state.routes).decide(asked)
  return {
    ...explanation,
    request: { ...request, notes: [...request.notes, NOTE] },
    recorded: {
      before: asked.outcome,
      ...(replayed.outcome === 'undetermined' ? { undetermined: replayed.what } : {}),
    },
  }
}

const recordedRoutes = (routes: ExplainState['routes']): ExplainState['routes'] => ({
  withheld: routes.withheld,
  entries: routes.entries,
  find(request): Route | undefined {
    const route = routes.find(request)
    return (
      route && { ...route, authorizer: new Authorizer(recordedPolicy(route.authorizer.policy)) }
    )
  },
})

/** A request with the same reading as the recorded one, where the log is sufficient. */
const recordedAttributes = (
  asked: RecordedCheck,
  routes: ExplainState['routes'],
): CheckAttributes => {
  const { method, host, path, source, kubernetes, route } = asked
  const known = routes.entries.some((entry) => entry.route.name === route)
  const whom = kubernetes?.impersonation
  const lines = [
    ...(whom === undefined ? [] : [['impersonate-user', whom.user] as const]),
    ...(whom?.uid === undefined ? [] : [['impersonate-uid', whom.uid] as const]),
    ...(whom?.groups ?? []).map((group) => ['impersonate-group', group] as const),
  ]
  return {
    sourceAddress: source,
    sourcePort: 0,
    peerCertificate: '',
    method,
    path: kubernetes === undefined ? path : kubernetesTarget(path, kubernetes),
    host,
    headers: lines.map(([name, value]) => HeaderLine.of(name, Buffer.from(value))),
    contextExtensions: new Map(known ? [[ROUTE_EXTENSION, route]] : []),
    serverName: '',
  }
}

/** The path, with a query by which it is read as it was; the recorded one has no values. */
const kubernetesTarget = (
  target: string,
  { verb, name }: NonNullable<RecordedCheck['kubernetes']>,
): string => {
  const [path = ''] = target.split('?', 1)
  const selects = name !== undefined && ['list', 'watch', 'deletecollection'].includes(verb)
  const parts = [
    ...(verb === 'watch' ? ['watch=true'] : []),
    ...(selects ? [`fieldSelector=${encodeURIComponent(`metadata.name=${name}`)}`] : []),
  ]
  return parts.length === 0 ? path : `${path}?${parts.join('&')}`
}

/** What is explained must be the recorded request, and nothing that only looks like it. */
const assertSameTarget = (
  asked: RecordedCheck,
  attributes: CheckAttributes,
  state: ExplainState,
): void => {
  const reading = readRequest(attributes, state)
  const route = reading.outcome === 'read' ? state.routes.find(reading.request) : undefined
  if (reading.outcome !== 'read' || route === undefined) return // explained so
  const recorded = recordedQuestion(asked, route)
  if (recorded.outcome === 'undetermined') {
    throw new CountersignError(
      'usage',
      `the log does not tell the ${recorded.what} of that request`,
    )
  }
  if (recorded.outcome !== 'asked' || recorded.question.kubernetes === undefined) return
  const now = readTarget(route, reading.request)
  const { verb, apiGroup, namespace, resource, subresource, name } = recorded.question.kubernetes
  const read = now.outcome === 'read' ? now.target.kubernetes : undefined
  const same =
    read?.verb === verb &&
    read.apiGroup === apiGroup &&
    read.namespace === namespace &&
    read.resource === resource &&
    read.subresource === subresource &&
    read.name === name
  if (!same) throw new CountersignError('usage', 'the log does not tell enough of that request')
}
