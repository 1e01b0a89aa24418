// A server that judges a token or an access, called over HTTPS. An answer that is not understood means that the
// question is undecided. The limits on requests: runtime/shared-server.ts.

import type { HttpFetch, HttpResponse } from '../../runtime/http/fetch.ts'
import type { JsonObject } from '../../runtime/json-object.ts'
import { ServerBusy, ServerFailure, ServerRefusesUs } from '../../runtime/server-failure.ts'
import {
  SharedServer,
  type Asker,
  type QuestionRefusal,
  type SharedServerOptions,
} from '../../runtime/shared-server.ts'
import { readJsonObject } from '../../runtime/strict-json.ts'

/** What a {@link TokenServer} needs. */
export interface TokenServerOptions extends SharedServerOptions {
  readonly fetch: HttpFetch
  /** What an operator can do when the server refuses the credentials of authz. */
  readonly remedy: string
  /** Called when the server does not know the credentials of authz. */
  readonly onUnknown?: () => void
  /** The longest answer that is taken. Default: 64 KiB. */
  readonly maxBytes?: number
  /** Whether an answer means that the credential is valid; other requirements may still fail. Default: every answer. */
  readonly isGood?: (document: JsonObject) => boolean
}

/** A POST request. */
interface Question {
  readonly url: URL
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

// An identity with some hundreds of groups. Each answer may be remembered, so this bounds memory too.
const MAX_BYTES = 65_536

const UNAUTHORIZED = 401
// RFC 9110 §15.5.2, §15.5.4: it refuses the client and has not looked at the token.
const REFUSED: ReadonlySet<number> = new Set([UNAUTHORIZED, 403])
const TOO_MANY_REQUESTS = 429 // RFC 6585 §4
// The server, or a proxy in front of it, cannot serve any request now. Not 500: this one token may have caused it, and
// its sender must not take the server out of use for other callers.
const OUT_OF_ORDER: ReadonlySet<number> = new Set([502, 503, 504])
const OK: ReadonlySet<number> = new Set([200, 201])

/** The answer of an OAuth endpoint. */
export type OAuthAnswer =
  | { readonly outcome: 'answered'; readonly document: JsonObject }
  /** An error response for this request (RFC 6749 §5.2); neither the server nor the configuration is at fault. */
  | {
      readonly outcome: 'refused'
      /** The code; absent where the value could contain anything, a token too. */
      readonly error?: string
    }

// RFC 6749 §5.2; RFC 8693 §2.2.2 has 400 alone, and real servers answer 403 if a request is not allowed.
const REFUSING: ReadonlySet<number> = new Set([400, 401, 403])
// Errors about the client, whatever the request.
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
  readonly #shared: SharedServer

  constructor(options: TokenServerOptions) {
    this.#options = options
    this.#shared = new SharedServer(options)
  }

  /** Whether requests are sent to it; false while the circuit breaker is open. */
  get isUp(): boolean {
    return this.#shared.isUp
  }

  /** How many requests were not sent, by the reason. */
  get refusals(): ReadonlyMap<QuestionRefusal, number> {
    return this.#shared.refusals
  }

