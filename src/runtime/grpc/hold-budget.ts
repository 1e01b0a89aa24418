// What peers make a server hold: one bound for all of them, past which the one that has held for
// longest is dropped. An honest peer lets go within milliseconds.

import type { Clock } from '../clock.ts'

/** One thing that is held for a peer. */
export interface Holder {
  /** Ends what it is held for. Must not throw. */
  readonly drop: () => void
}

/** Bounds of a {@link HoldBudget}. */
export interface HoldLimits {
  /** What all holders may hold together, in a unit of the caller's. */
  readonly most: number
  /** For so long a holder may hold anything, in milliseconds. Default: not limited. */
  readonly longest?: number
}

interface Held {
  amount: number
  readonly since: number
}

const LOOKS_PER_LIMIT = 4

/** Counts what holders hold, and drops the first of them where it is too much or has been too long. */
export class HoldBudget implements Disposable {
  readonly #limits: HoldLimits
  readonly #clock: Clock
  readonly #timer: NodeJS.Timeout | undefined
  /** In the order in which they began. */
  readonly #held = new Map<Holder, Held>()
  #total = 0

  constructor(limits: HoldLimits, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
    const { longest } = limits
    if (longest === undefined) return
    this.#timer = setInterval(() => this.dropOverdue(), longest / LOOKS_PER_LIMIT).unref()
  }

  /** What is held now. */
  get total(): number {
    return this.#total
  }

  /** The holder holds so much now, which may be nothing yet; its time runs since the first call. */
  hold(holder: Holder, amount: number): void {
    const held = this.#held.get(holder)
    this.#total += amount - (held?.amount ?? 0)
    if (held === undefined) this.#held.set(holder, { amount, since: this.#clock.monotonic() })
    else held.amount = amount
    while (this.#total > this.#limits.most && this.dropFirst());
  }

  /** The holder holds nothing more. */
  release(holder: Holder): void {
    this.#total -= this.#held.get(holder)?.amount ?? 0
    this.#held.delete(holder)
  }

  /** Drops the one that has held for longest; gives false when there is none. */
  dropFirst(): boolean {
    const [first] = this.#held.keys()
    if (first === undefined) return false
    this.#drop(first)
    return true
  }

  /** Drops what has been held for too long; called by a timer. */
  dropOverdue(): void {
    const before = this.#clock.monotonic() - (this.#limits.longest ?? Number.POSITIVE_INFINITY)
    for (const [holder, { since }] of this.#held) {
      if (since > before) return
      this.#drop(holder)
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  #drop(holder: Holder): void {
    this.release(holder)
    holder.drop()
  }
}
