// Keys that an issuer publishes and changes when it likes. They are fetched before anybody waits
// for them, outlive an outage of the issuer for a while, and end as soon as it no longer names them.

import type { Clock } from '../../runtime/clock.ts'
import { describeError } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
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

/** Runs something later, unless it is disposed before. */
export type Schedule = (run: () => void, delay: number) => Disposable

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

// Not a reason for the process to go on living.
const schedulePlainly: Schedule = (run, delay) => setTimeout(run, delay).unref()

// Who starts together with the issuer, or in front of it, finds it a moment later.
const FIRST_PAUSE_MS = 250

// Of the time that keys are good for: the rest is for fetching new ones.
const REFRESH_AT = 0.9

/** The published keys of one issuer. Fetches from {@link start} on until it is disposed. */
export class RemoteKeySet implements KeySet, Disposable {
  readonly #options: RemoteKeySetOptions
  readonly #schedule: Schedule
  readonly #end = new AbortController()
  #held: { readonly keys: Keys; readonly since: number } | undefined
  #renewal: Promise<void> | undefined
  #askedAt = Number.NEGATIVE_INFINITY
  /** Why the last fetch failed; `undefined` when it did not. */
  #failure: unknown
  #timer: Disposable | undefined
  #fetched = 0
  #failed = 0

  constructor(options: RemoteKeySetOptions) {
    this.#options = options
    this.#schedule = options.schedule ?? schedulePlainly
  }

  /** Fetches for the first time. Nobody has to wait for it. */
  start(): void {
    void this.#renew()
  }

  current(): Keys | undefined {
    const { clock, times } = this.#options
    const held = this.#held
    return held !== undefined && clock.monotonic() - held.since < times.maxAge
      ? held.keys
      : undefined
  }

  async newer(than: Keys | undefined): Promise<KeyRenewal> {
    const { clock } = this.#options
    if (this.current()?.version === than?.version) {
      const cool = clock.monotonic() - this.#askedAt >= this.#pause()
      // One that began before is waited for too: it may have been asked for the same reason.
      await (cool ? this.#renew() : this.#renewal)
    }
    const keys = this.current()
    if (keys !== undefined && keys.version !== than?.version) return { outcome: 'keys', keys }
    return this.#failure === undefined
      ? { outcome: 'same' }
      : { outcome: 'unavailable', cause: this.#failure }
  }

  /** How it is doing now. */
  status(): KeySetStatus {
    const { source, clock } = this.#options
    const [place = ''] = source.split('?') // which can hold a key of its own
    return {
      source: place,
      keys: this.current()?.size ?? 0,
      age: this.#held && clock.monotonic() - this.#held.since,
      fetched: this.#fetched,
      failed: this.#failed,
    }
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]()
    this.#end.abort()
  }

  /** Fetches, or joins the fetch that is under way. Never rejects. */
  async #renew(): Promise<void> {
    if (this.#end.signal.aborted) return
    this.#renewal ??= this.#fetch().finally(() => {
      this.#renewal = undefined
    })
    await this.#renewal
  }

  async #fetch(): Promise<void> {
    const { fetchKeys, times, clock } = this.#options
    this.#timer?.[Symbol.dispose]()
    // As of when the keys are known: what the issuer changes meanwhile is for the next time.
    const since = clock.monotonic()
    let next: number
    try {
      const signal = AbortSignal.any([this.#end.signal, AbortSignal.timeout(times.timeout)])
      const fetched = await fetchKeys(signal)
      this.#accept(fetched, since)
      next = REFRESH_AT * within(fetched.maxAge ?? times.refresh.max, times.refresh)
    } catch (cause) {
      this.#reject(cause)
      next = this.#pause()
    }
    this.#askedAt = clock.monotonic()
    if (!this.#end.signal.aborted) this.#timer = this.#schedule(() => void this.#renew(), next)
  }

  /** How long the issuer is left alone after the last fetch. */
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

  #reject(cause: unknown): void {
    if (this.#end.signal.aborted) return
    const { logger, source } = this.#options
    this.#failed += 1
    this.#failure = cause
    logger.warn(
      { source, reason: describeError(cause), held: this.current() !== undefined },
      'token keys cannot be fetched',
    )
  }
}

const within = (value: number, { min, max }: KeyTimes['refresh']): number =>
  Math.min(max, Math.max(min, value))
