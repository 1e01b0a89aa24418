// A bounded memory that knows what its entries are worth: the cheap ones go first, yet each shelf has a
// share that none of the others can take, so that filling one makes no other useless.

/** What is kept. */
export interface Shelved {
  /** From when on it is as good as gone, in milliseconds. */
  readonly expires: number
}

/** How much there is room for, and what is worth how much. */
export interface ShelvesOptions<Value extends Shelved> {
  /** How many entries; at least twice as many as shelves. */
  readonly limit: number
  readonly shelves: number
  /** The shelf of a value at a time: 0 is the cheapest. It may sink as time goes by. */
  readonly worthOf: (value: Value, now: number) => number
  /** Called with each entry that is dropped before its time. */
  readonly onDropped?: (key: string, value: Value) => void
}

// How many entries are looked at for each one that is put: more than one, so that those whose time is
// over become fewer.
const SWEEP = 2

/** Entries by key; all times in milliseconds of one clock. */
export class Shelves<Value extends Shelved> {
  readonly #options: ShelvesOptions<Value>
  // A Map keeps the order of insertion: its first entry is the one that is unchanged for longest.
  readonly #shelves: readonly Map<string, Value>[]
  readonly #share: number
  #swept = 0

  constructor(options: ShelvesOptions<Value>) {
    const { limit, shelves } = options
    if (limit < 2 * shelves) throw new RangeError('too small for so many shelves')
    this.#options = options
    this.#shelves = Array.from({ length: shelves }, () => new Map())
    this.#share = Math.floor(limit / (shelves + 1))
  }

  /** How many entries there are, those included whose time is over. */
  get size(): number {
    return this.#shelves.reduce((sum, { size }) => sum + size, 0)
  }

  /** The value of a key, unless its time is over. */
  find(key: string, now: number): Value | undefined {
    for (const shelf of this.#shelves) {
      const value = shelf.get(key)
      if (value === undefined) continue
      if (now < value.expires) return value
      shelf.delete(key)
      return undefined
    }
    return undefined
  }

  /** Puts a value in place of what the key had, and drops another where there is no room. */
  put(key: string, value: Value, now: number): void {
    this.#drop(key)
    this.#place(key, value, now)
    for (let count = 0; count < SWEEP; count += 1) this.#sweep(now)
    if (this.size > this.#options.limit) this.#makeRoom()
  }

  #place(key: string, value: Value, now: number): void {
    if (now < value.expires) this.#shelves[this.#options.worthOf(value, now)]?.set(key, value)
  }

  #drop(key: string): void {
    for (const shelf of this.#shelves) if (shelf.delete(key)) return
  }

  /** Looks at the oldest entry of the next shelf: it goes, or sinks, where its time has come. */
  #sweep(now: number): void {
    const [index, shelf] = this.#nextShelf()
    const [oldest] = shelf ?? []
    if (shelf === undefined || oldest === undefined) return
    const [key, value] = oldest
    if (now < value.expires && this.#options.worthOf(value, now) === index) return
    shelf.delete(key)
    this.#place(key, value, now)
  }

  /** The shelves that are not empty, in turn. */
  #nextShelf(): readonly [index: number, shelf: Map<string, Value> | undefined] {
    for (const _ of this.#shelves) {
      this.#swept = (this.#swept + 1) % this.#shelves.length
      if ((this.#shelves[this.#swept]?.size ?? 0) > 0) break
    }
    return [this.#swept, this.#shelves[this.#swept]]
  }

  #makeRoom(): void {
    // The shares of all shelves together are less than the limit, so one of them has more.
    const shelf = this.#shelves.find(({ size }) => size > this.#share)
    const [oldest] = shelf ?? []
    if (shelf === undefined || oldest === undefined) return
    const [key, value] = oldest
    shelf.delete(key)
    this.#options.onDropped?.(key, value)
  }
}
