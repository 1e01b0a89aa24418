// Opens the configured state. A state that cannot be used as configured stops the start; an unreachable server does
// not, since much of what authz does needs no state.

import {
  statisticsOf,
  type OpenedState,
  type OpeningParts,
  type StoreSize,
} from './opened-state.ts'
import { MemoryRecords } from './memory-records.ts'
import type { KindUsage } from './quotas.ts'
import type { StateSettings } from './settings.ts'
import { memoryState } from './state.ts'

/**
 * Opens the state, once for the life of the process.
 *
 * @throws CountersignError `configuration-invalid`
 */
export const openState = async (
  settings: StateSettings,
  parts: OpeningParts,
): Promise<OpenedState> => {
  switch (settings.kind) {
    case 'memory':
      return openMemory(parts)
    case 'sqlite': {
      const { openSqlite } = await import('./sqlite/open.ts')
      return await openSqlite(settings, parts)
    }
    case 'redis': {
      const { openRedis } = await import('./redis/open.ts')
      return await openRedis(settings, parts)
    }
  }
}

const totalOf = (usage: readonly KindUsage[]): StoreSize => ({
  bytes: usage.reduce((sum, { bytes }) => sum + bytes, 0),
  maxBytes: usage.reduce((sum, { maxBytes }) => sum + maxBytes, 0),
})

const openMemory = (parts: OpeningParts): OpenedState => {
  const { clock } = parts
  const statistics = statisticsOf('memory', 'memory', parts)
  const records = new MemoryRecords(clock, { onRefused: (cause) => statistics.failed(cause) })
  return {
    state: { ...memoryState(clock), records },
    store: {
      kind: 'memory',
      name: '',
      statistics,
      failure: () => statistics.recentFailure,
      dropped: () => records.dropped,
      usage: () => records.usage,
      size: async () => totalOf(records.usage),
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
