// One RADIUS server with its circuit breaker.

import { CircuitBreaker, type CircuitState } from '../../runtime/circuit-breaker.ts'
import type { Clock } from '../../runtime/clock.ts'
import { describeError } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import { UNMEASURED, type ServerDurations } from '../../runtime/request-durations.ts'
import type { Packet, PacketFault, RequestContent } from './packet.ts'
import { isUnsigned, RadiusFailure } from './failure.ts'
import { ConnectionPool, type PoolOptions, type RequestBudget } from './pool.ts'

/** What a server needs. */
export interface ServerOptions extends Omit<PoolOptions, 'onFault'> {
  /** For messages: `host:port`. */
  readonly name: string
  /** How often a request is sent again. */
  readonly retries: number
  /** Milliseconds at most between trials of a server that is down. */
  readonly coolDown: number
  /** Measures the requests. Default: not published. */
  readonly durations?: ServerDurations | undefined
  readonly logger: Logger
}

// So few that a dead server costs little, so many that one lost packet does not make it dead.
const FAILURES = 3
const FIRST_PAUSE = 500

const NEVER = new AbortController().signal

/** One server. */
export class Server {
  readonly name: string
  readonly #options: ServerOptions
  readonly #pool: ConnectionPool
  readonly #circuit: CircuitBreaker<RadiusFailure>
  readonly #clock: Clock
  readonly #faults = new Map<PacketFault, number>()
  #failure: RadiusFailure | undefined

  constructor(options: ServerOptions) {
    this.name = options.name
    this.#options = options
    this.#clock = options.clock
    const { coolDown, clock } = options
    this.#circuit = new CircuitBreaker({
      failures: FAILURES,
      pause: (_, failedTrials) => Math.min(FIRST_PAUSE * 2 ** failedTrials, coolDown),
      clock,
    })
    this.#pool = new ConnectionPool({ ...options, onFault: (fault) => this.#count(fault) })
  }

  get state(): CircuitState {
    return this.#circuit.state
  }

  /** Whether a trial needs no user's request: Status-Server is enabled. */
  get hasProbe(): boolean {
    return this.#options.status !== undefined
  }

  /** Why it was last given up. */
  get failure(): RadiusFailure | undefined {
    return this.#failure
  }

  /**
   * Sends a request and waits for the reply.
   *
   * @throws RadiusFailure; the signal's reason when it aborts
   */
  async ask(content: RequestContent, budget: Omit<RequestBudget, 'retries'>): Promise<Packet> {
    return await this.#measured('access-request', content, {
      ...budget,
      retries: this.#options.retries,
    })
  }

  /** Tries the server with Status-Server (RFC 5997), once at a time. */
  async probe(): Promise<boolean> {
    const { status, interval } = this.#options
    if (status === undefined) return false
    try {
      // RFC 5997: never sent again, only anew.
      await this.#measured('status-server', status, {
        limit: interval,
        retries: 0,
        last: false,
        signal: NEVER,
      })
      return true
    } catch {
      return false // known by its state
    }
  }

  close(): void {
    this.#pool.close()
  }

  async #measured(
    operation: string,
    content: RequestContent,
    budget: RequestBudget,
  ): Promise<Packet> {
    const { durations = UNMEASURED } = this.#options
    return await durations.measure(operation, () => this.#exchange(content, budget), budget)
  }

  async #exchange(content: RequestContent, budget: RequestBudget): Promise<Packet> {
    const trial = this.state === 'due'
    if (trial) this.#circuit.beginTrial()
    const began = this.#clock.monotonic()
    try {
      const reply = await this.#pool.exchange(content, budget)
      this.#answered()
      return reply
    } catch (cause) {
      throw this.#blame(cause, began, trial)
    }
  }

  #answered(): void {
    if (!this.#circuit.succeeded()) return
    this.#faults.clear()
    this.#options.logger.info({ server: this.name }, 'RADIUS server recovered: circuit closed')
  }

  /** Counts a failure against the server, if it was the server's; gives it the server's name. */
  #blame(cause: unknown, began: number, trial: boolean): unknown {
    const waited = this.#clock.monotonic() - began
    const failure = failureOf(cause, this.name, waited)
    // The server answers other requests, so its silence concerns this one. An attacker who can craft such requests
    // must not be able to take the server out of use.
    const alive = this.#pool.heardSince(began)
    if (isUnsigned(cause)) {
      // The server answers, and knows the secret.
      this.#answered()
    } else if (alive || !isEvidence(cause, waited, this.#options.interval)) {
      if (trial) this.#circuit.abandonTrial()
    } else {
      this.#failure = failure
      if (this.#circuit.failed(failure, trial)) this.#giveUp(failure)
    }
    return cause instanceof RadiusFailure ? failure : cause
  }

  #giveUp(failure: RadiusFailure): void {
    this.#pool.renew()
    this.#options.logger.warn(
      { server: this.name, reason: failure.reason, err: describeError(failure) },
      'RADIUS server failed: circuit opened',
    )
  }

  /** Replies are discarded silently (RFC 2865 §3) but not secretly: each doubling is a line. */
  #count(fault: PacketFault): void {
    const count = (this.#faults.get(fault) ?? 0) + 1
    this.#faults.set(fault, count)
    if ((count & (count - 1)) !== 0) return
    const fields = { server: this.name, fault, count }
    // Ordinary after a retransmission.
    if (fault === 'identifier-unexpected') this.#options.logger.debug(fields, DISCARDED)
    else this.#options.logger.warn(fields, DISCARDED)
  }
}

const failureOf = (cause: unknown, name: string, waited: number): RadiusFailure =>
  cause instanceof RadiusFailure
    ? new RadiusFailure(cause.reason, `${name}: ${cause.message}`, { cause })
    : new RadiusFailure('unanswered', `${name}: no reply within ${Math.round(waited)} ms`)

/** Whether a failure concerns the server. */
const isEvidence = (cause: unknown, waited: number, interval: number): boolean => {
  // A caller who left before a second transmission could be answered shows nothing about the server.
  if (!(cause instanceof RadiusFailure)) return waited >= 2 * interval
  if (cause.reason === 'overloaded') return false
  // Nor has one who had no time left to begin with.
  return cause.reason !== 'unanswered' || waited >= interval / 2
}

const DISCARDED = 'radius reply discarded'
