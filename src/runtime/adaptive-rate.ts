// The request rate for a server that answers "429 Too Many Requests" (RFC 6585 §4): unlimited until the first 429,
// then reduced, and raised again while no further one comes.

import type { Clock } from './clock.ts'
import type { Lane, Pace } from './fair-limiter.ts'

// The server may have a limit for one subject, whose refusals do not concern the requests of other subjects.
const SUBJECTS = 3
// Refusals within so long belong to one burst, which reduces the rate once.
const BURST_MS = 1_000
// As TCP slows down (RFC 9438 §4.6): quickly, and without giving up half of what the server grants.
const DECREASE = 0.7
// For a second without a refusal: doubled in seven.
const INCREASE = 1.1
const SLOWEST = 1
const FORGET_MS = 60_000
// Whatever `Retry-After` is.
const LONGEST_PAUSE = 10_000

/** The rate of requests to one server. */
export class AdaptiveRate implements Pace {
  readonly #clock: Clock
  /** When the latest questions began: of this second, and of the one before. */
  #second = { at: 0, begun: 0, before: 0 }
  #limit: { readonly perSecond: number; readonly since: number } | undefined
  #pausedUntil = Number.NEGATIVE_INFINITY
  #nextAt = Number.NEGATIVE_INFINITY
  // Which subjects it refused last, and when; the oldest first.
  readonly #refused = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether the rate is limited because of a recent 429. */
  get isLimited(): boolean {
    return this.#perSecond() < Number.POSITIVE_INFINITY
  }

  /** In how many milliseconds the next question may begin. Preferred ones do not wait for a pause to end. */
  delay(lane: Lane): number {
    const now = this.#clock.monotonic()
    const from = lane === 'preferred' ? this.#nextAt : Math.max(this.#nextAt, this.#pausedUntil)
    return Math.max(0, from - now)
  }

  /** A question begins. */
  begin(): void {
    const now = this.#clock.monotonic()
    const { at, begun } = this.#second
    if (now - at >= 2 * BURST_MS) this.#second = { at: now, begun: 0, before: 0 }
    else if (now - at >= BURST_MS) this.#second = { at: at + BURST_MS, begun: 0, before: begun }
    this.#second.begun += 1
    const perSecond = this.#perSecond()
    if (perSecond < Number.POSITIVE_INFINITY) {
      this.#nextAt = Math.max(now, this.#nextAt) + 1_000 / perSecond
    }
  }

  /**
   * The server has answered 429.
   *
   * @param subject what the question was about; refusals of one alone change nothing
   * @param retryAfter `Retry-After` in milliseconds
   */
  refused(subject: string, retryAfter: number | undefined): void {
    const now = this.#clock.monotonic()
    this.#refused.delete(subject)
    this.#refused.set(subject, now)
    for (const [known, at] of this.#refused) {
      if (now - at > FORGET_MS || this.#refused.size > SUBJECTS) this.#refused.delete(known)
    }
    if (this.#refused.size < SUBJECTS) return
    this.#pausedUntil = Math.max(this.#pausedUntil, now + Math.min(LONGEST_PAUSE, retryAfter ?? 0))
    if (this.#limit !== undefined && now - this.#limit.since < BURST_MS) return
    const { begun, before } = this.#second
    const asked = Math.min(Math.max(begun, before), this.#perSecond())
    this.#limit = { perSecond: Math.max(SLOWEST, asked * DECREASE), since: now }
  }

  #perSecond(): number {
    if (this.#limit === undefined) return Number.POSITIVE_INFINITY
    const { perSecond, since } = this.#limit
    const quiet = this.#clock.monotonic() - since
    if (quiet >= FORGET_MS) {
      this.#limit = undefined
      return Number.POSITIVE_INFINITY
    }
    return perSecond * INCREASE ** (quiet / 1_000)
  }
}
