// The seam for counts of failed attempts, which every replica has to know: in memory for one process, in a shared
// store for several. A store counts and computes waits; it does not know users or addresses.

/** How failures cause waits. Times in milliseconds. */
export interface Pace {
  /** The number of failures without a wait. */
  readonly attempts: number
  /** The wait after that many failures, doubled with each further failure. */
  readonly backOff: number
  /** The number of failures at which a lock-out begins. No more than these are counted. */
  readonly lockAfter: number
  /** The duration of the lock-out, and the longest wait. */
  readonly lockFor: number
  /** One failure is forgotten in each such time. */
  readonly forget: number
}

/** The wait after so many failures, in milliseconds. */
export const waitAfter = (
  failures: number,
  { attempts, backOff, lockAfter, lockFor }: Pace,
): number => {
  if (failures >= lockAfter) return lockFor
  return failures < attempts ? 0 : Math.min(lockFor, backOff * 2 ** (failures - attempts))
}

/**
 * The longest wait while the outcome of an attempt is unknown, in milliseconds: the attempt may succeed, and a longer
 * wait would then have been unnecessary.
 */
export const PENDING = 10_000

/** One counter of an attempt. */
export interface AttemptScope {
  /** Opaque, since a store may have other readers. */
  readonly key: string
  readonly pace: Pace
  /** Whether the attempt has to wait for this counter. Otherwise it is counted, and never waits. */
  readonly binding: boolean
  /**
   * The part of a failure that a pending attempt counts as, more than 0 and at most 1. A smaller part permits more
   * concurrent attempts, and so more guesses beyond the limit.
   */
  readonly weight: number
  /** The kind that its lock-outs are counted as; absent for what is not counted. */
  readonly lockOut?: LockOutKind
}

/** What can be locked out after failed passwords: a user at a source, a user, or a source. */
export const LOCK_OUT_KINDS = ['userAndSource', 'user', 'source'] as const

/** One of {@link LOCK_OUT_KINDS}. */
export type LockOutKind = (typeof LOCK_OUT_KINDS)[number]

/** The number of lock-outs that last, by kind; absent: none. */
export type LockOuts = Readonly<Partial<Record<LockOutKind, number>>>

/** The result of counting a scope. */
export interface Reservation {
  readonly scope: AttemptScope
  /** The count, this attempt included. */
  readonly failures: number
  /** By how much it postponed the time at which all failures are forgotten, in milliseconds. */
  readonly added: number
  /** Until when the next attempt has to wait, in the store's own time; 0 for no wait. */
  readonly until: number
}

/** The result of counting an attempt; reservations have the order of the scopes. */
export type TakeResult =
  | { readonly outcome: 'taken'; readonly reservations: readonly Reservation[] }
  | {
      readonly outcome: 'wait'
      /** Milliseconds for each scope, at least one of them more than 0. */
      readonly waits: readonly number[]
    }

/** The outcome of an attempt, for one scope. */
export interface ReservationOutcome {
  readonly reservation: Reservation
  /**
   * The resulting number of failures: 1; 0, as without the attempt; negative, to forget so many further
   * failures, all of them for `-Infinity`.
   */
  readonly failures: number
}

/** A text that is stored for a while. */
export interface ExpiringEntry {
  readonly key: string
  readonly text: string
  /** Milliseconds, more than 0. */
  readonly lifetime: number
  /** Whether a full store evicts it later than counters of few failures. */
  readonly retained: boolean
}

/** A stored note. */
export interface FoundEntry {
  readonly text: string
  /** Milliseconds since it was written. */
  readonly age: number
}

/**
 * Counts attempts as failed before their outcome is known, so that concurrent attempts cannot all pass before the
 * first has failed.
 *
 * Each call is atomic, also between processes. All reject when the store is unavailable; an entry that a bounded store
 * evicts counts as ended.
 */
export interface AttemptStore {
  /** Counts an attempt for all scopes, or, where a binding one has to wait, for none. */
  take(scopes: readonly AttemptScope[]): Promise<TakeResult>
  /**
   * Corrects the counters. If the attempt has failed, the wait of the next one begins now. If it has not, a wait that
   * it caused ends, but no later one.
   *
   * @returns the present reservations, in the order of the outcomes
   */
  settle(outcomes: readonly ReservationOutcome[]): Promise<readonly Reservation[]>
  /** Writes a note, in place of an earlier one of the key. */
  remember(entry: ExpiringEntry): Promise<void>
  /** Reads notes, in the order of the keys. */
  recall(keys: readonly string[]): Promise<readonly (FoundEntry | undefined)[]>
  /**
   * How many lock-outs last now, with those that a pending attempt causes. `undefined` where the store does not permit
   * counting.
   */
  lockOuts(): Promise<LockOuts | undefined>
}
