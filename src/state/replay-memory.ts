// The seam for values that may be used once, and the memory of this process for them. No use is forgotten before its
// end: when the memory is full, a new value is unavailable.

import { createHmac, createSecretKey, randomBytes } from 'node:crypto'
import type { Clock } from '../runtime/clock.ts'
import { CountersignError } from '../runtime/errors.ts'

/** The result of using a value. */
export type Use =
  | { readonly outcome: 'first' }
  | { readonly outcome: 'repeated' }
  /** Whether it is the first use is unknown; the request is refused. */
  | { readonly outcome: 'unavailable'; readonly cause: unknown }

/** Remembers used values. Processes that share one detect each other's replays. */
export interface ReplayMemory {
  /**
   * Records a use, and returns whether it is the first, in one step: of two concurrent uses one is. Never rejects.
   *
   * @param id of any length
   * @param until when the value is no longer valid and its use may be forgotten, in milliseconds since the epoch
   */
  use(id: string, until: number): Promise<Use>
}

const FIRST: Use = { outcome: 'first' }
const REPEATED: Use = { outcome: 'repeated' }

// Some 61 MB when full (measured), allocated as it fills. More than one process can verify within the two minutes for
// which a DPoP proof is valid at most by default.
const MAX_ENTRIES = 1_000_000

// Removing ended uses costs a walk over some of the entries.
const SWEEP_EVERY_MS = 1_000

// Finding two ids with the same 128-bit key would take longer than a value is valid.
const KEY_BYTES = 16

/** The memory of one process: bounded, and lost when it ends. */
export class ProcessReplayMemory implements ReplayMemory {
  // Keyed, so that clients cannot choose colliding ids; and short, whatever the length of the id.
  readonly #hmacKey = createSecretKey(randomBytes(32))
  /** Key → its end, in the order of arrival. */
  readonly #uses = new Map<string, number>()
  readonly #clock: Clock
  readonly #capacity: number
  #sweptAt = Number.NEGATIVE_INFINITY

  /** @param capacity the maximum number of uses */
  constructor(clock: Clock, capacity = MAX_ENTRIES) {
    this.#clock = clock
    this.#capacity = capacity
  }

  use(id: string, until: number): Promise<Use> {
    return Promise.resolve(this.#use(id, until))
  }

  #use(id: string, until: number): Use {
    const now = this.#clock.now()
    if (now - this.#sweptAt >= SWEEP_EVERY_MS || this.#uses.size >= this.#capacity) this.#sweep(now)
    // It may have been forgotten already: a clock that was set back must not make it new.
    if (until <= this.#sweptAt) return REPEATED
    const key = createHmac('sha256', this.#hmacKey)
      .update(id)
      .digest()
      .toString('latin1', 0, KEY_BYTES)
    if (this.#uses.has(key)) return REPEATED
    if (this.#uses.size >= this.#capacity) {
      // An evicted value could be used a second time.
      const cause = new CountersignError('overloaded', 'the replay memory is full')
      return { outcome: 'unavailable', cause }
    }
    this.#uses.set(key, until)
    return FIRST
  }

  /** Forgets ended uses, from the oldest to the first that has not ended. */
  #sweep(now: number): void {
    if (now <= this.#sweptAt) return
    for (const [key, until] of this.#uses) {
      if (until > now) break
      this.#uses.delete(key)
    }
    this.#sweptAt = now
  }
}
