// Sends OCSP requests over HTTP (RFC 6960 appendix A.1, RFC 5019) and trusts only verified answers.
// Plain http is usual: the signature protects the answer.

import { randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../../runtime/clock.ts'
import { CountersignError, describeError } from '../../runtime/errors.ts'
import {
  httpFetcher,
  type HttpFetch,
  type HttpRequest,
  type HttpResponse,
} from '../../runtime/http/fetch.ts'
import type { Logger } from '../../runtime/logger.ts'
import {
  OF_HTTP,
  UNMEASURED,
  withoutQuery,
  type RequestDurations,
  type ServerDurations,
} from '../../runtime/request-durations.ts'
import { ServerCircuit } from '../../runtime/server-circuit.ts'
import { evidenceOf, ServerFailure } from '../../runtime/server-failure.ts'
import { serialText, type Issued } from '../issued.ts'
import { ocspLocations, permitted, publicLookup, type LocationPolicy } from '../locations.ts'
import { judgeOcsp, type OcspRules, type ProvenStatus } from './proof.ts'
import { encodeOcspRequest, NONCE_BYTES, type CertIdHash } from './request.ts'
import { readOcspResponse } from './response.ts'

/** The responders, and the rules for requests. All times in milliseconds. */
export interface OcspClientOptions extends Omit<OcspRules, 'nonceRequired'> {
  /** Configured responders, tried in this order until one answers; any address is allowed. */
  readonly urls: readonly string[]
  /** Which of the responders that certificates name are used after those; absent: none. */
  readonly aia: LocationPolicy | undefined
  /** PEM of the only certificate authorities to trust over https. */
  readonly ca: Buffer | undefined
  readonly hash: CertIdHash
  readonly nonce: 'required' | 'optional' | 'none'
  /** For one request to one responder. */
  readonly timeout: number
  /** How long a responder that failed several times gets no requests. */
  readonly coolDown: number
}

/** Further dependencies. */
export interface OcspParts {
  readonly clock: Clock
  readonly logger: Logger
  /** Measures the requests. */
  readonly durations?: RequestDurations | undefined
}

// Real answers have 0.5 to 5 KB, the latter with RSA-4096 and two certificates.
const MAX_BYTES = 65_536
// Certificates may name any number of responders, one after the other or each its own.
const MAX_RESPONDERS = 100
const MAX_LOCATIONS = 3
const FAILURES = 5

const HEADERS = {
  'content-type': 'application/ocsp-request',
  accept: 'application/ocsp-response',
} as const

interface Responder {
  readonly url: URL
  readonly fetch: HttpFetch
  readonly durations: ServerDurations
}

/** Requests the status of one certificate at a time; its only state is which responders are down. */
export class OcspClient {
  readonly #options: OcspClientOptions
  readonly #parts: OcspParts
  readonly #circuits = new LRUCache<string, ServerCircuit>({ max: MAX_RESPONDERS })
  readonly #configured: readonly Responder[]
  readonly #fetchNamed: Omit<Responder, 'url'>

  constructor(options: OcspClientOptions, parts: OcspParts) {
    this.#options = options
    this.#parts = parts
    const { ca, aia, urls } = options
    // No connections are kept: answers are, so that the next question is minutes or hours away.
    const { fetch } = httpFetcher({ ca })
    const durationsOf = (server: string): ServerDurations =>
      parts.durations?.of('ocsp', server) ?? UNMEASURED
    this.#configured = urls.map((url) => ({
      url: new URL(url),
      fetch,
      durations: durationsOf(withoutQuery(url)),
    }))
    const lookup = aia?.hosts.length === 0 ? publicLookup : undefined
    // One series for all that certificates name: they may name any number.
    this.#fetchNamed = { fetch: httpFetcher({ ca, lookup }).fetch, durations: durationsOf('') }
  }

  /** The first answer that proves something; throws the reason of the last that does not. */
  async ask(issued: Issued): Promise<ProvenStatus> {
    let failure: unknown = new Error('there is no OCSP responder that may be contacted')
    for (const responder of this.#responders(issued)) {
      try {
        return await this.#ask(responder, issued)
      } catch (cause) {
        failure = cause
      }
    }
    throw failure
  }

  #responders({ certificate: { extensions } }: Issued): readonly Responder[] {
    const { aia } = this.#options
    if (aia === undefined) return this.#configured
    const named = ocspLocations(extensions)
      .flatMap((text) => permitted(text, aia) ?? [])
      .filter(({ href }) => this.#configured.every(({ url }) => url.href !== href))
      .slice(0, MAX_LOCATIONS)
    return [...this.#configured, ...named.map((url) => ({ url, ...this.#fetchNamed }))]
  }

  async #ask({ url, fetch, durations }: Responder, issued: Issued): Promise<ProvenStatus> {
    const { hash, nonce: wish, timeout } = this.#options
    const nonce = wish === 'none' ? undefined : randomBytes(NONCE_BYTES)
    const body = encodeOcspRequest(issued, hash, nonce)
    const request: HttpRequest = { method: 'POST', headers: HEADERS, body, maxBytes: MAX_BYTES }
    const subject = `${issued.issuer.id} ${serialText(issued.certificate.serialNumber)}`
    const answer = await this.#askInCircuit(url, subject, async () => {
      const signal = AbortSignal.timeout(timeout)
      try {
        return await durations.measure('', () => fetch(url, request, signal), OF_HTTP)
      } catch (cause) {
        throw new ServerFailure(evidenceOf(cause, signal), describeError(cause))
      }
    })
    // Outside of the circuit: what is wrong with this answer need not be with the next one.
    const judgement = await this.#judge(answer, { issued, nonce })
    if (typeof judgement !== 'string') return judgement
    throw new Error(`the answer of ${url.href} proves nothing: ${judgement}`)
  }

  /** @param subject the certificate: a failure that may be due to it counts once */
  async #askInCircuit(
    { href }: URL,
    subject: string,
    ask: () => Promise<HttpResponse>,
  ): Promise<Buffer> {
    const pass = this.#circuit(href).pass({ subject, caller: subject, wasGood: false })
    if (pass === undefined) {
      throw new CountersignError('unavailable', `${href} failed; its circuit breaker is open`)
    }
    try {
      const { status, body } = await ask()
      if (status !== 200) {
        const message = `${href} answered ${status}, where 200 belongs`
        throw new ServerFailure(status >= 500 ? 'silent' : 'answered', message)
      }
      pass.end('answered')
      return body
    } catch (cause) {
      pass.end(evidenceOf(cause), cause)
      throw cause
    }
  }

  /** What an answer proves, or why it proves nothing. */
  async #judge(
    answer: Buffer,
    question: { readonly issued: Issued; readonly nonce: Buffer | undefined },
  ): Promise<ProvenStatus | string> {
    try {
      const reading = readOcspResponse(answer)
      // `unauthorized` is not `unknown`, although RFC 5019 §2.2.3 has it for certificates that the
      // responder does not know: it is not signed, so an attacker on the path could have sent it.
      if (reading.outcome === 'refusal') return `the responder refuses: ${reading.reason}`
      const { responders, skew, maxAge, nonce } = this.#options
      const rules = { responders, skew, maxAge, nonceRequired: nonce === 'required' }
      const now = this.#parts.clock.now()
      const judgement = await judgeOcsp(reading.answer, question, rules, now)
      return judgement.outcome === 'proven' ? judgement.proven : judgement.reason
    } catch (cause) {
      return describeError(cause)
    }
  }

  #circuit(responder: string): ServerCircuit {
    const known = this.#circuits.get(responder)
    if (known !== undefined) return known
    const { clock, logger } = this.#parts
    const circuit = new ServerCircuit({
      failures: FAILURES,
      coolDown: this.#options.coolDown,
      clock,
      report: (change) => {
        if (change.state === 'closed') logger.info({ responder }, 'OCSP responder answers again')
        else {
          const reason = describeError(change.failure)
          logger.warn({ responder, reason }, 'OCSP responder failed')
        }
      },
    })
    this.#circuits.set(responder, circuit)
    return circuit
  }
}
