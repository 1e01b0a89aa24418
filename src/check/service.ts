// The gRPC boundary of ext_authz, and phase 7: whatever happens inside, the caller gets an explicit
// answer and the audit log gets exactly one event.

import { randomUUID } from 'node:crypto'
import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js'
import type { DecisionEvent } from '../audit/event.ts'
import type { AuditSink } from '../audit/sink.ts'
import type { Clock } from '../runtime/clock.ts'
import { describeError } from '../runtime/errors.ts'
import { DeadlineNear, unary } from '../runtime/grpc/server.ts'
import type { Logger } from '../runtime/logger.ts'
import { respond } from './answer/response.ts'
import { check } from './check.ts'
import { decodeCheckRequest, encodeCheckResponse } from './codec.ts'
import type { Decision, Trail } from './decision.ts'
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

const FAULT: Decision = { outcome: 'deny', reason: 'fault' }

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
    const trail: Trail = {}
    const decided = await this.#decide(bytes, snapshot, trail, signal)
    const event = describeDecision(decided, trail, snapshot, {
      id,
      generation,
      duration: Math.round((clock.monotonic() - started) * 1_000),
    })
    const decision = await this.#audit(event, decided, trail)
    const answer = encodeCheckResponse(respond(id, decision, trail, clock.now()))
    this.#observer.decided(decision, trail, clock.monotonic() - started)
    return answer
  }

  /** For a failure in this file itself: still a refusal, still with an id to look for in the log. */
  lastResort(cause: unknown): Uint8Array {
    const id = randomUUID()
    this.#options.logger.error({ err: cause, decision: id }, 'check failed outside the pipeline')
    this.#observer.decided(FAULT, {}, 0)
    return encodeCheckResponse(respond(id, FAULT, {}, this.#options.clock.now()))
  }

  async #decide(
    bytes: Buffer,
    snapshot: Snapshot,
    trail: Trail,
    signal: AbortSignal,
  ): Promise<Decision> {
    try {
      const decision = await check(decodeCheckRequest(bytes), snapshot, trail, signal)
      if (decision.outcome === 'deny' && decision.cause !== undefined) {
        const { reason, cause } = decision
        const { authenticator, route } = trail
        this.#options.logger.warn(
          { ...causeFields(cause), reason, authenticator, route: route?.name },
          'check refused',
        )
      }
      return decision
    } catch (cause) {
      if (signal.reason instanceof DeadlineNear) {
        const { authenticator, route } = trail
        this.#options.logger.warn({ authenticator, route: route?.name }, 'check took too long')
        return { outcome: 'deny', reason: 'too-slow' }
      }
      if (signal.aborted) return { outcome: 'deny', reason: 'cancelled' }
      this.#options.logger.error({ err: cause, route: trail.route?.name }, 'check failed')
      return { outcome: 'deny', reason: 'fault' }
    }
  }

  /** Writes the event. What could not be written is refused, unless the route says otherwise. */
  async #audit(event: DecisionEvent, decision: Decision, trail: Trail): Promise<Decision> {
    try {
      await this.#options.audit.write(event)
      return decision
    } catch (cause) {
      const { route } = trail
      this.#options.logger.error({ err: cause, decision: event.id }, 'audit event lost')
      if (decision.outcome === 'deny' || route?.onAuditFailure === 'allow') return decision
      return { outcome: 'deny', reason: 'audit-unavailable' }
    }
  }
}
