// State files for tests, by a clock of their own.

import { StateDatabase, type DatabaseOptions } from '../../../src/state/sqlite/database.ts'
import { StateStatistics } from '../../../src/state/statistics.ts'
import { FakeClock } from '../../fakes/clock.ts'

/** Opens a file, or makes it. */
export const openFile = async (
  file: string,
  options: Partial<DatabaseOptions> = {},
): Promise<StateDatabase> => {
  const clock = options.clock ?? new FakeClock()
  const statistics = new StateStatistics(clock, () => undefined)
  return await StateDatabase.open({ file, maxBytes: 1e9, clock, statistics, ...options })
}
