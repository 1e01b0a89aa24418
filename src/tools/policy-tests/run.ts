// `tests` of a configuration, put through the very checks that the service would make. Only the identity, the
// time and the answer of an API server are simulated; no request is sent for them.

import { HeaderLine } from '../../request/header-line.ts'
import { holds } from '../../request/credential-location.ts'
import type { AccessReviewer, Review } from '../../authorize/authorizer.ts'
import type { PolicyTest } from '../../configuration/policy-tests-schema.ts'
import type { CheckAttributes } from '../../request/attributes.ts'
import { readRequest, ROUTE_EXTENSION, type Request } from '../../request/request.ts'
import { describeError } from '../../runtime/errors.ts'
import type { CheckAnswer } from '../../check/answer/answer.ts'
import { respond } from '../../check/answer/response.ts'
import { PUBLIC_ANSWERS } from '../../check/answer/public-answers.ts'
import { check, type CheckState } from '../../check/check.ts'
import type { Decision } from '../../check/decision.ts'
import { simulate, UNRECORDED_ID } from '../simulation.ts'
import type { Route } from '../../check/route.ts'
import type { Snapshot } from '../../check/snapshot.ts'
import { subjectOf, type Unusable } from './subject.ts'

/** What of a configuration in force its tests need. */
export interface TestedState extends CheckState {
  readonly config: Snapshot['config']
}

/** What a check came to, in the words of `want`. */
export interface TestDecision {
  readonly outcome: 'decided'
  readonly decision: Decision['outcome']
  readonly reason: Decision['reason']
  /** The rule that decided, or that could not be evaluated (`rule-failed`). */
  readonly rule: string | undefined
  readonly status: number
  /** By lower-case name: what is set for the upstream, or what the caller gets. */
  readonly headers: Readonly<Record<string, readonly string[]>>
  readonly operation: string | undefined
  /** Rules in shadow → what they would have decided. */
  readonly shadow: NonNullable<PolicyTest['want']['shadow']>
  /** What failed, where something did. */
  readonly detail: string | undefined
}

/** Where something of a decision differs from what was wanted. */
interface TestDifference {
  /** A key of `want`; `headers.NAME` for a header. */
  readonly what: string
  readonly wanted: unknown
  readonly got: unknown
}

/** A test that was run. It passed when something was decided and there is no difference. */
export interface PolicyTestResult {
  /** Its position, from 0. */
  readonly index: number
  readonly name: string
  /** The route that takes the request; `undefined` where none does. */
  readonly route: string | undefined
  readonly got: TestDecision | Unusable
  readonly differences: readonly TestDifference[]
}

/** Runs every test of a configuration, in the order of the file. Never rejects. */
export const runPolicyTests = async (state: TestedState): Promise<readonly PolicyTestResult[]> =>
  await Promise.all(state.config.tests.map((test, index) => run(test, index, state)))

const run = async (
  test: PolicyTest,
  index: number,
  state: TestedState,
): Promise<PolicyTestResult> => {
  const attributes = attributesOf(test.request)
  const reading = readRequest(attributes, state)
  const request = reading.outcome === 'read' ? reading.request : undefined
  const route = request && state.routes.find(request)
  const got =
    wantsUnknown(test, route) ??
    showsCredential(test, request, route) ??
    (await decideTest(test, attributes, route, state))
  const differences = got.outcome === 'decided' ? differencesOf(test, got) : []
  return { index, name: test.name, route: route?.name, got, differences }
}

/** Envoy's attributes of the request of a test. */
export const attributesOf = (request: PolicyTest['request']): CheckAttributes => ({
  sourceAddress: request.source,
  sourcePort: 0,
  peerCertificate: '',
  method: request.method,
  path: request.path,
  host: request.host,
  // Envoy hands names over in lower case.
  headers: Object.entries(request.headers).flatMap(([name, values]) =>
    [values].flat().map((value) => HeaderLine.of(name.toLowerCase(), Buffer.from(value))),
  ),
  contextExtensions: new Map(request.route === undefined ? [] : [[ROUTE_EXTENSION, request.route]]),
  serverName: request.serverName,
})

const unusable = (reason: string, ...path: readonly PropertyKey[]): Unusable => ({
  outcome: 'unusable',
  reason,
  path,
})

/** An expectation that no request can meet: a mistake in the test. */
const wantsUnknown = ({ want }: PolicyTest, route: Route | undefined): Unusable | undefined => {
  const { reason, rule, shadow = {} } = want
  if (reason !== undefined && reason !== 'permitted' && !Object.hasOwn(PUBLIC_ANSWERS, reason)) {
    return unusable(`audit knows no reason "${reason}"`, 'want', 'reason')
  }
  if (route === undefined) return undefined
  const known = new Set(route.authorizer.policy.rules.map(({ name }) => name))
  const missing = (name: string): string => `route "${route.name}" has no rule "${name}"`
  if (rule !== undefined && !known.has(rule)) return unusable(missing(rule), 'want', 'rule')
  const unknown = Object.keys(shadow).find((name) => !known.has(name))
  return unknown === undefined ? undefined : unusable(missing(unknown), 'want', 'shadow', unknown)
}

