// A store that others can read → state that shows them nothing.

import type { Clock } from '../runtime/clock.ts'
import type { AttemptStore } from './attempt-store.ts'
import { FallbackAttempts } from './fallback-attempts.ts'
import { MemoryAttempts } from './memory.ts'
import type { OpaqueKeys } from './opaque-keys.ts'
import type { RecordSeal } from './record-seal.ts'
import type { RecordStore } from './record-store.ts'
import type { ReplayMemory } from './replay-memory.ts'
import { SealedAttempts } from './sealed-attempts.ts'
import { SealedRecords } from './sealed-records.ts'
import type { State } from './state.ts'
import type { StateStatistics } from './statistics.ts'
import type { StoreNames } from './store-names.ts'

/** The parts of a store, as they are kept, and what hides them. */
export interface SealedParts {
  readonly seal: RecordSeal
  readonly names: StoreNames
  readonly statistics: StateStatistics
  readonly clock: Clock
  readonly attempts: AttemptStore
  readonly records: RecordStore
  readonly replays: (keys: OpaqueKeys) => ReplayMemory
}

/** State in that store. */
export const sealedState = (parts: SealedParts): State => {
  const { seal, names, statistics, attempts, records, replays, clock } = parts
  const { keys } = names
  return {
    attempts: new FallbackAttempts(new SealedAttempts(attempts, seal), new MemoryAttempts(clock)),
    replays: replays(keys),
    records: new SealedRecords(records, { seal, keys, onUnopened: () => statistics.notOpened() }),
    keys,
  }
}
