// State that was opened: what is kept, and how whatever keeps it is.

import type { Clock } from '../runtime/clock.ts'
import { describeError } from '../runtime/errors.ts'
import type { Logger } from '../runtime/logger.ts'
import type { State } from './state.ts'
import { StateStatistics } from './statistics.ts'

/** State, and what is told of it. Disposing of it ends its connections. */
export interface OpenedState extends AsyncDisposable {
  readonly state: State
  readonly store: StoreHealth
}

/** What is told of a store. */
export interface StoreHealth {
  readonly kind: 'memory' | 'sqlite' | 'redis'
  /** The file or the server, without what is secret about it; empty for memory. */
  readonly name: string
  /** Why it cannot be read or written now, where it cannot; of memory, that it is full. */
  readonly failure: () => unknown
  /** Memory has no operations: they cost less than counting them. */
  readonly statistics: StateStatistics
  /** How many anonymous records were dropped before their end, for want of room. */
  readonly dropped: () => number
}

/** What opening needs besides the settings. */
export interface OpeningParts {
  readonly clock: Clock
  readonly logger: Logger
}

/** Counts what a store is asked; the first failure after a while is in the log. */
export const statisticsOf = (store: string, { clock, logger }: OpeningParts): StateStatistics =>
  new StateStatistics(clock, (cause) => {
    logger.warn({ store, reason: describeError(cause) }, 'state could not be read or written')
  })
