// Attempts in the memory of one process. Bounded: whoever fills it with guesses drives out what is worth
// little first, and lock-outs last.

import type { Clock } from '../runtime/clock.ts'
import {
  PENDING,
  waitAfter,
  type AttemptStore,
  type Claim,
  type KnownNote,
  type Note,
  type Receipt,
  type Settlement,
  type Taking,
} from './attempt-store.ts'
import { Shelves } from './shelves.ts'

// Measured: 275 bytes an entry with its key, 28 MB when full.
const MAX_ENTRIES = 100_000

// Shelves: notes, then counts by their powers of two, then lock-outs.
const NOTE = 0
const DEAR_NOTE = 4
const HIGHEST_COUNT = 5
const LOCKED = 6

interface Counter {
  readonly kind: 'counter'
  readonly expires: number
  /** When all failures will be forgotten: one for each `forget` from now until then. */
  readonly clean: number
  readonly forget: number
  /** Until when the next attempt has to wait; 0 where it has not. */
  readonly until: number
  readonly locked: boolean
}

interface StoredNote {
  readonly kind: 'note'
  readonly expires: number
  readonly text: string
  readonly written: number
  readonly dear: boolean
}

/** An {@link AttemptStore} that ends with the process. */
export class MemoryAttempts implements AttemptStore {
  readonly #clock: Clock
  readonly #entries: Shelves<Counter | StoredNote>

  constructor(clock: Clock, limit = MAX_ENTRIES) {
    this.#clock = clock
    this.#entries = new Shelves({ limit, shelves: LOCKED + 1, worthOf })
  }

  /** How many entries there are, those included whose time is over. */
  get size(): number {
    return this.#entries.size
  }

  async take(claims: readonly Claim[]): Promise<Taking> {
    const now = this.#now()
    const waits = claims.map(({ key, binding }) => (binding ? this.#waitOf(key, now) : 0))
    if (waits.some((wait) => wait > 0)) return { outcome: 'wait', waits }
    return {
      outcome: 'taken',
      receipts: claims.map((claim) => this.#count(claim, claim.weight, PENDING, now)),
    }
  }

  async settle(settlements: readonly Settlement[]): Promise<readonly Receipt[]> {
    const now = this.#now()
    return settlements.map(({ receipt, failures }) =>
      failures > 0 ? this.#confirm(receipt, now) : this.#pardon(receipt, -failures, now),
    )
  }

  async note({ key, text, lifetime, dear }: Note): Promise<void> {
    const now = this.#now()
    const note = { kind: 'note', text, dear, written: now, expires: now + lifetime } as const
    this.#entries.put(key, note, now)
  }

  async recall(keys: readonly string[]): Promise<readonly (KnownNote | undefined)[]> {
    const now = this.#now()
    return keys.map((key) => {
      const entry = this.#entries.find(key, now)
      return entry?.kind === 'note' ? { text: entry.text, age: now - entry.written } : undefined
    })
  }

  #waitOf(key: string, now: number): number {
    return Math.max(0, (this.#counter(key, now)?.until ?? 0) - now)
  }

  /** Adds a part of a failure, and lets the next one wait as it should, and so long at most. */
  #count(claim: Claim, part: number, longest: number, now: number): Receipt {
    const { key, pace, binding } = claim
    const { forget, lockAfter } = pace
    const before = this.#counter(key, now)
    const from = Math.max(before?.clean ?? 0, now)
    const most = Math.max(from, now + lockAfter * forget)
    const clean = Math.min(from + Math.round(part * forget), most)
    const failures = failuresAt(clean, forget, now)
    const wait = binding ? Math.min(longest, waitAfter(failures, pace)) : 0
    const until = wait > 0 ? now + wait : 0
    const after = binding
      ? { until, locked: failures >= lockAfter }
      : { until: before?.until ?? 0, locked: before?.locked ?? false }
    this.#put(key, { kind: 'counter', clean, forget, ...after }, now)
    return { claim, failures, added: clean - from, until }
  }

  /** The attempt has failed: what was not counted of it before is now. */
  #confirm(receipt: Receipt, now: number): Receipt {
    const { claim, added } = receipt
    const rest = this.#count(claim, 1 - claim.weight, Number.POSITIVE_INFINITY, now)
    return { ...rest, added: added + rest.added }
  }

  /** The attempt has not failed, and so many others are forgotten with it. */
  #pardon(receipt: Receipt, others: number, now: number): Receipt {
    const { claim, added, until } = receipt
    const counter = this.#counter(claim.key, now)
    if (counter === undefined) return { claim, failures: 0, added: 0, until: 0 }
    const caused = until > 0 && until === counter.until
    const after = caused ? { ...counter, until: 0, locked: false } : counter
    const clean = counter.clean - added - others * counter.forget
    this.#put(claim.key, { ...after, clean }, now)
    return { claim, failures: failuresAt(clean, counter.forget, now), added: 0, until: after.until }
  }

  #counter(key: string, now: number): Counter | undefined {
    const entry = this.#entries.find(key, now)
    return entry?.kind === 'counter' ? entry : undefined
  }

  #put(key: string, counter: Omit<Counter, 'expires'>, now: number): void {
    const expires = Math.max(counter.clean, counter.until)
    this.#entries.put(key, { ...counter, expires }, now)
  }

  // Whole milliseconds, which add up exactly; and monotonic, so that a clock that is set back lets
  // nobody wait for longer.
  #now(): number {
    return Math.floor(this.#clock.monotonic())
  }
}

const failuresAt = (clean: number, forget: number, now: number): number =>
  Math.max(0, Math.ceil((clean - now) / forget))

const worthOf = (entry: Counter | StoredNote, now: number): number => {
  if (entry.kind === 'note') return entry.dear ? DEAR_NOTE : NOTE
  if (entry.locked && now < entry.until) return LOCKED
  const failures = failuresAt(entry.clean, entry.forget, now)
  return failures === 0 ? NOTE : Math.min(HIGHEST_COUNT, 1 + Math.floor(Math.log2(failures)))
}
