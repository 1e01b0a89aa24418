// Revocations in the memory of one process, which hold whatever a store returns later. Bounded: when a mark is
// evicted, everything from before it counts as revoked.

// Some 16 MB when full (measured).
const MOST = 250_000

/** The revoked names, as numbers, with the instants. Instants are milliseconds since the epoch. */
export class RevocationMarks {
  readonly #limit: number
  // A Map keeps the order of insertion.
  readonly #instants = new Map<number, number>()
  #floor = 0

  constructor(limit = MOST) {
    this.#limit = limit
  }

  /** Everything that was written until then is revoked. */
  get floor(): number {
    return this.#floor
  }

  /** Raises the floor; it never falls. */
  raise(floor: number): void {
    this.#floor = Math.max(this.#floor, floor)
  }

  /** Marks a name as revoked at an instant, unless it was revoked later. */
  mark(name: number, instant: number): void {
    const before = this.#instants.get(name) ?? 0
    this.#instants.delete(name)
    this.#instants.set(name, Math.max(before, instant))
    if (this.#instants.size <= this.#limit) return
    const [oldest] = this.#instants
    if (oldest === undefined) return
    this.#instants.delete(oldest[0])
    this.raise(oldest[1])
  }

  /** When a name was revoked last; `undefined` where it was not. */
  instantOf(name: number): number | undefined {
    return this.#instants.get(name)
  }
}

// 48 bits: with all marks, one look-up in 10^9 finds a mark of another name, and refuses.
const CHARACTERS = 8
const BYTES = 6

/** The number of a name, from its keyed hash in base64url. */
export const markOf = (hash: string): number =>
  Buffer.from(hash.slice(0, CHARACTERS), 'base64url').readUIntBE(0, BYTES)
