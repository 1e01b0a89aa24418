// How many verifications are under way at once; so many more wait, each source address in turn, and the rest
// is refused.

import { CountersignError } from '../../runtime/errors.ts'
import { FairLimiter } from '../../runtime/fair-limiter.ts'
import { RadiusFailure } from './failure.ts'

/** Bounds what is under way and what waits. */
export class RequestLimiter {
  readonly #limiter: FairLimiter

  constructor(places: number, queue: number) {
    const name = 'passwords for RADIUS'
    this.#limiter = new FairLimiter({ name, concurrency: places, waiting: queue })
  }

  /**
   * Does the work when there is a place for it.
   *
   * @param source those of one wait for each other
   * @param limit milliseconds to wait for a place
   * @throws RadiusFailure `overloaded`; the signal's reason when it aborts while waiting
   */
  async run<T>(
    source: string,
    limit: number,
    signal: AbortSignal,
    work: () => Promise<T>,
  ): Promise<T> {
    const ended = AbortSignal.timeout(Math.ceil(limit))
    let hasBegun = false
    const begin = async (): Promise<T> => {
      hasBegun = true
      return await work()
    }
    try {
      return await this.#limiter.run(source, AbortSignal.any([signal, ended]), begin)
    } catch (cause) {
      if (hasBegun || signal.aborted) throw cause
      const message =
        cause instanceof CountersignError
          ? cause.message
          : `no budget at RADIUS within ${Math.round(limit)} ms`
      throw new RadiusFailure('overloaded', message, { cause })
    }
  }
}
