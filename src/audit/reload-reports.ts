// Writes the result of each reload to the log and to the audit log.

import { isDeepStrictEqual } from 'node:util'
import { ConfigurationError, formatProblem } from '../config/problem.ts'
import type { ReloadReports } from '../config/reload.ts'
import { describeError } from '../runtime/errors.ts'
import type { Logger } from '../runtime/logger.ts'
import type { AuditEvent } from './event.ts'
import type { AuditSink } from './sink.ts'

/** Keys that are read at the start only, each with the part of a configuration whose change needs a restart. */
export type StartKeys<T> = Readonly<Record<string, (value: T) => unknown>>

/** The configuration file, and the fields of its reload events. */
export interface ReloadReportsOptions<T> {
  /** The configuration file. */
  readonly file: string
  readonly audit: AuditSink
  readonly logger: Logger
  /** How much a configuration has logged. */
  logLevel(value: T): string
  /** The keys that are read at the start only. */
  readonly startKeys: StartKeys<T>
}

/** Reports on the reloads of one configuration file. */
export const reportReloads = <T>(options: ReloadReportsOptions<T>): ReloadReports<T> => {
  const { file, audit, logger } = options
  const record = (event: AuditEvent): void => {
    audit.write(event).catch((cause: unknown) => {
      logger.error({ err: cause, event }, 'audit event lost')
    })
  }
  return {
    onLoaded({ value, generation }, previous) {
      logger.level = options.logLevel(value)
      record({ event: 'configuration-loaded', generation, file })
      logger.info({ generation, file }, 'configuration loaded')
      const keys = changed(options.startKeys, previous.value, value)
      if (keys.length > 0) logger.warn({ keys }, 'change takes effect after a restart')
    },
    onRejected(cause, { generation }) {
      const problems =
        cause instanceof ConfigurationError
          ? cause.problems.map(formatProblem)
          : [describeError(cause)]
      record({ event: 'configuration-rejected', generation, file, problems })
      logger.error(
        { generation, file, problems },
        'configuration rejected, the previous one stays active',
      )
    },
  }
}

const changed = <T>(keys: StartKeys<T>, before: T, after: T): readonly string[] =>
  Object.entries(keys)
    .filter(([, part]) => !isDeepStrictEqual(part(before), part(after)))
    .map(([key]) => key)
