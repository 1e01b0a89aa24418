// The fields of reload events of the signer.

import { isDeepStrictEqual } from 'node:util'
import { reportReloads } from '../audit/reload-reports.ts'
import type { AuditSink } from '../audit/sink.ts'
import type { ReloadReports } from '../config/reload.ts'
import type { Logger } from '../runtime/logger.ts'
import type { SignerSnapshot } from './snapshot.ts'

/** Reports on the reloads of one configuration file. */
export const signerReloadReports = (
  file: string,
  audit: AuditSink,
  logger: Logger,
): ReloadReports<SignerSnapshot> =>
  reportReloads({
    file,
    audit,
    logger,
    logLevel: ({ config }) => config.log.level,
    needRestart: ({ config: before }, { config: after }) => [
      ...(isDeepStrictEqual(before.listen, after.listen) ? [] : ['listen']),
      ...(before.maxStreams === after.maxStreams ? [] : ['maxStreams']),
      ...(isDeepStrictEqual(before.admin, after.admin) ? [] : ['admin']),
      ...(before.audit.file === after.audit.file ? [] : ['audit.file']),
    ],
  })
