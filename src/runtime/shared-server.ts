// A server that is called about untrusted credentials. Each caller has a budget and waits in a fair queue; a subject
// that was good before has places of its own; equal questions are one request; and only failures that concern the
// server itself open its circuit breaker.

import { LRUCache } from 'lru-cache'
import { AdaptiveRate } from './adaptive-rate.ts'
import type { Clock } from './clock.ts'
import { countedSource } from './counted-source.ts'
import { CountersignError, describeError, RateLimited } from './errors.ts'
import { FairLimiter } from './fair-limiter.ts'
import type { Logger } from './logger.ts'
import { UNMEASURED, type ServerDurations } from './request-durations.ts'
import { ServerCircuit, type CircuitCaller, type CircuitChange } from './server-circuit.ts'
import { evidenceOf, isOfSubject, ServerBusy } from './server-failure.ts'
import { SourceBudgets } from './source-budgets.ts'

/** Limits on questions to a server, and deadlines. Times in milliseconds. */
export interface SharedServerLimits {
  /** For one answer, with all requests that it needs first; and for the wait for a place. */
  readonly timeout: number
  /** So many failures that concern the server open the circuit. */
  readonly failureThreshold: number
  /** For so long. */
  readonly coolDown: number
  /** How many questions are open at a time. */
  readonly concurrency: number
  /** What one caller may cause. Absent where no question is on behalf of a caller. */
  readonly perCaller?: {
    /** How many questions are open or wait. */
    readonly concurrency: number
    /** How many questions a second, and as many at once. */
    readonly perSecond: number
  }
}

/** The caller and the subject of a question. */
export interface Asker {
  /** Identifies the subject of the question: a keyed hash of a credential, say. */
  readonly subject: string
  /** Whose budget it is: a source address, or a user. */
  readonly caller: string
}

/** What a question came to, where there was an answer. */
export interface Answered<T> {
  readonly answer: T
  /** Whether the credential of the question is valid. Its next questions then have the reserved places. */
  readonly isGood: boolean
}

/** Why a question was refused without a request. */
export type QuestionRefusal =
  | 'rate-limited' // the caller has used up its budget
  | 'cached' // there was no answer about the same a moment ago
  | 'circuit-open' // the server failed
  | 'overloaded' // too many wait, or for too long

/** What a {@link SharedServer} needs. */
export interface SharedServerOptions {
  /** What it is, for messages and the log. */
  readonly name: string
  readonly limits: SharedServerLimits
  /** Whether places are kept for subjects that were good before. Default: true. */
  readonly keepsPlaces?: boolean
  /** Measures its requests. Default: not published. */
  readonly durations?: ServerDurations | undefined
  readonly clock: Clock
  readonly logger: Logger
}

// Of `concurrency`: for credentials that were good before.
const RESERVED_SHARE = 1 / 4
// Those credentials; some 2 MB when full. One that is pushed out is a stranger's again.
const MAX_GOOD = 10_000
const GOOD_FOR_MS = 3_600_000
// Failures of single credentials. The time for which one is remembered begins small, for short disturbances, and
// doubles up to the cool-down of the circuit.
const MAX_FAILURES = 10_000
const FIRST_PAUSE_MS = 1_000
// Each waits for at most `timeout`, so more could not be answered by most servers.
const WAITING_PER_PLACE = 4

interface RememberedFailure {
  readonly failure: unknown
  readonly pause: number
  /** By the monotonic clock. */
  readonly until: number
}

type Work<T> = (signal: AbortSignal) => Promise<Answered<T>>

/** Calls one server; see the head of this file. */
export class SharedServer {
  readonly #options: SharedServerOptions
  readonly #budgets: SourceBudgets | undefined
  readonly #rate: AdaptiveRate
  readonly #limiter: FairLimiter
  readonly #circuit: ServerCircuit
  // Until when, by the monotonic clock.
  readonly #good = new LRUCache<string, number>({ max: MAX_GOOD })
  readonly #failures = new LRUCache<string, RememberedFailure>({ max: MAX_FAILURES })
  readonly #refusals = new Map<QuestionRefusal, number>()
  #wasLimited = false
  // How many had been refused when the circuit opened, for the log.
  #leftAloneBefore = 0

