// A store that has other readers → state whose content they cannot read.

import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { AttemptStore } from './attempt-store.ts'
import { FallbackAttempts } from './fallback-attempts.ts'
import { MemoryAttempts } from './memory.ts'
import type { DerivedKeys } from './derived-keys.ts'
import type { RecordSeal } from './record-seal.ts'
import type { RecordStore } from './record-store.ts'
import { RevocationJournal, type Rollback } from './revocation-journal.ts'
import type { ReplayMemory } from './replay-memory.ts'
import { SealedAttempts } from './sealed-attempts.ts'
import { SealedRecords } from './sealed-records.ts'
import type { State } from './state.ts'
import type { StateStatistics } from './statistics.ts'
import type { StoreNames } from './store-names.ts'

/** The parts of a store, and how their content is hidden. */
export interface SealedParts {
  readonly seal: RecordSeal
  readonly names: StoreNames
  readonly statistics: StateStatistics
  readonly clock: Clock
  readonly attempts: AttemptStore
  readonly records: RecordStore
  readonly replays: (keys: DerivedKeys) => ReplayMemory
  readonly journal: RevocationJournal
}

/** State in that store. */
export const sealedState = (parts: SealedParts): State => {
  const { seal, names, statistics, attempts, records, replays, journal, clock } = parts
  const { keys } = names
  return {
    attempts: new FallbackAttempts(new SealedAttempts(attempts, seal), new MemoryAttempts(clock)),
    replays: replays(keys),
    records: new SealedRecords(records, {
      seal,
      keys,
      journal,
      clock,
      onUnopened: () => statistics.notOpened(),
    }),
    keys,
  }
}

/** A journal of a store, which logs rollbacks for operators. */
export const journalOf = (
  {
    seal,
    names,
    records,
    statistics,
    clock,
  }: Omit<SealedParts, 'attempts' | 'replays' | 'journal'>,
  store: string,
  logger: Logger,
): RevocationJournal =>
  new RevocationJournal({
    records,
    seal,
    keys: names.keys,
    clock,
    onRollback(rollback) {
      statistics.rolledBack(rollback)
      logger.error({ store, rollback }, ROLLBACK[rollback])
    },
  })

const ROLLBACK: Readonly<Record<Rollback, string>> = {
  restored:
    'the state was reset to an earlier one; every revocation since was known and has been written again',
  'revoked-all':
    'the state was reset to an earlier one, emptied or changed by another writer; all earlier sessions and tokens are revoked',
}

// A process that reads records follows the journal by itself (`RevocationJournal.fresh`); this is for an idle one.
const LOOK_EVERY_MS = 30_000

/** Keeps an idle process up to date with other processes' revocations. A failure here recurs with the next request. */
export const following = (journal: RevocationJournal): Disposable => {
  const timer = setInterval(() => void journal.look().catch(() => undefined), LOOK_EVERY_MS)
  timer.unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
