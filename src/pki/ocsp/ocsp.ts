// OCSP as a source of revocation: answers are cached while they are valid, and a newer one is requested
// in between. A failure is cached for seconds, so that a burst of requests does not wait for each timeout.

import { LRUCache } from 'lru-cache'
import { describeError } from '../../runtime/errors.ts'
import { shared } from '../../runtime/shared.ts'
import { serialText, type Issued } from '../issued.ts'
import { OcspClient, type OcspClientOptions, type OcspParts } from './client.ts'
import type { ProvenStatus } from './proof.ts'
import type { RevocationSource, SourceStatus } from '../revocation-source.ts'

/** The responders, and how long their answers count. All times in milliseconds. */
export interface OcspOptions extends OcspClientOptions {
  /** How long an answer is used before a newer one is requested, if it is valid so long. */
  readonly cacheTtl: number
  /** How long a failure counts, and the answer that a certificate is not known. */
  readonly coolDown: number
}

// About 0.4 KB an entry: some 4 MB when full.
const MAX_ENTRIES = 10_000

interface Held extends ProvenStatus {
  /** From then on a newer answer is requested; milliseconds since the epoch. */
  readonly fresh: number
}

interface Failure {
  readonly cause: unknown
  readonly until: number
}

interface Entry {
  readonly held: Held | undefined
  readonly failure?: Failure
}

/** The statuses of OCSP responders. Outlives configurations, with its cached answers. */
export class OcspSource implements RevocationSource {
  readonly #options: OcspOptions
  readonly #parts: OcspParts
  readonly #client: OcspClient
  readonly #entries = new LRUCache<string, Entry>({ max: MAX_ENTRIES })
  readonly #pending = new Map<string, Promise<SourceStatus>>()

  constructor(options: OcspOptions, parts: OcspParts) {
    this.#options = options
    this.#parts = parts
    this.#client = new OcspClient(options, parts)
  }

  /** How many answers are cached, for at most {@link MAX_ENTRIES} certificates. */
  get cached(): number {
    return this.#entries.size
  }

  async status(issued: Issued, signal: AbortSignal): Promise<SourceStatus> {
    // RFC 5280 §4.1.2.2: issuer and serial number are one certificate.
    const key = `${issued.issuer.id} ${serialText(issued.certificate.serialNumber)}`
    const known = this.#recall(key)
    if (known !== undefined) return known
    try {
      return await shared(() => this.#askOnce(key, issued), signal)
    } catch (cause) {
      return { outcome: 'unavailable', cause }
    }
  }

  #recall(key: string): SourceStatus | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    const { held, failure } = entry
    const now = this.#parts.clock.now()
    if (failure !== undefined)
      return now < failure.until ? this.#inSpiteOf(failure, held) : undefined
    return held !== undefined && now < held.fresh ? statusOf(held, held.fresh) : undefined
  }

  /** Where there is no newer answer the last one counts to its end, and a revocation beyond that. */
  #inSpiteOf(failure: Failure, held: Held | undefined): SourceStatus {
    const { cause, until } = failure
    if (held?.status === 'revoked') return { outcome: 'revoked' }
    return held !== undefined && this.#parts.clock.now() < held.until
      ? statusOf(held, Math.min(held.until, until))
      : { outcome: 'unavailable', cause }
  }

  /** Callers that need the status of one certificate at the same time share the request. */
  async #askOnce(key: string, issued: Issued): Promise<SourceStatus> {
    let pending = this.#pending.get(key)
    if (pending === undefined) {
      pending = this.#renew(key, issued).finally(() => this.#pending.delete(key))
      this.#pending.set(key, pending)
    }
    return await pending
  }

  async #renew(key: string, issued: Issued): Promise<SourceStatus> {
    const { clock, logger } = this.#parts
    const { cacheTtl, coolDown } = this.#options
    const before = this.#entries.peek(key)?.held
    try {
      const proven = await this.#client.ask(issued)
      if (before !== undefined && isOlder(proven, before)) {
        throw new Error('the answer is older than a previous one: possibly a replay')
      }
      // A certificate that is not known yet may be in a moment.
      const lasting = proven.status === 'unknown' ? coolDown : cacheTtl
      const fresh = Math.min(proven.until, clock.now() + lasting)
      const held = { ...proven, fresh }
      this.#entries.set(key, { held })
      return statusOf(held, fresh)
    } catch (cause) {
      const serial = serialText(issued.certificate.serialNumber)
      logger.warn({ serial, reason: describeError(cause) }, 'OCSP gives no answer')
      const failure = { cause, until: clock.now() + coolDown }
      this.#entries.set(key, { held: before, failure })
      return this.#inSpiteOf(failure, before)
    }
  }
}

/** Times are whole seconds: of two answers of one second, the revocation is the later one. */
const isOlder = (answer: ProvenStatus, before: ProvenStatus): boolean =>
  answer.thisUpdate < before.thisUpdate ||
  (answer.thisUpdate === before.thisUpdate &&
    before.status === 'revoked' &&
    answer.status !== 'revoked')

const statusOf = ({ status }: Held, until: number): SourceStatus =>
  status === 'good' ? { outcome: 'good', until } : { outcome: status }
