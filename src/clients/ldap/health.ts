// The circuit breaker of one directory server: which failures concern the server, and which only one user.

import { CircuitBreaker, type CircuitState } from '../../runtime/circuit-breaker.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { DirectoryError } from './failure.ts'

// A search can be slow, or its answer broken, because of its user. So failures of this many users count as one of
// the server, where it has answered no other search meanwhile.
const USERS_WITHOUT_ANSWER = 3
// Each bind with a refused password brings the service account closer to a lock-out.
const PAUSE_AFTER_REFUSAL = 60_000

/** The work during which a server failed. */
export interface FailedWork {
  readonly user: string
  /** When it began, by the monotonic clock. */
  readonly began: number
}

/** Called when the circuit opens, with the failure; and when it closes, without one. */
export type HealthListener = (failure: DirectoryError | undefined) => void

/** The state of one server. */
export class ServerHealth {
  readonly #clock: Clock
  readonly #listener: HealthListener
  readonly #circuit: CircuitBreaker<DirectoryError>
  readonly #withoutAnswer = new Set<string>()
  #answeredAt = Number.NEGATIVE_INFINITY

  /** @param coolDown how long the circuit stays open, in milliseconds */
  constructor(coolDown: number, clock: Clock, listener: HealthListener) {
    this.#clock = clock
    this.#listener = listener
    this.#circuit = new CircuitBreaker({
      failures: 1,
      pause: ({ failure }) =>
        failure === 'service-refused' ? Math.max(coolDown, PAUSE_AFTER_REFUSAL) : coolDown,
      clock,
    })
  }

  /** The failure for which the circuit opened last. */
  get last(): DirectoryError | undefined {
    return this.#circuit.failure
  }

  get state(): CircuitState {
    return this.#circuit.state
  }

  beginTrial(): void {
    this.#circuit.beginTrial()
  }

  abandonTrial(): void {
    this.#circuit.abandonTrial()
  }

  succeeded(): void {
    this.#withoutAnswer.clear()
    this.#answeredAt = this.#clock.monotonic()
    if (this.#circuit.succeeded()) this.#listener(undefined)
  }

  /** @param work absent where the server failed without a user */
  failed(cause: DirectoryError, work?: FailedWork): void {
    const isOpen = this.#circuit.state !== 'closed'
    if (!cause.conclusive && work !== undefined) {
      // It answers other users; or the failure of one user alone does not concern the server.
      if (isOpen) return this.#circuit.abandonTrial()
      if (this.#answeredAt > work.began) return
      this.#withoutAnswer.add(work.user)
      if (this.#withoutAnswer.size < USERS_WITHOUT_ANSWER) return
    }
    if (this.#circuit.failed(cause, isOpen)) this.#listener(cause)
  }
}
