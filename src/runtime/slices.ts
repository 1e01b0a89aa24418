// Long work on the event loop, cut into slices: between them, what else is due has its turn.

import { setImmediate as nextTurn } from 'node:timers/promises'

// A check that arrives during a slice waits for its end, and for a collection of the heap if it has one. Long against the
// few microseconds that a turn of the event loop costs.
const SLICE_MS = 2

/** When this turn of the event loop had its first slice: what is sliced shares the turn, one piece of work after another. */
class Turn {
  readonly now: () => number
  #began: number | undefined

  /** @param now a monotonic clock in milliseconds */
  constructor(now: () => number) {
    this.now = now
  }

  /** When its first slice began: now, unless there was one. */
  begin(): number {
    if (this.#began !== undefined) return this.#began
    // Runs before the slices that begin in the next turn: they are queued behind it.
    setImmediate(() => {
      this.#began = undefined
    })
    return (this.#began = this.now())
  }
}

const turn = new Turn(() => performance.now())

/** The slices of one piece of work. Call {@link pause} between its steps, each short against a slice. */
export class Slices {
  readonly #length: number
  readonly #turn: Turn
  #end: number

  /**
   * @param length of a slice in milliseconds
   * @param now a monotonic clock in milliseconds, of this work alone; default: that of the process
   */
  constructor(length = SLICE_MS, now?: () => number) {
    this.#length = length
    this.#turn = now === undefined ? turn : new Turn(now)
    this.#end = this.#turn.begin() + length
  }

  /** `undefined` while the slice lasts; afterwards a promise that resolves in a later turn of the event loop. */
  pause(): Promise<void> | undefined {
    return this.#turn.now() < this.#end ? undefined : this.#next()
  }

  /** Does work that yields between its steps, and returns its result. */
  async run<T>(work: Iterator<unknown, T>): Promise<T> {
    for (;;) {
      const step = work.next()
      if (step.done === true) return step.value
      const pause = this.pause()
      if (pause !== undefined) await pause
    }
  }

  async #next(): Promise<void> {
    await nextTurn()
    this.#end = this.#turn.begin() + this.#length
  }
}

/** Does the same work without a pause. */
export const atOnce = <T>(work: Iterator<unknown, T>): T => {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}
