// How many verifications are under way at once; so many more wait their turn, and the rest is refused.

import { RadiusFailure } from './failure.ts'

/** Bounds what is under way and what waits. */
export class Gate {
  readonly #places: number
  readonly #queue: number
  #inside = 0
  readonly #waiting = new Set<() => void>()

  constructor(places: number, queue: number) {
    this.#places = places
    this.#queue = queue
  }

  /**
   * Does the work when there is a place for it.
   *
   * @param limit milliseconds to wait for one
   * @throws RadiusFailure `overloaded`; the signal's reason when it aborts while waiting
   */
  async run<T>(limit: number, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted()
    if (this.#inside < this.#places) this.#inside += 1
    else await this.#turn(limit, signal)
    try {
      return await work()
    } finally {
      this.#leave()
    }
  }

  async #turn(limit: number, signal: AbortSignal): Promise<void> {
    if (this.#waiting.size >= this.#queue) {
      throw new RadiusFailure('overloaded', `${this.#queue} passwords wait for RADIUS already`)
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const onAbort = (): void => reject(signal.reason)
    const timer = setTimeout(() => {
      reject(new RadiusFailure('overloaded', `no turn at RADIUS within ${Math.round(limit)} ms`))
    }, limit)
    signal.addEventListener('abort', onAbort, { once: true })
    this.#waiting.add(resolve) // the place is handed over by #leave, still counted as inside
    try {
      await promise
    } finally {
      this.#waiting.delete(resolve)
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
  }

  #leave(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#inside -= 1
      return
    }
    this.#waiting.delete(next)
    next()
  }
}
