// An opened state, and the health of its store.

import type { Clock } from '../runtime/clock.ts'
import { describeError } from '../runtime/errors.ts'
import type { Logger } from '../runtime/logger.ts'
import type { RequestDurations } from '../runtime/request-durations.ts'
import type { KindUsage } from './quotas.ts'
import type { State } from './state.ts'
import { StateStatistics } from './statistics.ts'

/** State, and the health of its store. Disposing of it closes its connections. */
export interface OpenedState extends AsyncDisposable {
  readonly state: State
  readonly store: StoreHealth
}

/** The health of a store. */
export interface StoreHealth {
  readonly kind: 'memory' | 'sqlite' | 'redis'
  /** The file or the server, without secrets; empty for memory. */
  readonly name: string
  /** Why the store is unavailable now, or `undefined`; for memory, that it is full. */
  readonly failure: () => unknown
  /** Memory has no operations here: counting them would cost more than they do. */
  readonly statistics: StateStatistics
  /** How many anonymous records were evicted before their end. */
  readonly dropped: () => number
  /** How much of its room each kind of record takes; absent for Redis, whose server has the figures. */
  readonly usage?: () => readonly KindUsage[]
  /** Rejects while the store does not answer; `undefined` where it does not permit the question. */
  readonly size?: () => Promise<StoreSize | undefined>
}

/** The size of a store. Of Redis: of the whole server, with what other clients store. */
export interface StoreSize {
  readonly bytes: number
  /** Absent for a Redis without `maxmemory`. */
  readonly maxBytes?: number
  /** The keys of the database; of Redis alone. */
  readonly keys?: number
}

/** What opening a state needs besides the settings. */
export interface OpeningParts {
  readonly clock: Clock
  readonly logger: Logger
  /** Measures the operations on a state file or a state server. */
  readonly durations?: RequestDurations
}

/** Counts the operations of a store; the first failure after a while is logged. */
export const statisticsOf = (
  kind: StoreHealth['kind'],
  store: string,
  { clock, logger, durations }: OpeningParts,
): StateStatistics => {
  const onTrouble = (cause: unknown): void =>
    logger.warn({ store, reason: describeError(cause) }, 'state could not be read or written')
  // Operations on memory are not measured.
  const measured = kind === 'memory' ? undefined : durations?.of(kind, store)
  return new StateStatistics(clock, onTrouble, measured)
}