/** A credential would have to be proven, and no authenticator is called here. */
const showsCredential = (
  { identity }: PolicyTest,
  request: Request | undefined,
  route: Route | undefined,
): Unusable | undefined => {
  if (request === undefined || route === undefined) return undefined
  const presented = route.chain.locations.find((location) => holds(request, location))
  if (presented === undefined) return undefined
  const place = presented.kind === 'query' ? 'path' : 'headers'
  const remedy = identity === undefined ? 'set "identity" instead' : 'leave it out'
  return unusable(
    `it has a credential, which must not be in a configuration and is not verified here: ${remedy}`,
    'request',
    place,
  )
}

/** In place of the API server. */
class GivenReview implements AccessReviewer {
  readonly #allowed: boolean | undefined
  /** Whether it was called and has no answer. */
  isMissing = false

  constructor(allowed: boolean | undefined) {
    this.#allowed = allowed
  }

  review(): Promise<Review> {
    if (this.#allowed !== undefined) {
      return Promise.resolve({ outcome: 'reviewed', allowed: this.#allowed })
    }
    this.isMissing = true
    return Promise.resolve({ outcome: 'unavailable', cause: new Error('"reviewed" is not given') })
  }
}

const decideTest = async (
  test: PolicyTest,
  attributes: CheckAttributes,
  route: Route | undefined,
  state: TestedState,
): Promise<TestDecision | Unusable> => {
  const subject = subjectOf(test, route, state.config)
  if (subject.outcome === 'unusable') return subject
  const at = test.request.at === undefined ? state.clock.now() : Date.parse(test.request.at)
  const reviewer = new GivenReview(test.reviewed)
  const simulated = simulate(state, { identity: subject.identity, reviewer, at })
  const decision = await check(attributes, simulated, new AbortController().signal)
  if (reviewer.isMissing) {
    return unusable(
      'a rule needs the answer of the API server (subjectAccessReview), which tests do not call: set it in "reviewed"',
    )
  }
  return describe(decision, respond(UNRECORDED_ID, decision, at))
}

const describe = (decision: Decision, answer: CheckAnswer): TestDecision => {
  const { context } = decision
  const { cause, detail } = decision.outcome === 'deny' ? decision : ({} as const)
  return {
    outcome: 'decided',
    decision: decision.outcome,
    reason: decision.reason,
    rule: decision.outcome === 'allow' ? decision.permit.rule : decision.rule,
    status: answer.allow ? 200 : answer.httpStatus,
    headers: headersOf(answer),
    operation: context.target?.operation?.operation.id,
    shadow: Object.fromEntries((context.shadows ?? []).map((one) => [one.rule, one.decision])),
    detail: detail ?? (cause === undefined ? undefined : describeError(cause)),
  }
}

/** The header lines that Envoy sets. */
const headersOf = (answer: CheckAnswer): TestDecision['headers'] => {
  const lines = new Map<string, readonly string[]>()
  if (answer.allow) {
    for (const [name, value] of answer.setHeaders) lines.set(name.toLowerCase(), [value])
    for (const { name, values } of answer.repeatedHeaders) lines.set(name.toLowerCase(), values)
  } else {
    for (const [name, value] of answer.headers) {
      lines.set(name.toLowerCase(), [...(lines.get(name.toLowerCase()) ?? []), value])
    }
  }
  return Object.fromEntries(lines)
}

const differencesOf = ({ want }: PolicyTest, got: TestDecision): readonly TestDifference[] => {
  const { headers = {}, shadow, ...rest } = want
  const keys = ['decision', 'rule', 'reason', 'status', 'operation'] as const
  const pairs: readonly TestDifference[] = [
    ...keys.map((what) => ({ what, wanted: rest[what], got: got[what] })),
    { what: 'shadow', wanted: shadow && inOrder(shadow), got: inOrder(got.shadow) },
    ...Object.entries(headers).map(([name, values]) => ({
      what: `headers.${name}`,
      wanted: [values].flat(),
      got: Object.hasOwn(got.headers, name) ? got.headers[name] : [],
    })),
  ]
  return pairs.filter(
    (pair) => pair.wanted !== undefined && JSON.stringify(pair.wanted) !== JSON.stringify(pair.got),
  )
}

/** Keys have no order. */
const inOrder = <T>(record: Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)))
