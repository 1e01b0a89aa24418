// The gRPC boundary of ext_authz, and phase 7: whatever happens inside, the caller gets an explicit
// answer and the audit log gets exactly one event.

import { randomUUID } from 'node:crypto'
import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js'
import type { DecisionEvent } from '../audit/event.ts'
import type { AuditSink } from '../audit/sink.ts'
import type { Clock } from '../runtime/clock.ts'
import { describeError } from '../runtime/errors.ts'
import { unary } from '../runtime/grpc/server.ts'
import type { Logger } from '../runtime/logger.ts'
import type { MaybePromise } from '../runtime/maybe-promise.ts'
import { respond } from './answer/response.ts'
import { check } from './check.ts'
import { decodeCheckRequest, encodeCheckResponse } from './codec.ts'
import { deny, type Decision } from './decision.ts'
import { SILENT, type CheckObserver } from './observer.ts'
import { describeDecision } from './record.ts'
import type { Snapshot } from './snapshot.ts'

/** What the service needs. */
export interface CheckServiceOptions {
  /** The configuration in force, and its number; asked once for each check. */
  readonly current: () => { readonly value: Snapshot; readonly generation: number }
  readonly audit: AuditSink
  readonly clock: Clock
  readonly logger: Logger
  readonly observer?: CheckObserver
}

/** `envoy.service.auth.v3.Authorization`, ready to be added to a server. */
export const checkService = (
  options: CheckServiceOptions,
): { definition: ServiceDefinition; implementation: UntypedServiceImplementation } => {
  const service = new CheckService(options)
  return {
    definition: AUTHORIZATION,
    implementation: {
      Check: unary(
        (bytes: Buffer, signal) => service.answer(bytes, signal),
        (cause) => service.lastResort(cause),
      ),
    },
  }
}

// Bytes in, bytes out: a request that does not decode must reach `answer`, which refuses and audits
// it. (grpc-js would answer with a gRPC error of its own, and no event would be written.)
const asBytes = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const AUTHORIZATION: ServiceDefinition = {
  Check: {
    path: '/envoy.service.auth.v3.Authorization/Check',
    requestStream: false,
    responseStream: false,
    requestSerialize: asBytes,
    requestDeserialize: asBytes,
    responseSerialize: asBytes,
    responseDeserialize: asBytes,
  },
}

const FAULT: Decision = deny({}, 'internal-error')

// What a bug throws, and no failure that is expected.
const BUGS = [TypeError, RangeError, ReferenceError, SyntaxError]

/** A stack tells of a bug where it is; of a server without an answer it tells nothing. */
const causeFields = (cause: unknown): { readonly err: unknown } | { readonly cause: string } =>
  BUGS.some((bug) => cause instanceof bug) ? { err: cause } : { cause: describeError(cause) }

class CheckService {
  readonly #options: CheckServiceOptions
  readonly #observer: CheckObserver

  constructor(options: CheckServiceOptions) {
    this.#options = options
    this.#observer = options.observer ?? SILENT
  }

  async answer(bytes: Buffer, signal: AbortSignal): Promise<Uint8Array> {
    this.#observer.began()
    try {
      return await this.#answer(bytes, signal)
    } finally {
      this.#observer.ended()
    }
  }

  async #answer(bytes: Buffer, signal: AbortSignal): Promise<Uint8Array> {
    const { current, clock } = this.#options
    const started = clock.monotonic()
    const { value: snapshot, generation } = current()
    const id = randomUUID()
    const deciding = this.#decide(bytes, snapshot, signal)
    const decided = deciding instanceof Promise ? await deciding : deciding
    this.#log(decided)
    const event = describeDecision(decided, snapshot, {
      id,
      generation,
      duration: Math.round((clock.monotonic() - started) * 1_000),
    })
    const decision = await this.#audit(event, decided)
    const answer = encodeCheckResponse(respond(id, decision, clock.now()))
    this.#observer.decided(decision, clock.monotonic() - started)
    return answer
  }

  /** For a failure in this file itself: still a refusal, still with an id to look for in the log. */
  lastResort(cause: unknown): Uint8Array {
    const id = randomUUID()
    this.#options.logger.error({ err: cause, decision: id }, 'check failed outside the pipeline')
    this.#observer.decided(FAULT, 0)
    return encodeCheckResponse(respond(id, FAULT, this.#options.clock.now()))
  }

  #decide(bytes: Buffer, snapshot: Snapshot, signal: AbortSignal): MaybePromise<Decision> {
    try {
      return check(decodeCheckRequest(bytes), snapshot, signal)
    } catch (cause) {
      return deny({}, 'internal-error', { cause })
    }
  }

  /** Logs what the operator has to mend; ordinary refusals are in the audit log alone. */
  #log(decision: Decision): void {
    if (decision.outcome === 'allow' || decision.cause === undefined) return
    const { reason, cause, context } = decision
    const { authenticator } = context
    const route = context.route?.name
    const { logger } = this.#options
    if (reason === 'internal-error') logger.error({ err: cause, route }, 'check failed')
    else if (reason === 'deadline-exceeded')
      logger.warn({ authenticator, route }, 'check took too long')
    else if (reason !== 'cancelled') {
      logger.warn({ ...causeFields(cause), reason, authenticator, route }, 'check refused')
    }
  }

  /** Writes the event. What could not be written is refused, unless the route says otherwise. */
  async #audit(event: DecisionEvent, decision: Decision): Promise<Decision> {
    try {
      await this.#options.audit.write(event)
      return decision
    } catch (cause) {
      const { context, outcome } = decision
      this.#options.logger.error({ err: cause, decision: event.id }, 'audit event lost')
      if (outcome === 'deny' || context.route?.onAuditFailure === 'allow') return decision
      return deny(context, 'audit-unavailable')
    }
  }
}
