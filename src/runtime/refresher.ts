// Fetches a published document again and again in the background, so that no request waits for it.

import type { Clock } from './clock.ts'

/** Runs something later, unless it is disposed before. */
export type Schedule = (run: () => void, delay: number) => Disposable

/** What a {@link Refresher} needs. */
export interface RefresherOptions {
  /** Fetches, and returns in how many milliseconds to fetch again. */
  readonly fetch: (signal: AbortSignal) => Promise<number>
  /** Called when a fetch failed; returns in how many milliseconds to try again. */
  readonly onFailure: (cause: unknown) => number
  /** The longest that one fetch may take, in milliseconds. */
  readonly timeout: number
  readonly clock: Clock
  readonly schedule?: Schedule | undefined
}

// A timer that does not keep the process running.
const scheduleUnreferenced: Schedule = (run, delay) => setTimeout(run, delay).unref()

// setTimeout takes no longer delays, and would fire at once.
const LONGEST_DELAY_MS = 2_147_483_647

/** Fetches from {@link start} on until it is disposed. One fetch runs at a time. */
export class Refresher implements Disposable {
  readonly #options: RefresherOptions
  readonly #schedule: Schedule
  readonly #end = new AbortController()
  #running: Promise<void> | undefined
  #endedAt = Number.NEGATIVE_INFINITY
  #timer: Disposable | undefined

  constructor(options: RefresherOptions) {
    this.#options = options
    this.#schedule = options.schedule ?? scheduleUnreferenced
  }

  /** Fetches for the first time, without waiting for it. */
  start(): void {
    void this.#refresh()
  }

  /**
   * Fetches, where the last fetch ended at least `pause` milliseconds ago; joins a fetch that is running. Never
   * rejects.
   */
  async refreshAfter(pause: number): Promise<void> {
    const isDue = this.#options.clock.monotonic() - this.#endedAt >= pause
    await (isDue ? this.#refresh() : this.#running)
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]()
    this.#end.abort()
  }

  async #refresh(): Promise<void> {
    if (this.#end.signal.aborted) return
    this.#running ??= this.#fetch().finally(() => {
      this.#running = undefined
    })
    await this.#running
  }

  async #fetch(): Promise<void> {
    const { fetch, onFailure, timeout, clock } = this.#options
    this.#timer?.[Symbol.dispose]()
    let delay: number
    try {
      delay = await fetch(AbortSignal.any([this.#end.signal, AbortSignal.timeout(timeout)]))
    } catch (cause) {
      if (this.#end.signal.aborted) return
      delay = onFailure(cause)
    }
    this.#endedAt = clock.monotonic()
    if (this.#end.signal.aborted) return
    this.#timer = this.#schedule(() => void this.#refresh(), Math.min(LONGEST_DELAY_MS, delay))
  }
}
