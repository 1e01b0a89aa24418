// Problems found one after another while the parts of a configuration are read.

import { CountersignError } from '../runtime/errors.ts'
import type { Locate } from './document.ts'
import { ConfigurationError, type Problem } from './problem.ts'

/** Runs steps that may fail as expected, and keeps what they fail with. */
export class ProblemList {
  readonly #problems: Problem[] = []
  readonly #locate: Locate

  constructor(locate: Locate) {
    this.#locate = locate
  }

  /**
   * Runs one step; an expected failure becomes problems at the path, so that the next step's show up
   * too. A bug is thrown on.
   */
  async collect<T>(
    path: readonly PropertyKey[],
    step: () => T | Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await step()
    } catch (cause) {
      if (cause instanceof ConfigurationError) this.#problems.push(...cause.problems)
      else if (cause instanceof CountersignError) {
        this.#problems.push(this.#locate(path, cause.message))
      } else throw cause
      return undefined
    }
  }

  /** Takes down one problem. */
  add(path: readonly PropertyKey[], message: string): void {
    this.#problems.push(this.#locate(path, message))
  }

  /** All problems as an error; `undefined` when there is none. */
  get error(): ConfigurationError | undefined {
    return this.#problems.length === 0 ? undefined : new ConfigurationError(this.#problems)
  }
}
