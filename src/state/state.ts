// Data that requests share, and the processes too where several use one store.

import type { Clock } from '../runtime/clock.ts'
import type { AttemptStore } from './attempt-store.ts'
import { MemoryRecords } from './memory-records.ts'
import { MemoryAttempts } from './memory.ts'
import { DerivedKeys } from './derived-keys.ts'
import type { RevocableRecords } from './record-store.ts'
import { ProcessReplayMemory, type ReplayMemory } from './replay-memory.ts'

/** The configured `state`. It outlives every configuration that uses it. */
export interface State {
  readonly attempts: AttemptStore
  readonly replays: ReplayMemory
  readonly records: RevocableRecords
  /** Makes the keys under which attempts are stored. */
  readonly keys: DerivedKeys
}

/** State that ends with the process. */
export const memoryState = (clock: Clock): State => ({
  attempts: new MemoryAttempts(clock),
  replays: new ProcessReplayMemory(clock),
  records: new MemoryRecords(clock),
  keys: new DerivedKeys(),
})
