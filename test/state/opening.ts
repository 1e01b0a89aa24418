// State opened for tests, as authz opens it.

import { systemClock, type Clock } from '../../src/runtime/clock.ts'
import { openState } from '../../src/state/open.ts'
import type { OpenedState } from '../../src/state/opened-state.ts'
import type { StateSettings } from '../../src/state/settings.ts'
import { memoryLogger } from '../fakes/logger.ts'

/** Opens it, and gives the lines of its log too. */
export const opened = async (
  settings: StateSettings,
  clock: Clock = systemClock,
): Promise<OpenedState & { readonly lines: readonly string[] }> => {
  const { logger, lines } = memoryLogger()
  return { ...(await openState(settings, { clock, logger })), lines }
}

/** Settings of a state file with the secret next to it. */
export const fileSettings = (file: string): Extract<StateSettings, { kind: 'sqlite' }> => ({
  kind: 'sqlite',
  file,
  maxBytes: 1e9,
  secret: undefined,
})
