// What reports on the reloads of authz's configuration have to tell of it.

import { isDeepStrictEqual } from 'node:util'
import { reportReloads } from '../audit/reload-reports.ts'
import type { AuditSink } from '../audit/sink.ts'
import type { ReloadReports } from '../config/reload.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Snapshot } from './snapshot.ts'

/** Reports on the reloads of one configuration file. */
export const reloadReports = (
  file: string,
  audit: AuditSink,
  logger: Logger,
): ReloadReports<Snapshot> =>
  reportReloads({
    file,
    audit,
    logger,
    logLevel: ({ config }) => config.log.level,
    needRestart: (before, after) => [
      ...(isDeepStrictEqual(before.config.listen, after.config.listen) ? [] : ['listen']),
      ...(isDeepStrictEqual(before.tls, after.tls) ? [] : ['listen.authz.tls']),
      ...(before.config.audit.file === after.config.audit.file ? [] : ['audit.file']),
    ],
  })
