// The seam for what has to be known of failed attempts wherever a request arrives: in memory for one
// process, in a shared store for several. It counts and it waits; whose attempts they are it cannot tell.

/** How failures become waiting. Times in milliseconds. */
export interface Pace {
  /** So many failures cost nothing. */
  readonly attempts: number
  /** The wait after that many failures, doubled with each further one. */
  readonly backOff: number
  /** From so many failures on, there is a lock-out. No more than these are counted. */
  readonly lockAfter: number
  /** The duration of the lock-out, and the longest wait. */
  readonly lockFor: number
  /** Of what is counted, one failure is forgotten in every such time. */
  readonly forget: number
}

/** How long to wait after so many failures, in milliseconds. */
export const waitAfter = (
  failures: number,
  { attempts, backOff, lockAfter, lockFor }: Pace,
): number => {
  if (failures >= lockAfter) return lockFor
  return failures < attempts ? 0 : Math.min(lockFor, backOff * 2 ** (failures - attempts))
}

/**
 * While it is not known how an attempt ends, the next one waits no longer than this, in milliseconds:
 * it may not have failed, and then whoever was told to wait for long was told so in vain.
 */
export const PENDING = 10_000

/** One count that an attempt falls under. */
export interface Claim {
  /** Opaque: a store can be read by others than us. */
  readonly key: string
  readonly pace: Pace
  /** Whether the attempt has to wait for it. Otherwise it is counted there, and lets nobody wait. */
  readonly binding: boolean
  /**
   * How much of a failure an attempt is that has not ended, more than 0 and at most 1. The less, the
   * more may be under way at once, which is as many guesses as may come too many.
   */
  readonly weight: number
}

/** What a store counted for a claim. */
export interface Receipt {
  readonly claim: Claim
  /** The count with this attempt. */
  readonly failures: number
  /** How far it put off the time at which all will be forgotten, in milliseconds. */
  readonly added: number
  /** Until when the next attempt has to wait, in the store's own time; 0 where it has not to. */
  readonly until: number
}

/** What became of an attempt; receipts stand in the order of the claims. */
export type Taking =
  | { readonly outcome: 'taken'; readonly receipts: readonly Receipt[] }
  | {
      readonly outcome: 'wait'
      /** Milliseconds for each claim, one at least more than 0. */
      readonly waits: readonly number[]
    }

/** How an attempt ended, for one claim. */
export interface Settlement {
  readonly receipt: Receipt
  /**
   * What it comes to: 1 failure; 0, as if it had not been; less, and so many others are forgotten
   * with it, all of them for `-Infinity`.
   */
  readonly failures: number
}

/** Something to be known for a while. */
export interface Note {
  readonly key: string
  readonly text: string
  /** Milliseconds, more than 0. */
  readonly lifetime: number
  /** Whether a store that is full keeps it longer than it keeps a few failures. */
  readonly retained: boolean
}

/** A note, read. */
export interface KnownNote {
  readonly text: string
  /** Milliseconds since it was written. */
  readonly age: number
}

/**
 * Counts attempts as failed before anybody knows how they end, so that many at once cannot all pass
 * before the first has failed.
 *
 * Each call is atomic, also against those of other processes. All reject when the store cannot be
 * reached; what a bounded store drops is as if its time were over.
 */
export interface AttemptStore {
  /** Counts an attempt under all claims, or, where one of the binding ones has to wait, under none. */
  take(claims: readonly Claim[]): Promise<Taking>
  /**
   * Corrects what was counted. Where the attempt has failed, the next one waits from now on. Where it
   * has not, a wait that it has caused, and no later one, ends.
   *
   * @returns the receipts as they are now, in the order of the settlements
   */
  settle(settlements: readonly Settlement[]): Promise<readonly Receipt[]>
  /** Writes a note in place of what the key had. */
  note(note: Note): Promise<void>
  /** Reads notes, in the order of the keys. */
  recall(keys: readonly string[]): Promise<readonly (KnownNote | undefined)[]>
}
