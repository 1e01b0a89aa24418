// What devices may cost: user codes are short, so guesses at them are limited (RFC 8628 §5.1), and each device
// code takes room until it expires, so there are not too many at once.

import type { AttemptScope, Pace, Reservation } from '../../state/attempt-store.ts'
import type { State } from '../../state/state.ts'
import { countedSource } from '../../runtime/counted-source.ts'

// Guesses. A user code is one of 20^8, valid for ten minutes. Of one source, or one user who is logged in: ten
// wrong ones, then ten minutes without any.
const GUESSES: Pace = {
  attempts: 5,
  backOff: 1_000,
  lockAfter: 10,
  lockFor: 600_000,
  forget: 120_000,
}

/** A bucket of so many, of which one is given back in each `forget` milliseconds. */
const bucket = (most: number, forget: number): Pace => ({
  attempts: most,
  backOff: forget,
  lockAfter: most,
  lockFor: forget,
  forget,
})

// Guesses of all sources together, by browsers that are not logged in. With 1,000 codes waiting, one guess in
// 25 million is right.
const ALL_GUESSES = bucket(600, 1_000)

// Device codes, which are valid for ten minutes: of one source for public clients, and of one client.
const REQUESTS_OF_SOURCE = bucket(60, 10_000)
const REQUESTS_OF_CLIENT = bucket(1_000, 600)

/** The caller that enters a user code. */
export interface DeviceCaller {
  /** An IP address. */
  readonly source: string
  /** The user who is logged in with the browser; absent where there is none. */
  readonly user?: string | undefined
}

/** Whether a code may be looked up. */
export type GuessReservation =
  | { readonly outcome: 'taken'; readonly settle: (isWrong: boolean) => Promise<void> }
  | {
      readonly outcome: 'limited'
      /** Whole seconds, at least 1. */
      readonly retryAfter: number
      /** Whether a browser that is logged in need not wait: other sources have guessed too often. */
      readonly loginHelps: boolean
    }

/** The limits of one issuer. Each call rejects where attempts cannot be counted: then nothing is looked up. */
export class DeviceLimits {
  readonly #state: Pick<State, 'attempts' | 'keys'>

  constructor(state: Pick<State, 'attempts' | 'keys'>) {
    this.#state = state
  }

  /** Before a user code is looked up. It counts as wrong until it is settled. */
  async enter({ source, user }: DeviceCaller): Promise<GuessReservation> {
    const { attempts } = this.#state
    const own = this.#scope('source', countedSource(source), GUESSES)
    const further =
      user === undefined ? this.#scope('all', '', ALL_GUESSES) : this.#scope('user', user, GUESSES)
    const result = await attempts.take([own, further])
    if (result.outcome === 'wait') {
      const [ofSource = 0] = result.waits
      const loginHelps = user === undefined && ofSource === 0
      return { outcome: 'limited', retryAfter: inSeconds(result.waits), loginHelps }
    }
    return {
      outcome: 'taken',
      settle: async (isWrong) => await this.#settle(result.reservations, isWrong ? 1 : 0),
    }
  }

  /**
   * Before a device code is made.
   *
   * @param source absent for a client that has authenticated: it may request codes for many devices
   * @returns whole seconds to wait; `undefined` where it may be made
   */
  async request(client: string, source: string | undefined): Promise<number | undefined> {
    const ofClient = this.#scope('request-client', client, REQUESTS_OF_CLIENT)
    const scopes =
      source === undefined
        ? [ofClient]
        : [ofClient, this.#scope('request-source', countedSource(source), REQUESTS_OF_SOURCE)]
    const result = await this.#state.attempts.take(scopes)
    if (result.outcome === 'wait') return inSeconds(result.waits)
    await this.#settle(result.reservations, 1)
    return undefined
  }

  async #settle(reservations: readonly Reservation[], failures: number): Promise<void> {
    await this.#state.attempts.settle(
      reservations.map((reservation) => ({ reservation, failures })),
    )
  }

  #scope(kind: string, name: string, pace: Pace): AttemptScope {
    return { key: this.#state.keys.of('device', kind, name), pace, binding: true, weight: 1 }
  }
}

const inSeconds = (waits: readonly number[]): number =>
  Math.max(1, Math.ceil(Math.max(...waits) / 1_000))
