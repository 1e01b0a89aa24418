// The rest of entries that a bounded memory evicted: for each group of keys, the greatest number that was evicted. So
// no decisive number is forgotten; a key may get the number of another key of its group.

// A power of two: 512 KiB, allocated at the first eviction.
const GROUPS = 65_536

/** For each key the greatest number that was raised for it, or for another key of its group. */
export class Floors {
  #numbers: Float64Array | undefined

  /** Raises the number of a key's group; it never falls. */
  raise(key: string, number: number): void {
    this.#numbers ??= new Float64Array(GROUPS)
    const group = groupOf(key)
    this.#numbers[group] = Math.max(this.#numbers[group] ?? 0, number)
  }

  /** The number of a key's group; 0 where none was raised. */
  of(key: string): number {
    return this.#numbers?.[groupOf(key)] ?? 0
  }
}

// FNV-1a (draft-eastlake-fnv). The keys are keyed hashes, so clients cannot choose colliding ones.
const groupOf = (key: string): number => {
  let hash = 0x81_1c_9d_c5
  for (let index = 0; index < key.length; index += 1) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01_00_01_93)
  }
  return (hash ^ (hash >>> 16)) & (GROUPS - 1)
}
