// So many at a time, so many waiting, and no more: what bounds the connections to a directory, and
// what a slow one can make us hold.

import { CountersignError } from '../../../runtime/errors.ts'

/** Lets a number of pieces of work run at a time, in the order in which they came. */
export class Limiter {
  readonly #concurrency: number
  readonly #mostWaiting: number
  readonly #waiting = new Set<() => void>()
  #running = 0

  constructor(concurrency: number, mostWaiting: number) {
    this.#concurrency = concurrency
    this.#mostWaiting = mostWaiting
  }

  /**
   * Runs the work once there is room.
   *
   * @throws CountersignError `overloaded` when too many wait; the signal's reason when it aborts first
   */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#enter(signal)
    try {
      return await work()
    } finally {
      const [next] = this.#waiting
      // The room goes on to the next: nobody who comes later can take it from under it.
      if (next === undefined) this.#running -= 1
      else next()
    }
  }

  async #enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#running < this.#concurrency) {
      this.#running += 1
      return
    }
    if (this.#waiting.size >= this.#mostWaiting) {
      const message = `${this.#mostWaiting} users wait for the directory already`
      throw new CountersignError('overloaded', message)
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const admit = (): void => {
      this.#waiting.delete(admit)
      resolve()
    }
    const onAbort = (): void => {
      this.#waiting.delete(admit)
      reject(signal.reason)
    }
    this.#waiting.add(admit)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      await promise
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }
}
