// The span of a check, with one within it for each phase.

import { issuanceTrace } from '../grant/handle.ts'
import type { UnaryCall } from '../runtime/grpc/unary.ts'
import type { MaybePromise } from '../runtime/maybe-promise.ts'
import {
  within,
  type Span,
  type SpanAttributes,
  type SpanReference,
  type Tracer,
} from '../runtime/tracing/span.ts'
import type { CheckContext } from './context.ts'
import type { Decision, Denial } from './decision.ts'
import { conclusionOf, notesOf } from './conclusions.ts'
import type { CheckWatch, CheckWatcher, PhaseName } from './watch.ts'

// OpenTelemetry, semantic conventions for RPC.
const CALL: SpanAttributes = {
  'rpc.system.name': 'grpc',
  'rpc.method': 'envoy.service.auth.v3.Authorization/Check',
}
const NAME = 'envoy.service.auth.v3.Authorization/Check'

/** Traces the checks that a tracer samples. The parent is Envoy's span, which its call names. */
export const tracedChecks = (tracer: Tracer): CheckWatcher => ({
  watch({ traceparent }: UnaryCall) {
    const span = tracer.begin(NAME, traceparent, CALL)
    return span && new TracedCheck(span)
  },
})

class TracedCheck implements CheckWatch {
  readonly #span: Span
  #audit: Span | undefined

  constructor(span: Span) {
    this.#span = span
  }

  get span(): SpanReference | undefined {
    return this.#span.reference
  }

  phase<T extends CheckContext | Decision>(
    name: PhaseName,
    run: () => MaybePromise<T | Denial>,
  ): MaybePromise<T | Denial> {
    const span = this.#span.child(name, 'internal')
    const result = within(span, run)
    return result instanceof Promise
      ? result.then((settled) => ended(name, span, settled))
      : ended(name, span, result)
  }

  decided(decision: Decision, id: string): void {
    this.#span.set({ 'countersign.decision.id': id, ...attributesOf(decision.context) })
    if (decision.outcome === 'allow' && decision.credentials.secret !== undefined) {
      const { name, digest } = decision.credentials.secret
      this.#span.set({ 'countersign.certificate.handle': digest })
      this.#span.link(issuanceTrace(name))
    }
    this.#span.note(notesOf(decision))
    this.#audit = this.#span.child('audit', 'internal')
  }

  answered(decision: Decision): void {
    this.#audit?.end()
    const { outcome, reason } = decision
    this.#span.set({ 'countersign.decision': outcome, 'countersign.reason': reason })
    // A refusal is an answer. What the operator has to mend is a failure.
    if (outcome === 'deny' && decision.cause !== undefined) this.#span.fail(reason)
    this.#span.end()
  }
}

const ended = <T extends CheckContext | Decision>(name: PhaseName, span: Span, result: T): T => {
  if ('outcome' in result && result.outcome === 'deny') {
    span.set({ 'countersign.reason': result.reason })
  }
  const conclusion = conclusionOf(name, result)
  if (conclusion !== undefined) span.note({ conclusion })
  span.end()
  return result
}

/** No names of users: the audit event, to which the decision id leads, has them. */
const attributesOf = ({ route, authenticator, request }: CheckContext): SpanAttributes => ({
  ...(request === undefined ? {} : { 'http.request.method': request.method }),
  ...(route === undefined ? {} : { 'countersign.route': route.name }),
  ...(authenticator === undefined ? {} : { 'countersign.authenticator': authenticator }),
})
