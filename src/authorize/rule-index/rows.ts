// Sets of rules by their positions, as rows of bits: what the index of rules calculates with.

/** One bit for each rule, 32 to a word. */
export type Row = Uint32Array

/** How many words so many rules take. */
export const wordsFor = (count: number): number => Math.ceil(count / 32)

/** Adds one position. */
export const mark = (row: Row, position: number): void => {
  const word = position >>> 5
  row[word] = (row[word] ?? 0) | (1 << (position & 31))
}

/** Removes one position. */
export const unmark = (row: Row, position: number): void => {
  const word = position >>> 5
  row[word] = (row[word] ?? 0) & ~(1 << (position & 31))
}

/** Adds those of another row of the same length. */
const unite = (row: Row, other: Row): void => {
  for (let word = 0; word < row.length; word += 1) row[word] = (row[word] ?? 0) | (other[word] ?? 0)
}

/** Leaves those that another row of the same length has too. */
export const intersect = (row: Row, other: Row): void => {
  for (let word = 0; word < row.length; word += 1) row[word] = (row[word] ?? 0) & (other[word] ?? 0)
}

/** The positions of a row in order, each computed on demand. */
export function* positionsIn(row: Row): Generator<number, void> {
  for (let word = 0; word < row.length; word += 1) {
    let bits = row[word] ?? 0
    while (bits !== 0) {
      yield word * 32 + 31 - Math.clz32(bits & -bits)
      bits &= bits - 1
    }
  }
}

/**
 * Many rows that have most bits in common: each as its difference from those, in the smaller of two
 * forms, so that together they are not larger than the configuration.
 */
export class RowSet {
  readonly #common: Row
  readonly #beyond: ReadonlyMap<string, Row | readonly number[]>

  /**
   * @param common what every row has, and the row of a value that no rule names
   * @param beyond positions that are not in `common`, by value, in order
   */
  constructor(common: Row, beyond: ReadonlyMap<string, readonly number[]>) {
    this.#common = common
    this.#beyond = new Map(
      Array.from(beyond, ([value, positions]) => [value, compact(positions, common.length)]),
    )
  }

  /** Leaves of `row` what the row of the value has too. */
  narrow(row: Row, value: string): void {
    const beyond = this.#beyond.get(value)
    if (beyond === undefined) {
      intersect(row, this.#common)
    } else if (beyond instanceof Uint32Array) {
      for (let word = 0; word < row.length; word += 1) {
        row[word] = (row[word] ?? 0) & ((this.#common[word] ?? 0) | (beyond[word] ?? 0))
      }
    } else {
      const kept = beyond.filter((position) => has(row, position))
      intersect(row, this.#common)
      for (const position of kept) mark(row, position)
    }
  }

  /** Leaves of `row` what the row of one of the values has too. */
  narrowToAny(row: Row, values: readonly string[]): void {
    const any = this.#common.slice()
    for (const value of values) {
      const beyond = this.#beyond.get(value)
      if (beyond === undefined) continue
      if (beyond instanceof Uint32Array) unite(any, beyond)
      else for (const position of beyond) mark(any, position)
    }
    intersect(row, any)
  }
}

const has = (row: Row, position: number): boolean =>
  ((row[position >>> 5] ?? 0) & (1 << (position & 31))) !== 0

const compact = (positions: readonly number[], words: number): Row | readonly number[] => {
  if (positions.length <= words) return positions
  const row = new Uint32Array(words)
  for (const position of positions) mark(row, position)
  return row
}