  constructor(options: SharedServerOptions) {
    const { name, limits, keepsPlaces = true, clock } = options
    const { perCaller, concurrency, failureThreshold, coolDown } = limits
    this.#options = options
    this.#budgets =
      perCaller &&
      new SourceBudgets({
        burst: perCaller.perSecond,
        perSecond: perCaller.perSecond,
        outstanding: perCaller.concurrency,
        clock,
      })
    this.#rate = new AdaptiveRate(clock)
    this.#limiter = new FairLimiter({
      name: `questions to ${name}`,
      concurrency,
      reserved: keepsPlaces ? Math.floor(concurrency * RESERVED_SHARE) : 0,
      waiting: concurrency * WAITING_PER_PLACE,
      pace: this.#rate,
    })
    this.#circuit = new ServerCircuit({
      failures: failureThreshold,
      coolDown,
      clock,
      report: (change) => this.#report(change),
    })
  }

  /** Whether requests are sent to it; false while its circuit breaker is open. */
  get isUp(): boolean {
    return !this.#circuit.isOpen
  }

  /** How many questions were refused without a request, by the reason. */
  get refusals(): ReadonlyMap<QuestionRefusal, number> {
    return this.#refusals
  }

  /** Whether the subject was good recently. */
  wasGood({ subject }: Asker): boolean {
    return this.#options.clock.monotonic() < (this.#good.get(subject) ?? 0)
  }

  /**
   * Asks a question.
   *
   * @param asker absent for a question that no caller caused
   * @param work sends the request and reads the answer. A `ServerFailure` tells what it means for the server;
   *   of other errors that is found out here
   * @throws RateLimited where the caller has used up its budget; else an Error with a message for operators
   */
  async ask<T>(asker: Asker | undefined, work: Work<T>): Promise<T> {
    const wasGood = asker !== undefined && this.wasGood(asker)
    const known = asker && this.#failures.get(asker.subject)
    if (known !== undefined && this.#options.clock.monotonic() < known.until) {
      this.#count('cached')
      throw known.failure
    }
    const caller = {
      subject: asker?.subject,
      caller: asker && countedSource(asker.caller),
      wasGood,
    }
    if (this.#circuit.refuses(caller)) throw this.#leftAlone()
    const budget = asker === undefined || wasGood ? undefined : this.#begin(asker)
    try {
      const { answer, isGood } = await this.#askInTime(caller, work)
      if (asker !== undefined && isGood) {
        this.#failures.delete(asker.subject)
        this.#good.set(asker.subject, this.#options.clock.monotonic() + GOOD_FOR_MS)
        budget?.giveBack()
      } else if (wasGood) {
        this.#good.delete(asker.subject)
      }
      return answer
    } catch (cause) {
      if (asker !== undefined && isOfSubject(cause)) {
        this.#remember(asker, cause)
      }
      throw cause
    } finally {
      budget?.end()
    }
  }

  #remember({ subject }: Asker, failure: unknown): void {
    const { limits, clock } = this.#options
    const before = this.#failures.get(subject)
    const pause = Math.min(
      limits.coolDown,
      before === undefined ? FIRST_PAUSE_MS : before.pause * 2,
    )
    this.#failures.set(subject, { failure, pause, until: clock.monotonic() + pause })
  }

  #begin({ caller }: Asker): ReturnType<SourceBudgets['begin']> {
    const budgets = this.#budgets
    if (budgets === undefined) return undefined
    const admitted = budgets.begin(caller)
    if (admitted !== undefined) return admitted
    this.#count('rate-limited')
    const wait = Math.max(1, Math.ceil(budgets.waitOf(caller) / 1_000))
    throw new RateLimited(`one caller asks ${this.#options.name} too much`, wait)
  }

  /** Runs the work, and once more if the server answered 429. */
  async #askInTime<T>(caller: CircuitCaller, work: Work<T>): Promise<Answered<T>> {
    const patience = AbortSignal.timeout(this.#options.limits.timeout)
    try {
      return await this.#askInTurn(caller, patience, work)
    } catch (cause) {
      if (!(cause instanceof ServerBusy) || patience.aborted) throw cause
      return await this.#askInTurn(caller, patience, work)
    }
  }

  async #askInTurn<T>(
    caller: CircuitCaller,
    patience: AbortSignal,
    work: Work<T>,
  ): Promise<Answered<T>> {
    const { name } = this.#options
    let hasBegun = false
    const lane = caller.wasGood || caller.subject === undefined ? 'preferred' : 'ordinary'
    const run = async (): Promise<Answered<T>> => {
      hasBegun = true
      return await this.#askNow(caller, work)
    }
    try {
      return await this.#limiter.run(caller.caller ?? '', patience, run, lane)
    } catch (cause) {
      if (hasBegun) throw cause
      this.#count('overloaded')
      if (cause instanceof CountersignError) throw cause
      throw new CountersignError('overloaded', `no turn at ${name} in time`, { cause })
    }
  }

  async #askNow<T>(caller: CircuitCaller, work: Work<T>): Promise<Answered<T>> {
    // Questions of other callers may have failed meanwhile.
    const pass = this.#circuit.pass(caller)
    if (pass === undefined) throw this.#leftAlone()
    const { durations = UNMEASURED, limits } = this.#options
    const signal = AbortSignal.timeout(limits.timeout)
    try {
      const answered = await durations.measure('', () => work(signal))
      pass.end('answered')
      return answered
    } catch (cause) {
      if (cause instanceof ServerBusy) {
        this.#rate.refused(caller.subject ?? '', cause.retryAfter)
      }
      pass.end(evidenceOf(cause, signal), cause)
      throw cause
    } finally {
      this.#noteSpeed()
    }
  }

  #leftAlone(): CountersignError {
    this.#count('circuit-open')
    const message = `${this.#options.name} failed; its circuit breaker is open`
    return new CountersignError('unavailable', message)
  }

  #count(reason: QuestionRefusal): void {
    this.#refusals.set(reason, (this.#refusals.get(reason) ?? 0) + 1)
  }

  /** Logs when the server begins to answer 429, and when it no longer does. */
  #noteSpeed(): void {
    const { isLimited } = this.#rate
    if (isLimited === this.#wasLimited) return
    this.#wasLimited = isLimited
    const { name, logger } = this.#options
    if (isLimited)
      logger.warn({ server: name }, 'server limits the request rate: requests are sent more slowly')
    else logger.info({ server: name }, 'server no longer limits the request rate')
  }

  #report(change: CircuitChange): void {
    const { name, logger } = this.#options
    if (change.state === 'closed') {
      const refused = (this.#refusals.get('circuit-open') ?? 0) - this.#leftAloneBefore
      logger.info({ server: name, refused }, 'server recovered: circuit closed')
      return
    }
    this.#leftAloneBefore = this.#refusals.get('circuit-open') ?? 0
    const { failures, failure } = change
    const reason = describeError(failure)
    logger.warn({ server: name, failures, reason }, 'server failed: circuit opened')
  }
}
