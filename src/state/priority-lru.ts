// A bounded memory with levels of priority: entries of the lowest level are evicted first, and each level has a share
// that no other level can take.

/** A value with an end. */
export interface Expiring {
  /** When it ends, in milliseconds. */
  readonly expires: number
}

/** The limit, and the level of each value. */
export interface PriorityLruOptions<Value extends Expiring> {
  /** The number of entries; at least twice the number of levels. */
  readonly limit: number
  readonly levels: number
  /** The level of a value at a time: 0 is evicted first. It may sink as time passes. */
  readonly levelOf: (value: Value, now: number) => number
  /** Called with each entry that is evicted before its end. */
  readonly onDropped?: (key: string, value: Value) => void
}

// How many entries are examined for each one that is put: more than one, so that ended ones become fewer.
const SWEEP = 2

/** Entries by key; all times in milliseconds of one clock. */
export class PriorityLru<Value extends Expiring> {
  readonly #options: PriorityLruOptions<Value>
  // A Map keeps the order of insertion: its first entry is the least recently changed one.
  readonly #levels: readonly Map<string, Value>[]
  readonly #share: number
  #swept = 0

  constructor(options: PriorityLruOptions<Value>) {
    const { limit, levels } = options
    if (limit < 2 * levels) throw new RangeError('too small for so many levels')
    this.#options = options
    this.#levels = Array.from({ length: levels }, () => new Map())
    this.#share = Math.floor(limit / (levels + 1))
  }

  /** How many entries there are, including those that have ended. */
  get size(): number {
    return this.#levels.reduce((sum, { size }) => sum + size, 0)
  }

  /** The value of a key, unless it has ended. */
  find(key: string, now: number): Value | undefined {
    for (const level of this.#levels) {
      const value = level.get(key)
      if (value === undefined) continue
      if (now < value.expires) return value
      level.delete(key)
      return undefined
    }
    return undefined
  }

  /** The values of a level, including those that have ended or whose level has fallen since. */
  at(level: number): Iterable<Value> {
    return this.#levels[level]?.values() ?? []
  }

  /** Puts a value in place of an earlier one of the key, and evicts another when the limit is reached. */
  put(key: string, value: Value, now: number): void {
    this.#drop(key)
    this.#place(key, value, now)
    for (let count = 0; count < SWEEP; count += 1) this.#sweep(now)
    if (this.size > this.#options.limit) this.#makeRoom()
  }

  #place(key: string, value: Value, now: number): void {
    if (now < value.expires) this.#levels[this.#options.levelOf(value, now)]?.set(key, value)
  }

  #drop(key: string): void {
    for (const level of this.#levels) if (level.delete(key)) return
  }

  /** Examines the oldest entry of the next level: removes an ended one, and moves one whose level has fallen. */
  #sweep(now: number): void {
    const [index, level] = this.#nextLevel()
    const [oldest] = level ?? []
    if (level === undefined || oldest === undefined) return
    const [key, value] = oldest
    if (now < value.expires && this.#options.levelOf(value, now) === index) return
    level.delete(key)
    this.#place(key, value, now)
  }

  /** The levels that are not empty, in turn. */
  #nextLevel(): readonly [index: number, level: Map<string, Value> | undefined] {
    for (const _ of this.#levels) {
      this.#swept = (this.#swept + 1) % this.#levels.length
      if ((this.#levels[this.#swept]?.size ?? 0) > 0) break
    }
    return [this.#swept, this.#levels[this.#swept]]
  }

  #makeRoom(): void {
    // The shares of all levels together are less than the limit, so one of them has more.
    const level = this.#levels.find(({ size }) => size > this.#share)
    const [oldest] = level ?? []
    if (level === undefined || oldest === undefined) return
    const [key, value] = oldest
    level.delete(key)
    this.#options.onDropped?.(key, value)
  }
}
