// Removes ended entries from a state file, in steps so small that no request waits noticeably.

import { setImmediate } from 'node:timers/promises'
import type { StateDatabase } from './database.ts'

// Some hundred microseconds each.
const STEP = 100
const MOST_STEPS = 50

const TABLES = [
  { table: 'records', key: 'id' },
  { table: 'counters', key: 'key' },
  { table: 'notes', key: 'key' },
  { table: 'lockouts', key: 'key' },
] as const

/** Makes the function that sweeps once through a file; it rejects when the file is unavailable. */
export const sweeper = (database: StateDatabase): (() => Promise<void>) => {
  const steps = TABLES.map(({ table, key }) =>
    database.prepare(
      `DELETE FROM ${table} WHERE ${key} IN (SELECT ${key} FROM ${table} WHERE ends <= ? LIMIT ${STEP})`,
    ),
  )
  const latest = database.prepare(
    `SELECT max(ends) AS ends FROM (SELECT ends FROM uses WHERE ends <= ? ORDER BY ends LIMIT ${STEP})`,
  )
  const remember = database.prepare('UPDATE swept_uses SET until = max(until, ?)')
  const forget = database.prepare('DELETE FROM uses WHERE ends <= ?')
  // One transaction: no use is forgotten before the time until which uses are forgotten is recorded.
  const forgetUses = (): number | bigint => {
    const ends = latest.get(database.now())?.['ends']
    if (typeof ends !== 'number') return 0
    remember.run(ends)
    return forget.run(ends).changes
  }
  return async () => {
    for (let count = 0; count < MOST_STEPS; count += 1) {
      const removed = await database.transaction('sweep', () => [
        ...steps.map((step) => step.run(database.now()).changes),
        forgetUses(),
      ])
      if (removed.every((changes) => changes < STEP)) return
      await setImmediate()
    }
  }
}
