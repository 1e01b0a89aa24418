// What outlives a configuration and is lent to each.

import type { FactMemory } from '../authenticate/facts.ts'
import type { HashPool } from '../authenticate/password/hash.ts'
import type { KeySets } from '../authenticate/token/key-sets.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'

/** What outlives a configuration and is lent to each. */
export interface SnapshotResources {
  readonly memory: FactMemory
  readonly hashes: HashPool
  readonly keySets: KeySets
  readonly clock: Clock
  readonly logger: Logger
}
