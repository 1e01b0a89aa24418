// Says, in the log and in the audit log, what became of each reload.

import { isDeepStrictEqual } from 'node:util'
import type { AuditEvent } from '../audit/event.ts'
import type { AuditSink } from '../audit/sink.ts'
import { ConfigurationError, formatProblem } from '../config/problem.ts'
import type { ReloadReports } from '../config/reload.ts'
import { describeError } from '../runtime/errors.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Snapshot } from './snapshot.ts'

/** Reports on the reloads of one configuration file. */
export const reloadReports = (
  file: string,
  audit: AuditSink,
  logger: Logger,
): ReloadReports<Snapshot> => {
  const record = (event: AuditEvent): void => {
    audit.write(event).catch((cause: unknown) => {
      logger.error({ err: cause, event }, 'audit event lost')
    })
  }
  return {
    onLoaded({ value, generation }, previous) {
      logger.level = value.config.log.level
      record({ event: 'configuration-loaded', generation, file })
      logger.info({ generation, file }, 'configuration loaded')
      const restart = needRestart(previous.value, value)
      if (restart.length > 0) logger.warn({ keys: restart }, 'change takes effect after a restart')
    },
    onRejected(cause, { generation }) {
      const problems =
        cause instanceof ConfigurationError
          ? cause.problems.map(formatProblem)
          : [describeError(cause)]
      record({ event: 'configuration-rejected', generation, file, problems })
      logger.error(
        { generation, file, problems },
        'configuration rejected, the last good one stays',
      )
    },
  }
}

/** The changed keys that are read only at the start. */
const needRestart = (before: Snapshot, after: Snapshot): readonly string[] => [
  ...(isDeepStrictEqual(before.config.listen, after.config.listen) ? [] : ['listen']),
  ...(isDeepStrictEqual(before.tls, after.tls) ? [] : ['listen.authz.tls']),
  ...(before.config.audit.file === after.config.audit.file ? [] : ['audit.file']),
]
