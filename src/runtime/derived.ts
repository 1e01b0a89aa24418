// What follows from an object alone, kept with it: worked out once for an identity that comes back with each request.
//
// A WeakMap does the same. With one for each thing that is worked out and 10,000 identities, the lookups of a check take
// some microseconds, since each is in another part of memory, and garbage collection pauses for their tables.

const KEPT = Symbol('derived')

// More than the transformers and routes that one identity is used with; beyond it, all are worked out again.
const MOST = 16

/** The values of one object, by the numbers of what derived them. */
class Kept {
  readonly numbers: number[] = []
  readonly values: unknown[] = []
}

interface Owner {
  readonly [KEPT]?: Kept
}

/**
 * Prepares an object to keep what follows from it; it must not be frozen yet. A copy of the object keeps nothing, and
 * neither JSON nor a comparison shows it.
 */
export const keepsDerived = <T extends object>(owner: T): T => {
  if (!Object.hasOwn(owner, KEPT) && Object.isExtensible(owner)) {
    Object.defineProperty(owner, KEPT, { value: new Kept() })
  }
  return owner
}

let last = 0

/**
 * One thing that follows from objects of a kind. It is known to them by a number, so that an object that is kept for
 * long, such as a cached credential, retains nothing of a configuration that has been replaced.
 */
export class Derived<K extends object, V> {
  readonly #number = (last += 1)
  /** For objects that were not prepared. */
  #others: WeakMap<K, V> | undefined

  /** What is kept for the object. */
  get(owner: K & Owner): V | undefined {
    const kept = owner[KEPT]
    if (kept === undefined) return this.#others?.get(owner)
    const { numbers, values } = kept
    for (let at = 0; at < numbers.length; at++) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only `set` below writes under this number
      if (numbers[at] === this.#number) return values[at] as V
    }
    return undefined
  }

  /** Keeps a value, in place of an earlier one. */
  set(owner: K & Owner, value: V): void {
    const kept = owner[KEPT]
    if (kept === undefined) {
      this.#others ??= new WeakMap()
      this.#others.set(owner, value)
      return
    }
    const { numbers, values } = kept
    const known = numbers.indexOf(this.#number)
    if (known === -1 && numbers.length >= MOST) {
      numbers.length = 0
      values.length = 0
    }
    const at = known === -1 ? numbers.length : known
    numbers[at] = this.#number
    values[at] = value
  }
}
