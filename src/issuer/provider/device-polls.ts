// How often a device polls for its tokens (RFC 8628 §3.5). Kept in this process alone: it saves work, and
// decides nothing.

// RFC 8628 §3.2: where the answer names no interval, it is 5 s. Less a second, for what networks do.
const INTERVAL_MS = 5_000
const TOLERANCE_MS = 1_000

const MOST_CODES = 10_000

interface Poll {
  readonly at: number
  /** Milliseconds. */
  readonly interval: number
}

/** The latest polls by device code. */
export class DevicePolls {
  readonly #latest = new Map<string, Poll>()

  /**
   * Whether a device that still has to wait polls too soon. Each time that it does, its interval
   * grows by 5 s.
   *
   * @param now milliseconds of a monotonic clock
   */
  isTooSoon(code: string, now: number): boolean {
    const latest = this.#latest.get(code)
    const interval = latest?.interval ?? INTERVAL_MS
    const tooSoon = latest !== undefined && now - latest.at < interval - TOLERANCE_MS
    this.#latest.delete(code)
    this.#latest.set(code, { at: now, interval: tooSoon ? interval + INTERVAL_MS : interval })
    const [oldest] = this.#latest.keys()
    if (this.#latest.size > MOST_CODES && oldest !== undefined) this.#latest.delete(oldest)
    return tooSoon
  }
}
