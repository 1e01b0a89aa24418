// The matcher `when`: an expression about everything that is known of the question.

import { Budget, sharing } from '../../expression/budget.ts'
import type { Condition } from '../../expression/cel.ts'
import { NO_CERTIFICATE } from '../../identity/certificate-fields.ts'
import type { SegmentReader } from '../../request/glob.ts'
import type { Request } from '../../request/request.ts'
import type { Matcher } from '../matcher.ts'
import { Workspace, type ExpressionVariables, type Question } from '../question.ts'

type Variables = Readonly<Record<string, unknown>>

/**
 * Makes the matcher.
 *
 * @param purpose what decides nothing must take no time from what does
 * @param segmentsOf reads what is `request.segments`, where the rule's paths have names
 */
export const conditionMatcher = (
  condition: Condition,
  purpose: Purpose,
  segmentsOf?: SegmentReader,
): Matcher => {
  const variablesOf = (question: Question): Variables => {
    const variables = variablesAbout(question)
    if (segmentsOf === undefined) return variables
    const { request } = variables
    return { ...variables, request: withSegments(request, segmentsOf(question.request.path)) }
  }
  return {
    key: 'when',
    wanted: condition.source,
    test(question) {
      const variables = variablesOf(question)
      return sharing(
        budgetFor(question, purpose),
        () => condition.evaluate(variables) ?? { unknown: condition.explain(variables) },
      )
    },
    got: () => undefined,
  }
}

/** What an expression is evaluated for. */
export type Purpose = 'decision' | 'shadow'

/** All rules that a question meets share one, however many there are. */
const budgetFor = (question: Question, purpose: Purpose): Budget => {
  const workspace = workspaceOf(question)
  workspace.budgets ??= { decision: new Budget(), shadow: new Budget() }
  return workspace.budgets[purpose]
}

// Of questions that were made without one, by tools.
const workspaces = new WeakMap<Question, Workspace>()

const workspaceOf = (question: Question): Workspace => {
  const known = question.workspace ?? workspaces.get(question)
  if (known !== undefined) return known
  const workspace = new Workspace()
  workspaces.set(question, workspace)
  return workspace
}

/** Inherits instead of copying: a copy would evaluate the lazy getters. */
const withSegments = (request: Variables, segments: ReadonlyMap<string, string>): Variables =>
  Object.create(request, { segments: { value: segments, enumerable: true } })

/** Made once, since several rules may evaluate one request. */
const variablesAbout = (question: Question): ExpressionVariables => {
  const workspace = workspaceOf(question)
  return (workspace.variables ??= makeVariables(question))
}

const makeVariables = (question: Question): ExpressionVariables => {
  const { kubernetes, operation, recorded = false } = question
  return {
    ...(recorded ? recordedVariables(question) : callerVariables(question)),
    ...(kubernetes === undefined ? {} : { kubernetes: kubernetesVariables(kubernetes) }),
    operation: operation === undefined ? NO_OPERATION : operationVariables(operation),
  }
}

const callerVariables = (question: Question): ExpressionVariables => ({
  identity: question.identity,
  request: requestVariables(question),
  certificate: question.identity.certificate ?? NO_CERTIFICATE,
  claims: question.identity.claims ?? {},
})

/** The variables that an audit log contains. An expression that reads another one cannot be evaluated. */
const recordedVariables = ({ identity, request, at }: Question): ExpressionVariables => ({
  identity: {
    user: identity.user,
    groups: identity.groups,
    method: identity.method,
    authenticator: identity.authenticator,
    get uid() {
      return unrecorded()
    },
    get extra() {
      return unrecorded()
    },
  },
  request: {
    method: request.method,
    host: request.host,
    path: request.path,
    source: request.source.address,
    time: new Date(at),
    get query() {
      return unrecorded()
    },
    get headers() {
      return unrecorded()
    },
    get serverName() {
      return unrecorded()
    },
  },
})

/** Throws, since `has` would otherwise be false. */
const unrecorded = (): never => {
  throw new TypeError('an audit log does not tell it')
}

const requestVariables = ({ request, at }: Question): Variables => {
  let query: Values | undefined
  let headers: Values | undefined
  return {
    method: request.method,
    host: request.host,
    path: request.path,
    // Read only if an expression uses it, and once for all expressions.
    get query() {
      return (query ??= queryOf(request))
    },
    get headers() {
      return (headers ??= headersOf(request))
    },
    source: request.source.address,
    serverName: request.serverName,
    time: new Date(at),
  }
}

// Maps: callers choose the names, and an object has some of its own, such as `constructor`.
type Values = ReadonlyMap<string, readonly string[]>

const queryOf = ({ query }: Request): Values => grouped(new URLSearchParams(query))

const headersOf = ({ headers }: Request): Values =>
  grouped(headers.lines.map(({ about, value }) => [about.lowerCase, value.toString('utf8')]))

const grouped = (pairs: Iterable<readonly [name: string, value: string]>): Values => {
  const values = new Map<string, string[]>()
  for (const [name, value] of pairs) {
    const before = values.get(name)
    if (before === undefined) values.set(name, [value])
    else before.push(value)
  }
  return values
}

const NO_IMPERSONATION = { user: '', uid: '', groups: [], extra: {} }

const kubernetesVariables = ({
  impersonation,
  ...kubernetes
}: NonNullable<Question['kubernetes']>): Variables => ({
  ...kubernetes,
  impersonates: impersonation !== undefined,
  impersonation: { ...NO_IMPERSONATION, ...impersonation },
})

const NO_OPERATION = { id: '', method: '', template: '', tags: [], parameters: {} }

const operationVariables = ({
  operation: { id, method, template, tags },
  parameters,
}: NonNullable<Question['operation']>): Variables => ({
  id,
  method,
  template,
  tags,
  parameters: new Map(Object.entries(parameters)),
})
