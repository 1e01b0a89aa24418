// Keys that an issuer publishes and may rotate at any time. They are fetched before a request needs them, remain for a
// while during an outage of the issuer, and expire as soon as it no longer publishes them.

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
   * Between two fetches without failures. `Cache-Control: max-age` applies within these bounds, and the longer one
   * without it; a removed key is used no longer than that.
   */
  readonly refresh: { readonly min: number; readonly max: number }
  /**
   * Between two fetches for tokens with an unknown key, and after a failed one. Until the first fetch succeeds, the
   * interval begins small and doubles up to this.
   */
  readonly coolDown: number
  /** How long keys may be used while fetching newer ones fails. */
  readonly maxAge: number
  /** The timeout of one fetch, discovery included. */
  readonly timeout: number
}

/** The status of a key set. */
export interface KeySetStatus {
  /** Where the keys are published, without a query. */
  readonly source: string
  /** How many may be used now. */
  readonly keys: number
  /** How long ago the keys were fetched, in milliseconds. */
  readonly age: number | undefined
  /** Fetches by outcome, since the key set was made. */
  readonly fetched: number
  readonly failed: number
}

/** The options of a published key set. */
export interface RemoteKeySetOptions {
  /** Their address, for the log. */
  readonly source: string
  readonly fetchKeys: FetchKeys
  readonly times: KeyTimes
  readonly clock: Clock
  readonly logger: Logger
  readonly schedule?: Schedule
}

// A process that starts together with the issuer, or before it, reaches it a moment later.
const FIRST_PAUSE_MS = 250

// The part of the lifetime of keys after which they are fetched again.
const REFRESH_AT = 0.9

/** The published keys of one issuer. Fetched from {@link start} on, until it is disposed. */
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

  /** Starts the first fetch, without waiting for it. */
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
    // A fetch may be under way for the same reason.
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
    const [withoutQuery = ''] = source.split('?') // a query may contain a secret
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
    // The age of the keys counts from the request: later changes of the issuer are for the next fetch.
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
