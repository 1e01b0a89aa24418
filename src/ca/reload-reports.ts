// The fields of reload events of the signer.

import { reportReloads, type StartKeys } from '../audit/reload-reports.ts'
import type { AuditSink } from '../audit/sink.ts'
import type { ReloadReports } from '../config/reload.ts'
import type { Logger } from '../runtime/logger.ts'
import type { SignerSnapshot } from './snapshot.ts'

/** The keys that are read at the start only, and what of a configuration they are. */
export const SIGNER_RESTART_KEYS: StartKeys<SignerSnapshot> = {
  listen: ({ config }) => config.listen,
  maxStreams: ({ config }) => config.maxStreams,
  admin: ({ config }) => config.admin,
  'audit.file': ({ config }) => config.audit.file,
  'audit.rotate': ({ config }) => config.audit.rotate,
  'audit.checkpoints': ({ config }) => config.audit.checkpoints,
  'audit.sinks': ({ config }) => config.audit.sinks,
  'audit.spool': ({ config }) => config.audit.spool,
}

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
    startKeys: SIGNER_RESTART_KEYS,
  })
