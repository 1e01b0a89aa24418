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
interface Question {
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

/** What an endpoint of OAuth said. */
export type OAuthAnswer =
  | { readonly outcome: 'answered'; readonly document: JsonObject }
  /** No, for a reason that lies in this question (RFC 6749 §5.2): neither it nor we are at fault. */
  | {
      readonly outcome: 'refused'
      /** The code; absent where what stands there might be anything, a token too. */
      readonly error?: string
    }

// RFC 6749 §5.2; RFC 8693 §2.2.2 has 400 alone, and real servers say 403 of what is not allowed.
const REFUSING: ReadonlySet<number> = new Set([400, 401, 403])
// About the one who asks, whatever it asks.
const ABOUT_US: ReadonlySet<string> = new Set([
  'invalid_client',
  'unauthorized_client',
  'unsupported_grant_type',
])
// RFC 6749 §4.1.2.1, also seen here. `server_error` may be because of this one token, as a 500.
const OVERLOADED = 'temporarily_unavailable'
const FAILED = 'server_error'
// Narrower than RFC 6749 §5.2 has it, and as every code is that IANA lists: nothing that a token or a
// secret looks like, since the code goes to audit.
const ERROR_CODE = /^[a-z_]{1,64}$/

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
  async ask(prepare: Prepare): Promise<JsonObject> {
    const response = await this.#ask(prepare, (answered) => {
      this.#refuseFailure(answered)
      return answered
    })
    return this.#documentIn(response)
  }

  /**
   * Asks an endpoint of OAuth, whose refusal is an answer.
   *
   * @param prepare makes the question, within the same time limit
   * @throws Error with a message for operators, which holds nothing of the question; also when it
   *   refuses our own client, whatever it is asked
   */
  async askFor(prepare: Prepare): Promise<OAuthAnswer> {
    const { name } = this.#options
    const { response, refusal } = await this.#ask(prepare, (answered) => {
      const found = refusalIn(answered)
      if (found === undefined) this.#refuseFailure(answered)
      else this.#refuseOurFault(found.error, answered.status)
      return { response: answered, refusal: found }
    })
    if (refusal === undefined) return { outcome: 'answered', document: this.#documentIn(response) }
    if (refusal.error === FAILED) throw new Error(`${name} answered ${response.status} (${FAILED})`)
    return { outcome: 'refused', ...refusal }
  }

  /** @param judge throws for a server that serves nobody now, or not us */
  async #ask<T>(prepare: Prepare, judge: (response: HttpResponse) => T): Promise<T> {
    const { name, limits } = this.#options
    if (this.#open >= limits.concurrency) {
      throw new CountersignError('overloaded', `${name} has ${this.#open} questions open already`)
    }
    this.#open += 1
    try {
      return await this.#circuit.run(async () => judge(await this.#post(prepare)))
    } finally {
      this.#open -= 1
    }
  }

  /** Rejects when nobody would get an answer now. */
  async #post(prepare: Prepare): Promise<HttpResponse> {
    const { fetch, limits, maxBytes = MAX_BYTES } = this.#options
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
    return await fetch(url, request, signal)
  }

  #refuseFailure({ status }: HttpResponse): void {
    const { name, remedy, onUnknown } = this.#options
    if (status === UNAUTHORIZED) onUnknown?.()
    if (REFUSED.has(status)) {
      throw new Error(`${name} refuses our own credentials (${status}): ${remedy}`)
    }
    if (OUT_OF_ORDER.has(status)) throw new Error(`${name} answered ${status}`)
  }

  #refuseOurFault(error: string | undefined, status: number): void {
    const { name, remedy } = this.#options
    if (error === OVERLOADED) throw new Error(`${name} answered ${status} (${error})`)
    if (error !== undefined && ABOUT_US.has(error)) {
      throw new Error(`${name} refuses our own client (${error}): ${remedy}`)
    }
  }

  #documentIn({ status, body }: HttpResponse): JsonObject {
    const { name } = this.#options
    if (!OK.has(status)) throw new Error(`${name} answered ${status}`)
    const document = readJsonObject(body)
    if (document === undefined) throw new Error(`${name} sent no JSON object`)
    return document
  }
}

type Prepare = (signal: AbortSignal) => Promise<Question>

/** The refusal that a response is; `undefined` where it is none. */
const refusalIn = ({
  status,
  body,
}: HttpResponse): Omit<Extract<OAuthAnswer, { outcome: 'refused' }>, 'outcome'> | undefined => {
  const error = REFUSING.has(status) ? readJsonObject(body)?.['error'] : undefined
  if (typeof error !== 'string') return undefined
  return ERROR_CODE.test(error) ? { error } : {}
}
