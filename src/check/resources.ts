// What outlives a configuration and is lent to each.

import type { RevocationSources } from '../authenticate/certificate/revocation-sources.ts'
import type { FactMemory } from '../authenticate/facts.ts'
import type { HashPool } from '../authenticate/password/hash.ts'
import type { KeySets } from '../authenticate/token/key-sets.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { ReplayMemory } from '../state/replay-memory.ts'
import type { State } from '../state/state.ts'

/** What outlives a configuration and is lent to each. */
export interface SnapshotResources {
  readonly memory: FactMemory
  readonly hashes: HashPool
  readonly keySets: KeySets
  readonly revocations: RevocationSources
  readonly replays: ReplayMemory
  readonly state: State
  readonly clock: Clock
  readonly logger: Logger
}
