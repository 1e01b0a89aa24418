// A circuit breaker for one server: after failures in a row it is not queried, so that requests lose no time and
// the server can recover. Then one trial finds out whether it has.
//
// A server whose questions clients choose has a circuit of its own (server-circuit.ts): there a failure can be due
// to the question, and trials must not be used up by one client.

import type { Clock } from './clock.ts'

/** `closed`: query it. `open`: do not query it. `due`: one trial may find out whether it is back. */
export type CircuitState = 'closed' | 'open' | 'due'

/** When a circuit opens, and for how long. */
export interface CircuitOptions<Failure> {
  /** So many failures in a row open it. */
  readonly failures: number
  /**
   * How long it stays open, in milliseconds.
   *
   * @param failedTrials how many trials have failed since it opened
   */
  readonly pause: (failure: Failure, failedTrials: number) => number
  readonly clock: Clock
}

/** The circuit of one server. */
export class CircuitBreaker<Failure> {
  readonly #options: CircuitOptions<Failure>
  #failures = 0
  #failure: Failure | undefined
  #open: { readonly until: number; readonly failedTrials: number } | undefined
  #onTrial = false

  constructor(options: CircuitOptions<Failure>) {
    this.#options = options
  }

  get state(): CircuitState {
    if (this.#open === undefined) return 'closed'
    return this.#onTrial || this.#options.clock.monotonic() < this.#open.until ? 'open' : 'due'
  }

  /** The failure for which it opened last. */
  get failure(): Failure | undefined {
    return this.#failure
  }

  /** Begins the trial that is due. It ends by one of the next three. */
  beginTrial(): void {
    this.#onTrial = true
  }

  /** The trial ended without a result. */
  abandonTrial(): void {
    this.#onTrial = false
  }

  /** The server answered. Returns whether the circuit was open. */
  succeeded(): boolean {
    const wasOpen = this.#open !== undefined
    this.#failures = 0
    this.#open = undefined
    this.#onTrial = false
    return wasOpen
  }

  /**
   * The server failed. Returns whether that opened the circuit.
   *
   * @param isTrial whether this was the trial: other requests that began before the circuit opened change nothing
   */
  failed(failure: Failure, isTrial: boolean): boolean {
    const open = this.#open
    if (open !== undefined) {
      if (isTrial) this.#openFor(failure, open.failedTrials + 1)
      return false
    }
    this.#failures += 1
    if (this.#failures < this.#options.failures) return false
    this.#openFor(failure, 0)
    return true
  }

  /**
   * Runs work that queries the server; a rejection is a failure.
   *
   * @param refusal the error that is thrown at once while the circuit is open
   */
  async run<T>(
    this: CircuitBreaker<unknown>,
    work: () => Promise<T>,
    refusal: () => Error,
  ): Promise<T> {
    const { state } = this
    if (state === 'open') throw refusal()
    const isTrial = state === 'due'
    if (isTrial) this.beginTrial()
    try {
      const result = await work()
      this.succeeded()
      return result
    } catch (cause) {
      this.failed(cause, isTrial)
      throw cause
    }
  }

  #openFor(failure: Failure, failedTrials: number): void {
    const { pause, clock } = this.#options
    this.#failure = failure
    this.#open = { until: clock.monotonic() + pause(failure, failedTrials), failedTrials }
    this.#onTrial = false
  }
}