  /**
   * Asks, and reads the object that was answered.
   *
   * @param asker whose question it is; absent for one of our own
   * @param prepare makes the question, within the same time limit
   * @param read throws for an invalid answer, which is remembered for this subject
   * @throws RateLimited where the caller asks too much; else an Error with a message for operators, which
   *   contains nothing of the question
   */
  async ask<T>(
    asker: Asker | undefined,
    prepare: Prepare,
    read: (document: JsonObject) => T,
  ): Promise<T> {
    return await this.#shared.ask(asker, async (signal) => {
      const response = await this.#post(prepare, signal)
      this.#refuseFailure(response, asker)
      const document = this.#documentIn(response)
      return { answer: read(document), isGood: this.#options.isGood?.(document) ?? true }
    })
  }

  /**
   * Asks an endpoint of OAuth, whose refusal is an answer.
   *
   * @param asker whose question it is; absent for one of our own
   * @param prepare makes the question, within the same time limit
   * @throws RateLimited where the caller asks too much; else an Error with a message for operators, which
   *   contains nothing of the request; also when the server refuses the credentials of authz
   */
  async askFor(asker: Asker | undefined, prepare: Prepare): Promise<OAuthAnswer> {
    return await this.#shared.ask<OAuthAnswer>(asker, async (signal) => {
      const response = await this.#post(prepare, signal)
      const refusal = refusalIn(response)
      if (refusal === undefined) {
        this.#refuseFailure(response, asker)
        const document = this.#documentIn(response)
        return { answer: { outcome: 'answered', document }, isGood: true }
      }
      this.#refuseOurFault(refusal.error, response.status, asker)
      return { answer: { outcome: 'refused', ...refusal }, isGood: false }
    })
  }

  async #post(prepare: Prepare, signal: AbortSignal): Promise<HttpResponse> {
    const { fetch, maxBytes = MAX_BYTES, name } = this.#options
    const { url, headers, body } = await prepare(signal)
    // The request is idempotent.
    const request = {
      method: 'POST',
      headers,
      body,
      maxBytes,
      repeatable: true,
    } as const
    const response = await fetch(url, request, signal)
    if (response.status !== TOO_MANY_REQUESTS) return response
    const retryAfter = retryAfterOf(response)
    throw new ServerBusy(`${name} answered ${response.status}`, retryAfter)
  }

  #refuseFailure({ status }: HttpResponse, asker: Asker | undefined): void {
    const { name, remedy, onUnknown } = this.#options
    if (REFUSED.has(status)) {
      const message = `${name} refuses our own credentials (${status}): ${remedy}`
      const evidence = this.#evidenceAgainstUs(asker)
      if (status !== UNAUTHORIZED || onUnknown === undefined) {
        throw new ServerFailure(evidence, message)
      }
      onUnknown()
      throw new ServerRefusesUs(evidence, message)
    }
    if (OUT_OF_ORDER.has(status)) throw new ServerFailure('silent', `${name} answered ${status}`)
  }

  #refuseOurFault(error: string | undefined, status: number, asker: Asker | undefined): void {
    const { name, remedy } = this.#options
    const answered = `${name} answered ${status} (${error})`
    if (error === OVERLOADED) throw new ServerFailure('silent', answered)
    if (error === FAILED) throw new ServerFailure('answered', answered)
    if (error !== undefined && ABOUT_US.has(error)) {
      const message = `${name} refuses our own client (${error}): ${remedy}`
      throw new ServerFailure(this.#evidenceAgainstUs(asker), message)
    }
  }

  /**
   * A firewall in front of the server may refuse this one token, so such a refusal counts
   * only if the server has accepted the token before, or if the question has no token.
   */
  #evidenceAgainstUs(asker: Asker | undefined): 'silent' | 'nothing' {
    return asker === undefined || this.#shared.wasGood(asker) ? 'silent' : 'nothing'
  }

  #documentIn({ status, body }: HttpResponse): JsonObject {
    const { name } = this.#options
    if (!OK.has(status)) throw new ServerFailure('answered', `${name} answered ${status}`)
    const document = readJsonObject(body)
    if (document === undefined) throw new ServerFailure('answered', `${name} sent no JSON object`)
    return document
  }
}

type Prepare = (signal: AbortSignal) => Promise<Question>

/** RFC 9110 §10.2.3, in milliseconds; dates, which hardly any server sends with 429, are not read. */
const retryAfterOf = ({ headers }: HttpResponse): number | undefined => {
  const seconds = /^\d{1,9}$/.exec(headers['retry-after'] ?? '')?.[0]
  return seconds === undefined ? undefined : Number(seconds) * 1_000
}

/** The error response; `undefined` if the response is not one. */
const refusalIn = ({
  status,
  body,
}: HttpResponse): Omit<Extract<OAuthAnswer, { outcome: 'refused' }>, 'outcome'> | undefined => {
  const error = REFUSING.has(status) ? readJsonObject(body)?.['error'] : undefined
  if (typeof error !== 'string') return undefined
  return ERROR_CODE.test(error) ? { error } : {}
}
