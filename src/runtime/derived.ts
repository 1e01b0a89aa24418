// What follows from an object alone, kept with it: worked out once for an identity that comes back with each request.
//
// A WeakMap does the same. With one for each thing that is worked out and 10,000 identities, the lookups of a check take
// some microseconds, since each is in another part of memory, and garbage collection pauses for their tables.

const KEPT = Symbol('derived')

// More than the transformers and routes that one identity is used with; beyond it, all are worked out again.
const MOST = 16

/** A value, and the next one of the same object. */
class Value {
  /** Of what derived it; 0 for none. */
  number: number
  value: unknown
  next: Value | undefined

  constructor(number: number, value: unknown, next: Value | undefined) {
    this.number = number
    this.value = value
    this.next = next
  }
}

/** The values of one object. It is the first of them itself: 10,000 identities have 50,000 such objects, most with one value. */
class Kept extends Value {
  count = 0

  constructor() {
    super(0, undefined, undefined)
  }

  /** @param number of what derived it */
  find(number: number): Value | undefined {
    if (this.number === number) return this
    for (let at = this.next; at !== undefined; at = at.next) if (at.number === number) return at
    return undefined
  }

  add(number: number, value: unknown): void {
    if (this.count >= MOST) this.count = 0
    if (this.count === 0) {
      this.number = number
      this.value = value
      this.next = undefined
    } else {
      this.next = new Value(number, value, this.next)
    }
    this.count += 1
  }
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

/** Whether the object was prepared, so that to keep a value with it costs little. */
export const hasRoomForDerived = (owner: object & Owner): boolean => owner[KEPT] !== undefined

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
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only `set` below writes under this number
    return kept.find(this.#number)?.value as V | undefined
  }

  /** Keeps a value, in place of an earlier one. */
  set(owner: K & Owner, value: V): void {
    const kept = owner[KEPT]
    if (kept === undefined) {
      this.#others ??= new WeakMap()
      this.#others.set(owner, value)
      return
    }
    const known = kept.find(this.#number)
    if (known !== undefined) {
      known.value = value
      return
    }
    kept.add(this.#number, value)
  }
}
