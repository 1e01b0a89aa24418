// A configuration built as the service builds it, for commands that judge no credential: nothing is
// fetched and no request is sent, so that it can be tried where no server is in reach.

import type { ConfigurationFiles } from '../config/files.ts'
import { ALL_ACTIVE } from '../logins/status.ts'
import { systemClock } from '../runtime/clock.ts'
import { createLogger } from '../runtime/logger.ts'
import { processResources } from '../check/resources.ts'
import { buildSnapshot, type Snapshot } from '../check/snapshot.ts'

/**
 * Reads a configuration and everything it names. Its key sets and revocation lists stay empty.
 *
 * @throws ConfigurationError with every problem found
 */
export const buildOffline = async (file: string, files: ConfigurationFiles): Promise<Snapshot> => {
  // No state is read, so no login is known to have ended.
  const options = { idle: true, loginStatus: ALL_ACTIVE }
  const resources = processResources(systemClock, createLogger('error'), options)
  return await buildSnapshot(file, files, resources)
}
