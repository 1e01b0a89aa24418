// What requests have to know in common, and, once there is a store for it, the processes too.

import type { Clock } from '../runtime/clock.ts'
import type { AttemptStore } from './attempt-store.ts'
import { MemoryAttempts } from './memory.ts'
import { OpaqueKeys } from './opaque-keys.ts'

/** The configured `state`. It outlives every configuration that uses it. */
export interface State {
  readonly attempts: AttemptStore
  /** Makes the keys under which things are stored. */
  readonly keys: OpaqueKeys
}

/** State that ends with the process. */
export const memoryState = (clock: Clock): State => ({
  attempts: new MemoryAttempts(clock),
  keys: new OpaqueKeys(),
})
