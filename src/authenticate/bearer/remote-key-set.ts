// Keys that an issuer publishes and changes when it likes. They are fetched before anybody waits
// for them, outlive an outage of the issuer for a while, and end as soon as it no longer names them.

import type { Clock } from '../../runtime/clock.ts'
import { describeError } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import { Refresher, type Schedule } from '../../runtime/refresher.ts'
import type { KeyRenewal, KeySet } from './key-set.ts'
import type { FetchedKeys, FetchKeys } from './key-source.ts'
import type { Keys } from './keys.ts'

/** When keys are fetched, and how long they may be used. All in milliseconds. */
export interface KeyTimes {
  /**
   * Between two fetches while all is well. What the answer says (`Cache-Control: max-age`) counts
   * within these bounds, and without it the longer one; a removed key is used no longer than that.
   */
  readonly refresh: { readonly min: number; readonly max: number }
  /**
   * Between two fetches for tokens whose key is not known, and after one that failed. Until keys have
   * been had once, the pause begins small and doubles up to this.
   */
  readonly coolDown: number
  /** How long keys may be used while no newer ones can be had. */
  readonly maxAge: number
  /** The longest that one fetch may take, discovery included. */
  readonly timeout: number
}

/** How a set is doing. */
export interface KeySetStatus {
  /** Where the keys are published, without a query. */
  readonly source: string
  /** How many may be used now. */
  readonly keys: number
  /** Since when the keys that are held are known to be right, in milliseconds ago. */
  readonly age: number | undefined
  /** Fetches by how they ended, since the set was made. */
  readonly fetched: number
  readonly failed: number
}

/** What a set of published keys needs. */
export interface RemoteKeySetOptions {
  /** Where they are, for the log. */
  readonly source: string
  readonly fetchKeys: FetchKeys
  readonly times: KeyTimes
  readonly clock: Clock
  readonly logger: Logger
  readonly schedule?: Schedule
}

// A process that starts together with the issuer, or before it, finds it a moment later.
const FIRST_PAUSE_MS = 250

// Of the time that keys are good for: the rest is for fetching new ones.
const REFRESH_AT = 0.9

/** The published keys of one issuer. Fetches from {@link start} on until it is disposed. */
export class RemoteKeySet implements KeySet, Disposable {
  readonly #options: RemoteKeySetOptions
  readonly #refresher: Refresher
  #held: { readonly keys: Keys; readonly since: number } | undefined
  /** Why the last fetch failed; `undefined` when it did not. */
  #failure: unknown
  #fetched = 0
  #failed = 0

  constructor(options: RemoteKeySetOptions) {
    const { times, clock, schedule } = options
    this.#options = options
    this.#refresher = new Refresher({
      fetch: (signal) => this.#fetch(signal),
      onFailure: (cause) => this.#fail(cause),
      timeout: times.timeout,
      clock,
      schedule,
    })
  }

  /** Fetches for the first time, without waiting for it. */
  start(): void {
    this.#refresher.start()
  }

  current(): Keys | undefined {
    const { clock, times } = this.#options
    const held = this.#held
    return held !== undefined && clock.monotonic() - held.since < times.maxAge
      ? held.keys
      : undefined
  }

  async newer(than: Keys | undefined): Promise<KeyRenewal> {
    // A fetch that is running may be for the same reason.
    if (this.current()?.version === than?.version) {
      await this.#refresher.refreshAfter(this.#pause())
    }
    const keys = this.current()
    if (keys !== undefined && keys.version !== than?.version) return { outcome: 'keys', keys }
    return this.#failure === undefined
      ? { outcome: 'same' }
      : { outcome: 'unavailable', cause: this.#failure }
  }

  /** The status now. */
  status(): KeySetStatus {
    const { source, clock } = this.#options
    const [withoutQuery = ''] = source.split('?') // a query can hold a secret
    return {
      source: withoutQuery,
      keys: this.current()?.size ?? 0,
      age: this.#held && clock.monotonic() - this.#held.since,
      fetched: this.#fetched,
      failed: this.#failed,
    }
  }

  [Symbol.dispose](): void {
    this.#refresher[Symbol.dispose]()
  }

  async #fetch(signal: AbortSignal): Promise<number> {
    const { fetchKeys, times, clock } = this.#options
    // The keys are known as of the request: later changes of the issuer are for the next fetch.
    const since = clock.monotonic()
    const fetched = await fetchKeys(signal)
    this.#accept(fetched, since)
    return REFRESH_AT * within(fetched.maxAge ?? times.refresh.max, times.refresh)
  }

  /** How long the issuer is not queried after the last fetch. */
  #pause(): number {
    const { coolDown } = this.#options.times
    return this.#held === undefined
      ? Math.min(coolDown, FIRST_PAUSE_MS * 2 ** (this.#failed - 1))
      : coolDown
  }

  #accept({ keys, ignored }: FetchedKeys, since: number): void {
    const { logger, source } = this.#options
    if (keys.version !== this.#held?.keys.version) {
      logger.info({ source, keys: keys.size, ignored }, 'token keys changed')
    } else if (this.#failure !== undefined) {
      logger.info({ source }, 'token keys can be fetched again')
    }
    this.#fetched += 1
    this.#failure = undefined
    this.#held = { keys, since }
  }

  #fail(cause: unknown): number {
    const { logger, source } = this.#options
    this.#failed += 1
    this.#failure = cause
    logger.warn(
      { source, reason: describeError(cause), held: this.current() !== undefined },
      'token keys cannot be fetched',
    )
    return this.#pause()
  }
}

const within = (value: number, { min, max }: KeyTimes['refresh']): number =>
  Math.min(max, Math.max(min, value))
