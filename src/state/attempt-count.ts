// How attempts are counted, for stores that keep the counts themselves: counter before → counter after and reservation.
// Pure; the store keeps the counters, and makes each change atomic.

import {
  waitAfter,
  type AttemptScope,
  type Reservation,
  type ReservationOutcome,
} from './attempt-store.ts'

/** The counter of a key. Times in whole milliseconds of the store's clock. */
export interface Counter {
  /** When all failures are forgotten: one in each `forget` from now until then. */
  readonly clean: number
  readonly forget: number
  /** Until when the next attempt has to wait; 0 for no wait. */
  readonly until: number
  /** Whether that wait is a lock-out. */
  readonly locked: boolean
}

/** A changed counter, and the reservation of the change. */
export interface Counted {
  readonly counter: Counter
  readonly reservation: Reservation
}

/** When a counter is equal to none. */
export const endOf = ({ clean, until }: Counter): number => Math.max(clean, until)

/** How many failures are not forgotten yet. */
export const failuresAt = (
  { clean, forget }: Pick<Counter, 'clean' | 'forget'>,
  now: number,
): number => Math.max(0, Math.ceil((clean - now) / forget))

/**
 * Adds a part of a failure, and sets the wait of the next attempt.
 *
 * @param before the counter, unless it has ended
 * @param longest the longest wait, in milliseconds
 */
export const countPart = (
  before: Counter | undefined,
  scope: AttemptScope,
  part: number,
  longest: number,
  now: number,
): Counted => {
  const { pace, binding } = scope
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
    reservation: { scope, failures, added: clean - from, until },
  }
}

/** The attempt has failed: adds the part of the failure that was not counted before. */
const confirm = (before: Counter | undefined, reservation: Reservation, now: number): Counted => {
  const { scope, added } = reservation
  const rest = countPart(before, scope, 1 - scope.weight, Number.POSITIVE_INFINITY, now)
  return { ...rest, reservation: { ...rest.reservation, added: added + rest.reservation.added } }
}

/** The attempt has not failed, and so many further failures are forgotten with it. */
const pardon = (
  before: Counter,
  { scope, added, until }: Reservation,
  others: number,
  now: number,
): Counted => {
  const caused = until > 0 && until === before.until
  const after = caused ? { ...before, until: 0, locked: false } : before
  const counter = { ...after, clean: before.clean - added - others * before.forget }
  const failures = failuresAt(counter, now)
  return { counter, reservation: { scope, failures, added: 0, until: after.until } }
}

/** The reservation of an attempt that did not fail, where no counter is left. */
const forgotten = ({ scope }: Reservation): Reservation => ({
  scope,
  failures: 0,
  added: 0,
  until: 0,
})

/** The result of an attempt's end: without a counter where none is left to correct. */
export const settled = (
  before: Counter | undefined,
  { reservation, failures }: ReservationOutcome,
  now: number,
): Counted | { readonly counter?: undefined; readonly reservation: Reservation } => {
  if (failures > 0) return confirm(before, reservation, now)
  if (before === undefined) return { reservation: forgotten(reservation) }
  return pardon(before, reservation, -failures, now)
}
