// What peers make a server hold: one bound for all of them, past which the one that has held for
// longest is dropped. An honest peer lets go within milliseconds.

import type { Clock } from '../clock.ts'

/** One thing that is held for a peer. It belongs to one budget. */
export interface Holder {
  /** Ends what it is held for. Must not throw. */
  readonly drop: () => void
  /** Set by the budget, while it holds anything. */
  holding?: Holding | undefined
}

/**
 * What a holder holds, in a list in the order in which they began. Not in a Map: one whose entries come and go lets the
 * garbage of each read get into the old generation of the heap (see `http2/open-streams.ts`).
 */
export interface Holding {
  readonly holder: Holder
  amount: number
  readonly since: number
  before: Holding | undefined
  behind: Holding | undefined
}

/** Bounds of a {@link HoldBudget}. */
export interface HoldLimits {
  /** What all holders may hold together, in a unit of the caller's. */
  readonly most: number
  /** For so long a holder may hold anything, in milliseconds. Default: not limited. */
  readonly longest?: number
}

const LOOKS_PER_LIMIT = 4

/** Counts what holders hold, and drops the first of them where it is too much or has been too long. */
export class HoldBudget implements Disposable {
  readonly #limits: HoldLimits
  readonly #clock: Clock
  readonly #timer: NodeJS.Timeout | undefined
  #first: Holding | undefined
  #last: Holding | undefined
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
    const { holding } = holder
    this.#total += amount - (holding?.amount ?? 0)
    if (holding === undefined) this.#append(holder, amount)
    else holding.amount = amount
    while (this.#total > this.#limits.most && this.dropFirst());
  }

  /** The holder holds nothing more. */
  release(holder: Holder): void {
    const { holding } = holder
    if (holding === undefined) return
    const { amount, before, behind } = holding
    this.#total -= amount
    if (before === undefined) this.#first = behind
    else before.behind = behind
    if (behind === undefined) this.#last = before
    else behind.before = before
    holding.before = undefined
    holding.behind = undefined
    holder.holding = undefined
  }

  /** Drops the one that has held for longest; gives false when there is none. */
  dropFirst(): boolean {
    const first = this.#first
    if (first === undefined) return false
    this.#drop(first.holder)
    return true
  }

  /** Drops what has been held for too long; called by a timer. */
  dropOverdue(): void {
    const before = this.#clock.monotonic() - (this.#limits.longest ?? Number.POSITIVE_INFINITY)
    while (this.#first !== undefined && this.#first.since <= before) this.dropFirst()
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  #append(holder: Holder, amount: number): void {
    const before = this.#last
    const holding = { holder, amount, since: this.#clock.monotonic(), before, behind: undefined }
    if (before === undefined) this.#first = holding
    else before.behind = holding
    this.#last = holding
    holder.holding = holding
  }

  #drop(holder: Holder): void {
    this.release(holder)
    holder.drop()
  }
}
