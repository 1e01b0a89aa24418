// The seam for things that count once, and the memory of this process for them. It forgets nothing
// before its time: where it cannot take note of something, it cannot say that it is new.

import { createHmac, createSecretKey, randomBytes } from 'node:crypto'
import type { Clock } from '../runtime/clock.ts'
import { CountersignError } from '../runtime/errors.ts'

/** What is known of something that may be used once. */
export type Use =
  | { readonly outcome: 'first' }
  | { readonly outcome: 'repeated' }
  /** Whether it is the first cannot be found out; the request fails closed. */
  | { readonly outcome: 'unavailable'; readonly cause: unknown }

/** Remembers what was used. One that several processes share makes their replicas one. */
export interface ReplayMemory {
  /**
   * Takes note of a use and says whether it is the first, in one step: of two that arrive together
   * only one is. Never rejects.
   *
   * @param id of any length
   * @param until when it ends to be of use and may be forgotten, in milliseconds since the epoch
   */
  use(id: string, until: number): Promise<Use>
}

const FIRST: Use = { outcome: 'first' }
const REPEATED: Use = { outcome: 'repeated' }

// Some 61 MB when full (measured), and taken only as it fills. More than one process can verify
// within the two minutes that a DPoP proof is good for at most by default.
const MAX_ENTRIES = 1_000_000

// To look for what has ended costs a walk over some of the entries.
const SWEEP_EVERY_MS = 1_000

// Two different ids with one key of 128 bits would take longer to find than any of them lasts.
const KEY_BYTES = 16

/** The memory of one process: bounded, and gone with it. */
export class ProcessReplayMemory implements ReplayMemory {
  // Keyed, so that nobody can choose ids that collide, and short, whatever the caller sent.
  readonly #hmacKey = createSecretKey(randomBytes(32))
  /** Key → when it ends, in the order of arrival. */
  readonly #uses = new Map<string, number>()
  readonly #clock: Clock
  readonly #capacity: number
  #sweptAt = Number.NEGATIVE_INFINITY

  /** @param capacity how many uses it holds at once */
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
    // Forgotten already, if it was there: a clock that was set back must not bring it back to life.
    if (until <= this.#sweptAt) return REPEATED
    const key = createHmac('sha256', this.#hmacKey)
      .update(id)
      .digest()
      .toString('latin1', 0, KEY_BYTES)
    if (this.#uses.has(key)) return REPEATED
    if (this.#uses.size >= this.#capacity) {
      // One of them would have to be forgotten, and could then be used a second time.
      const cause = new CountersignError('overloaded', 'the replay memory is full')
      return { outcome: 'unavailable', cause }
    }
    this.#uses.set(key, until)
    return FIRST
  }

  /** Forgets what has ended, from the oldest on, up to the first that has not. */
  #sweep(now: number): void {
    if (now <= this.#sweptAt) return
    for (const [key, until] of this.#uses) {
      if (until > now) break
      this.#uses.delete(key)
    }
    this.#sweptAt = now
  }
}
