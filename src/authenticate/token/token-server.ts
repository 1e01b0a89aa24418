// A server that alone can judge a token, or say who may do what, asked over HTTPS. It is asked no more
// than it can bear, left alone while it is down, and whatever is no plain answer means that we could
// not find out.

import { CircuitBreaker } from '../../runtime/circuit-breaker.ts'
import type { Clock } from '../../runtime/clock.ts'
import { CountersignError, describeError } from '../../runtime/errors.ts'
import type { HttpFetch, HttpResponse } from '../../runtime/http-fetch.ts'
import type { JsonObject } from '../../runtime/json-object.ts'
import type { Logger } from '../../runtime/logger.ts'
import { readJsonObject } from './strict-json.ts'

/** How much a server is asked, and how long it is waited for. */
export interface TokenServerLimits {
  /** For one answer, in milliseconds, with all that has to be asked before. */
  readonly timeout: number
  /** So many failures in a row, and it is left alone. */
  readonly failures: number
  /** For so long, in milliseconds. */
  readonly coolDown: number
  /** How many questions may be open; further ones fail at once. */
  readonly concurrency: number
}

/** What a {@link TokenServer} needs. */
export interface TokenServerOptions {
  /** What it is, for messages and the log. */
  readonly name: string
  readonly fetch: HttpFetch
  readonly limits: TokenServerLimits
  /** What an operator can do when it refuses our own credentials. */
  readonly remedy: string
  /** Told when it does not know our own credentials. */
  readonly onUnknown?: () => void
  /** The longest answer that is taken. Default: 64 KiB. */
  readonly maxBytes?: number
  readonly clock: Clock
  readonly logger: Logger
}

/** What is asked: a POST. */
export interface Question {
  readonly url: URL
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

// An identity with some hundreds of groups. Each answer may be remembered, so this bounds memory too.
const MAX_BYTES = 65_536

const UNAUTHORIZED = 401
// RFC 9110 §15.5.2, §15.5.4: it did not even look at the token, because of who asked.
const REFUSED: ReadonlySet<number> = new Set([UNAUTHORIZED, 403])
// It, or what is before it, says that it cannot serve anybody now. Not 500: that may be because of
// this one token, and who shows it must not take the server away from everybody else.
const OUT_OF_ORDER: ReadonlySet<number> = new Set([429, 502, 503, 504])
const OK: ReadonlySet<number> = new Set([200, 201])

/** One server; see the head of this file. */
export class TokenServer {
  readonly #options: TokenServerOptions
  readonly #circuit: CircuitBreaker
  #open = 0

  constructor(options: TokenServerOptions) {
    const { name, limits, clock, logger } = options
    this.#options = options
    this.#circuit = new CircuitBreaker({
      name,
      failures: limits.failures,
      coolDown: limits.coolDown,
      clock,
      report: (failure) => {
        if (failure === undefined) logger.info({ server: name }, 'server answers again')
        else {
          const reason = describeError(failure)
          logger.warn({ server: name, reason }, 'server failed and is left alone for a while')
        }
      },
    })
  }

  /** Whether it is asked; false while it is left alone. */
  get isUp(): boolean {
    return !this.#circuit.isOpen
  }

  /**
   * Asks, and gives the object that was answered.
   *
   * @param prepare makes the question, within the same time limit
   * @throws Error with a message for operators, which holds nothing of the question
   */
  async ask(prepare: (signal: AbortSignal) => Promise<Question>): Promise<JsonObject> {
    const { name, limits } = this.#options
    if (this.#open >= limits.concurrency) {
      throw new CountersignError('overloaded', `${name} has ${this.#open} questions open already`)
    }
    this.#open += 1
    try {
      const { status, body } = await this.#circuit.run(() => this.#post(prepare))
      if (!OK.has(status)) throw new Error(`${name} answered ${status}`)
      const document = readJsonObject(body)
      if (document === undefined) throw new Error(`${name} sent no JSON object`)
      return document
    } finally {
      this.#open -= 1
    }
  }

  /** Rejects when nobody would get an answer now. */
  async #post(prepare: (signal: AbortSignal) => Promise<Question>): Promise<HttpResponse> {
    const { name, fetch, limits, remedy, onUnknown, maxBytes = MAX_BYTES } = this.#options
    const signal = AbortSignal.timeout(limits.timeout)
    const { url, headers, body } = await prepare(signal)
    // To be asked twice changes nothing.
    const request = {
      method: 'POST',
      headers,
      body,
      maxBytes,
      repeatable: true,
    } as const
    const response = await fetch(url, request, signal)
    const { status } = response
    if (status === UNAUTHORIZED) onUnknown?.()
    if (REFUSED.has(status)) {
      throw new Error(`${name} refuses our own credentials (${status}): ${remedy}`)
    }
    if (OUT_OF_ORDER.has(status)) throw new Error(`${name} answered ${status}`)
    return response
  }
}
