// How attempts are counted, for stores that keep the counts themselves: counter before → counter after
// and receipt. Pure; what is kept where, and that it happens in one step, is the store's.

import { waitAfter, type Claim, type Receipt } from './attempt-store.ts'

/** What is counted under a key. Times in whole milliseconds of the store's clock. */
export interface Counter {
  /** When all failures will be forgotten: one for each `forget` from now until then. */
  readonly clean: number
  readonly forget: number
  /** Until when the next attempt has to wait; 0 where it has not. */
  readonly until: number
  /** Whether that wait is a lock-out. */
  readonly locked: boolean
}

/** A counter that was changed, and what is told of it. */
export interface Counted {
  readonly counter: Counter
  readonly receipt: Receipt
}

/** From when on a counter is as good as none. */
export const endOf = ({ clean, until }: Counter): number => Math.max(clean, until)

/** How many failures are not forgotten yet. */
export const failuresAt = (
  { clean, forget }: Pick<Counter, 'clean' | 'forget'>,
  now: number,
): number => Math.max(0, Math.ceil((clean - now) / forget))

/**
 * Adds a part of a failure, and lets the next attempt wait as it should.
 *
 * @param before what was counted, unless its end has come
 * @param longest milliseconds that it waits at most
 */
export const countPart = (
  before: Counter | undefined,
  claim: Claim,
  part: number,
  longest: number,
  now: number,
): Counted => {
  const { pace, binding } = claim
  const { forget, lockAfter } = pace
  const from = Math.max(before?.clean ?? 0, now)
  const most = Math.max(from, now + lockAfter * forget)
  const clean = Math.min(from + Math.round(part * forget), most)
  const failures = failuresAt({ clean, forget }, now)
  const wait = binding ? Math.min(longest, waitAfter(failures, pace)) : 0
  const until = wait > 0 ? now + wait : 0
  const after = binding
    ? { until, locked: failures >= lockAfter }
    : { until: before?.until ?? 0, locked: before?.locked ?? false }
  return {
    counter: { clean, forget, ...after },
    receipt: { claim, failures, added: clean - from, until },
  }
}

/** The attempt has failed: what was not counted of it before is now. */
export const confirm = (before: Counter | undefined, receipt: Receipt, now: number): Counted => {
  const { claim, added } = receipt
  const rest = countPart(before, claim, 1 - claim.weight, Number.POSITIVE_INFINITY, now)
  return { ...rest, receipt: { ...rest.receipt, added: added + rest.receipt.added } }
}

/** The attempt has not failed, and so many others are forgotten with it. */
export const pardon = (
  before: Counter,
  { claim, added, until }: Receipt,
  others: number,
  now: number,
): Counted => {
  const caused = until > 0 && until === before.until
  const after = caused ? { ...before, until: 0, locked: false } : before
  const counter = { ...after, clean: before.clean - added - others * before.forget }
  const failures = failuresAt(counter, now)
  return { counter, receipt: { claim, failures, added: 0, until: after.until } }
}

/** What is told of an attempt that did not fail, where nothing is counted any more. */
export const forgotten = ({ claim }: Receipt): Receipt => ({
  claim,
  failures: 0,
  added: 0,
  until: 0,
})
