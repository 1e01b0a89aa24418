// The line of the log that says from time to time what the service has done.

import { isDeepStrictEqual } from 'node:util'
import type { Logger } from '../runtime/logger.ts'
import type { SdsService } from './service.ts'

const INTERVAL_MS = 60_000

/** Logs the statistics from time to time, when they are not what they were. */
export const logStatistics = (sds: SdsService, logger: Logger): Disposable => {
  let last = sds.statistics()
  const timer = setInterval(() => {
    const now = sds.statistics()
    if (!isDeepStrictEqual(now, last)) logger.info(now, 'statistics')
    last = now
  }, INTERVAL_MS)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
