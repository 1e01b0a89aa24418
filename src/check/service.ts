// The gRPC boundary of ext_authz, and phase 7: whatever happens inside, the caller gets an explicit
// answer and the audit log gets exactly one event.

import type { DecisionSink } from '../audit/sink.ts'
import type { Clock } from '../runtime/clock.ts'
import { describeError, type CountersignError } from '../runtime/errors.ts'
import { abortWith, type UnaryCall, type UnaryMethod } from '../runtime/grpc/unary.ts'
import type { Logger } from '../runtime/logger.ts'
import type { MaybePromise } from '../runtime/maybe-promise.ts'
import { randomId } from '../runtime/random-id.ts'
import { encodeAnswer } from './answer/prepared-answer.ts'
import { check } from './check.ts'
import { decodeCheckRequest } from './codec.ts'
import { deny, type Decision } from './decision.ts'
import { SILENT, type CheckObserver } from './observer.ts'
import { describeDecision } from './record.ts'
import type { Snapshot } from './snapshot.ts'
import type { CheckWatch, CheckWatcher } from './watch.ts'

/** What the service needs. */
export interface CheckServiceOptions {
  /** The configuration in force, and its number; called once for each check. */
  readonly current: () => { readonly value: Snapshot; readonly generation: number }
  readonly audit: DecisionSink
  readonly clock: Clock
  readonly logger: Logger
  readonly observer?: CheckObserver
  /** Follows some checks through their phases. Default: none. */
  readonly watcher?: CheckWatcher | undefined
}

/** `envoy.service.auth.v3.Authorization/Check`. */
export const checkMethod = (options: CheckServiceOptions): UnaryMethod => {
  const service = new CheckService(options)
  return {
    path: '/envoy.service.auth.v3.Authorization/Check',
    handle: (message, call) => service.handle(message, call),
    flush: () => options.audit.flush(),
  }
}

const FAULT: Decision = deny({}, 'internal-error')

// What a bug throws, and no failure that is expected.
const BUGS = [TypeError, RangeError, ReferenceError, SyntaxError]

/** A stack locates a bug; for a server without an answer it is useless. */
const causeFields = (cause: unknown): { readonly err: unknown } | { readonly cause: string } =>
  BUGS.some((bug) => cause instanceof bug) ? { err: cause } : { cause: describeError(cause) }

/** A check that is being decided. */
interface PendingCheck {
  readonly id: string
  /** Monotonic, in milliseconds. */
  readonly started: number
  readonly snapshot: Snapshot
  readonly generation: number
  readonly call: UnaryCall
  readonly watch: CheckWatch | undefined
}

class CheckService {
  readonly #options: CheckServiceOptions
  readonly #observer: CheckObserver
  /** For the signal of the next check. Most checks are decided synchronously and do not use it. */
  #controller: AbortController | undefined

  constructor(options: CheckServiceOptions) {
    this.#options = options
    this.#observer = options.observer ?? SILENT
  }

  /** Decides and answers; synchronously if only the audit log has to be awaited. */
  handle(message: Buffer, call: UnaryCall): void {
    this.#observer.began()
    try {
      this.#handle(message, call)
    } catch (cause) {
      this.#lastResort(call, cause)
    }
  }

  #handle(message: Buffer, call: UnaryCall): void {
    const started = this.#options.clock.monotonic()
    const { value: snapshot, generation } = this.#options.current()
    const controller = this.#controller ?? new AbortController()
    this.#controller = undefined
    const watch = this.#options.watcher?.watch(call)
    const deciding = this.#decide(message, snapshot, controller.signal, watch)
    const pending = { id: randomId(), started, snapshot, generation, call, watch }
    if (!(deciding instanceof Promise)) {
      // Nothing waits that could have kept its signal.
      this.#controller = controller
      return this.#conclude(deciding, pending)
    }
    void this.#concludeLater(deciding, pending, abortWith(controller, call))
  }

  async #concludeLater(
    deciding: Promise<Decision>,
    pending: PendingCheck,
    stopWatching: () => void,
  ): Promise<void> {
    try {
      this.#conclude(await deciding.finally(stopWatching), pending)
    } catch (cause) {
      this.#lastResort(pending.call, cause)
    }
  }

  /** Phase 7. A request whose event could not be written is refused, unless the route allows it. */
  #conclude(decision: Decision, pending: PendingCheck): void {
    const { clock, audit } = this.#options
    const { id, started, snapshot, generation, call, watch } = pending
    this.#log(decision)
    watch?.decided(decision, id)
    const duration = Math.round((clock.monotonic() - started) * 1_000)
    audit.record(describeDecision(decision, snapshot, { id, generation, duration }), (failure) => {
      try {
        this.#answer(
          failure === undefined ? decision : this.#unrecorded(decision, id, failure),
          pending,
        )
      } catch (cause) {
        this.#lastResort(call, cause)
      }
    })
  }

  #answer(decision: Decision, { id, started, call, watch }: PendingCheck): void {
    const { clock } = this.#options
    const answer = encodeAnswer(id, decision, clock.now())
    this.#observer.decided(decision, clock.monotonic() - started, watch?.span)
    this.#observer.ended()
    call.answer(answer)
    watch?.answered(decision)
  }

  #unrecorded(decision: Decision, id: string, failure: CountersignError): Decision {
    const { context, outcome } = decision
    this.#options.logger.error({ err: failure, decision: id }, 'audit event lost')
    if (outcome === 'deny' || context.route?.onAuditFailure === 'allow') return decision
    return deny(context, 'audit-unavailable')
  }

  /** For a failure in this file itself: still a refusal, still with an id to look for in the log. */
  #lastResort(call: UnaryCall, cause: unknown): void {
    const id = randomId()
    this.#options.logger.error({ err: cause, decision: id }, 'check failed outside the pipeline')
    this.#observer.decided(FAULT, 0)
    this.#observer.ended()
    call.answer(encodeAnswer(id, FAULT, this.#options.clock.now()))
  }

  #decide(
    bytes: Buffer,
    snapshot: Snapshot,
    signal: AbortSignal,
    watch: CheckWatch | undefined,
  ): MaybePromise<Decision> {
    try {
      return check(decodeCheckRequest(bytes), snapshot, signal, watch)
    } catch (cause) {
      return deny({}, 'internal-error', { cause })
    }
  }

  /** Logs what the operator has to mend; ordinary refusals are in the audit log alone. */
  #log(decision: Decision): void {
    if (decision.outcome === 'allow' || decision.cause === undefined) return
    const { reason, cause, context, detail } = decision
    const { authenticator } = context
    const route = context.route?.name
    const { logger } = this.#options
    if (reason === 'internal-error') logger.error({ err: cause, route }, 'check failed')
    else if (reason === 'deadline-exceeded')
      logger.warn({ authenticator, route, detail }, 'check took too long')
    else if (reason !== 'cancelled') {
      logger.warn({ ...causeFields(cause), reason, authenticator, route }, 'check refused')
    }
  }
}
