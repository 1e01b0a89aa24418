// Opens state in a SQLite file.

import type { OpenedState, OpeningParts } from '../opened-state.ts'
import { statisticsOf } from '../opened-state.ts'
import { fileQuotas } from '../quotas.ts'
import { RecordSeal } from '../record-seal.ts'
import { following, journalOf, sealedState } from '../sealed-state.ts'
import { secretBeside } from '../secret-file.ts'
import type { StateSettings } from '../settings.ts'
import type { State } from '../state.ts'
import type { StateStatistics } from '../statistics.ts'
import { StoreNames } from '../store-names.ts'
import { SqliteAttempts } from './attempts.ts'
import { StateDatabase } from './database.ts'
import { unusable } from './errors.ts'
import { SqliteRecords } from './records.ts'
import { SqliteReplays } from './replays.ts'
import { sweeper } from './sweep.ts'

const SWEEP_EVERY_MS = 1_000

/**
 * Opens a state file, and makes it if it is absent.
 *
 * @throws CountersignError `configuration-invalid` with what is wrong with it or its secret
 */
export const openSqlite = async (
  settings: Extract<StateSettings, { kind: 'sqlite' }>,
  parts: OpeningParts,
): Promise<OpenedState> => {
  await using stack = new AsyncDisposableStack()
  const { file, maxBytes } = settings
  const { clock } = parts
  const statistics = statisticsOf('sqlite', file, parts)
  const database = stack.use(await StateDatabase.open({ file, maxBytes, clock, statistics }))
  const records = new SqliteRecords(database, fileQuotas(maxBytes))
  const state = await stateIn({ database, records }, settings, { ...parts, statistics, stack })
  stack.use(sweeping(sweeper(database)))
  const owned = stack.move()
  return {
    state,
    store: {
      kind: 'sqlite',
      name: file,
      statistics,
      failure: () => statistics.recentFailure,
      dropped: () => records.dropped,
      usage: () => records.usage,
      size: () => database.size(),
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

interface StateParts extends OpeningParts {
  readonly statistics: StateStatistics
  readonly stack: AsyncDisposableStack
}

const stateIn = async (
  { database, records }: { readonly database: StateDatabase; readonly records: SqliteRecords },
  { file, secret: given }: Extract<StateSettings, { kind: 'sqlite' }>,
  { statistics, clock, logger, stack }: StateParts,
): Promise<State> => {
  try {
    const secret = given ?? secretBeside(file)
    const seal = new RecordSeal(secret)
    const names = new StoreNames(seal, secret)
    await names.agree(records)
    const sealing = { seal, names, statistics, clock, records }
    const journal = journalOf(sealing, file, logger)
    await journal.look()
    stack.use(following(journal))
    return sealedState({
      ...sealing,
      journal,
      attempts: new SqliteAttempts(database),
      replays: (keys) => new SqliteReplays(database, keys),
    })
  } catch (cause) {
    throw unusable(file, cause)
  }
}

/** Sweeps repeatedly. A failure here recurs with the next request, and is counted. */
const sweeping = (sweep: () => Promise<void>): AsyncDisposable => {
  let running: Promise<void> | undefined
  const timer = setInterval(() => {
    running ??= sweep()
      .catch(() => undefined)
      .finally(() => {
        running = undefined
      })
  }, SWEEP_EVERY_MS)
  timer.unref()
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await running
    },
  }
}
