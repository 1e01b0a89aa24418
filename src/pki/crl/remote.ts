// CRLs at a URL. They are fetched again before they expire, so that no caller waits, and stay
// in use while the URL fails. Only a newer CRL that is verified by the same key replaces a verified one:
// CRLs are usually fetched over plain http, where an attacker can answer.

import type { Clock } from '../../runtime/clock.ts'
import { describeError } from '../../runtime/errors.ts'
import type { HttpFetch } from '../../runtime/http/fetch.ts'
import type { Logger } from '../../runtime/logger.ts'
import { OF_HTTP, UNMEASURED, type ServerDurations } from '../../runtime/request-durations.ts'
import { Refresher, type Schedule } from '../../runtime/refresher.ts'
import { sha256InSlices } from '../../runtime/long-bytes.ts'
import { readCrl, type CrlDocument } from './document.ts'

/** When CRLs are fetched. In milliseconds. */
export interface CrlRefresh {
  /** Between two fetches: a part of the time that is left of the CRL, within these bounds. */
  readonly refresh: { readonly min: number; readonly max: number }
  /** After a fetch that failed. */
  readonly coolDown: number
  readonly timeout: number
}

/** What the CRLs at a URL need. */
export interface RemoteCrlOptions {
  readonly url: URL
  readonly fetch: HttpFetch
  readonly times: CrlRefresh
  /** Of a CRL; a longer one is refused. */
  readonly maxBytes: number
  /** Measures the fetches. Default: not published. */
  readonly durations?: ServerDurations | undefined
  readonly clock: Clock
  readonly logger: Logger
  readonly schedule?: Schedule
}

/** The CRLs of a URL, and when that may change. */
export interface PublishedCrls {
  readonly documents: readonly CrlDocument[]
  /** Milliseconds since the epoch: other CRLs may be there by then. */
  readonly until: number
}

// Of one fetch. A CRL that was proven by more keys than can be tried stays in use.
const MAX_VERIFICATIONS = 4

// CRLs of keys that are no longer used, and forged ones.
const MAX_KEPT = 4

// Of the time that is left: issuers publish the next one some time before the last one ends.
const REFRESH_AT = 0.5

/** Fetches from {@link start} on until it is disposed. */
export class RemoteCrl implements Disposable {
  readonly #options: RemoteCrlOptions
  readonly #refresher: Refresher
  #held: readonly CrlDocument[] = []
  #fetched: CrlDocument | undefined
  /** Milliseconds since the epoch. */
  #nextAt = Number.NEGATIVE_INFINITY
  #failure: Error | undefined
  /** Of what was fetched last. */
  #digest = ''

  constructor(options: RemoteCrlOptions) {
    const { times, clock, schedule } = options
    this.#options = options
    this.#refresher = new Refresher({
      fetch: async (signal) => this.#next(await this.#fetch(signal)),
      onFailure: (cause) => this.#next(this.#fail(cause)),
      timeout: times.timeout,
      clock,
      schedule,
    })
  }

  /** Where the CRLs are published. */
  get url(): URL {
    return this.#options.url
  }

  /** The CRLs that are held now. */
  get documents(): readonly CrlDocument[] {
    return this.#held
  }

  /** Fetches for the first time, without waiting for it. */
  start(): void {
    this.#refresher.start()
  }

  /**
   * The CRLs now: at once when there are any. Waits for a fetch only where there are none, and
   * rejects with a message for operators when that fails, or has failed a moment ago.
   */
  async current(): Promise<PublishedCrls> {
    const { clock, times } = this.#options
    if (this.#held.length === 0) await this.#refresher.refreshAfter(times.coolDown)
    if (this.#held.length === 0) throw this.#failure ?? new Error('the CRL is no longer in use')
    // An overdue fetch is running: its result may come at any time.
    return { documents: this.#held, until: Math.max(this.#nextAt, clock.now() + times.coolDown) }
  }

  [Symbol.dispose](): void {
    this.#refresher[Symbol.dispose]()
  }

  #next(delay: number): number {
    this.#nextAt = this.#options.clock.now() + delay
    return delay
  }

  async #fetch(signal: AbortSignal): Promise<number> {
    const { url, fetch, maxBytes, durations = UNMEASURED } = this.#options
    const headers = { accept: 'application/pkix-crl' }
    const limit = { maxBytes, maxBytesSetting: 'crl.maxBytes' }
    const send = () => fetch(url, { headers, ...limit }, signal)
    const { status, body } = await durations.measure('', send, OF_HTTP)
    if (status !== 200) throw new Error(`${url.href} answered ${status}, where 200 belongs`)
    return await this.#accept(body)
  }

  #fail(cause: unknown): number {
    const { url, times, logger } = this.#options
    const reason = describeError(cause)
    this.#failure = new Error(reason, { cause })
    logger.warn({ source: url.href, reason, held: this.#held.length > 0 }, 'CRL cannot be fetched')
    return times.coolDown
  }

  /**
   * Takes over what was fetched, and keeps what that does not supersede of what was proven before.
   * Returns when to fetch again, in milliseconds from now.
   */
  async #accept(body: Buffer): Promise<number> {
    const digest = (await sha256InSlices(body)).toString('base64url')
    const known = digest === this.#digest ? this.#fetched : undefined
    const fetched = known ?? readCrl(body)
    if (fetched !== known) {
      const kept: CrlDocument[] = []
      const tried = new Set<string>()
      for (const old of this.#held) {
        if (old.provenBy.length > 0 && !(await isSuperseded(old, fetched, tried))) kept.push(old)
      }
      if (kept.length > 0) {
        const { url, logger } = this.#options
        logger.warn(
          { source: url.href },
          'CRL is signed by another key than the previous one, which stays in use',
        )
      }
      this.#held = [fetched, ...kept.slice(0, MAX_KEPT)]
      this.#fetched = fetched
      this.#digest = digest
    }
    this.#failure = undefined
    return this.#pauseAfter(fetched)
  }

  #pauseAfter({ nextUpdate }: CrlDocument): number {
    const { times, clock } = this.#options
    const { min, max } = times.refresh
    const left = nextUpdate - clock.now()
    return Math.min(max, Math.max(min, REFRESH_AT * left))
  }
}

/**
 * Whether this is a newer CRL for the same certificates, by each key that has proven the old one.
 * Verified and read here, in the background, it is ready when the next caller asks.
 *
 * @param tried the issuers whose key the new one was tried with; each is one verification
 */
const isSuperseded = async (
  old: CrlDocument,
  fetched: CrlDocument,
  tried: Set<string>,
): Promise<boolean> => {
  const isNewer =
    fetched.thisUpdate >= old.thisUpdate &&
    fetched.issuer.equals(old.issuer) &&
    (fetched.base === undefined) === (old.base === undefined) &&
    fetched.scope.encoded.equals(old.scope.encoded)
  if (!isNewer) return false
  for (const issuer of old.provenBy) {
    if (!tried.has(issuer.id) && tried.size === MAX_VERIFICATIONS) return false
    tried.add(issuer.id)
    if ((await fetched.entriesBy(issuer)) === undefined) return false
  }
  return true
}
