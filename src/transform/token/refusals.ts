// What a server refused a moment ago, so that a client in a loop costs it no question each time.
// Bounded, and for some seconds: what was mended works after that.

import { LONGEST_REJECTION } from '../../authenticate/credential-cache.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Transformation } from '../transformer.ts'

/** A refusal, as the transform phase has it. */
export type RefusedToken = Extract<Transformation, { outcome: 'failed' }>

/**
 * Passed through a cache of tokens, which holds nothing then, to all requests that wait. Never
 * leaves the transformer: a refusal is an outcome.
 */
export class TokenRefusal extends Error {
  readonly refused: RefusedToken

  constructor(refused: RefusedToken) {
    super('no token: refused')
    this.refused = refused
  }
}

// Some hundred KB. A flood of them drives out only the oldest, which cost a question then.
const MAX_ENTRIES = 1_000

/** The refusals of the last seconds, by key. */
export class Refusals {
  readonly #clock: Clock
  readonly #lifetime: number
  // The oldest come first. By the monotonic clock, so that one which is set back prolongs nothing.
  readonly #known = new Map<string, { readonly refused: RefusedToken; readonly until: number }>()

  /** @param remember how long tokens are, in milliseconds: refusals no longer */
  constructor(clock: Clock, remember: number) {
    this.#clock = clock
    this.#lifetime = Math.min(remember, LONGEST_REJECTION)
  }

  /** The refusal that is remembered. */
  recall(key: string): RefusedToken | undefined {
    const known = this.#known.get(key)
    if (known === undefined || this.#clock.monotonic() < known.until) return known?.refused
    this.#known.delete(key)
    return undefined
  }

  /** Remembers one. */
  remember(key: string, refused: RefusedToken): void {
    this.#known.delete(key)
    const [oldest] = this.#known.size < MAX_ENTRIES ? [] : this.#known.keys()
    if (oldest !== undefined) this.#known.delete(oldest)
    this.#known.set(key, { refused, until: this.#clock.monotonic() + this.#lifetime })
  }
}
