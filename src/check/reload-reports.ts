// What reports on the reloads of authz's configuration have to tell of it.

import { isDeepStrictEqual } from 'node:util'
import { reportReloads } from '../audit/reload-reports.ts'
import type { AuditSink } from '../audit/sink.ts'
import type { ReloadReports } from '../config/reload.ts'
import type { SnapshotResources } from './resources.ts'
import type { Snapshot } from './snapshot.ts'

/** What reloads are told to, and what they may end. */
interface ReloadParts extends Pick<SnapshotResources, 'logger' | 'keySets' | 'revocations'> {
  readonly audit: AuditSink
}

/** Reports on the reloads of one configuration file. */
export const reloadReports = (
  file: string,
  { audit, logger, keySets, revocations }: ReloadParts,
): ReloadReports<Snapshot> => {
  const reports = reportReloads<Snapshot>({
    file,
    audit,
    logger,
    logLevel: ({ config }) => config.log.level,
    needRestart: (before, after) => [
      ...(isDeepStrictEqual(before.config.listen, after.config.listen) ? [] : ['listen']),
      ...(isDeepStrictEqual(before.tls, after.tls) ? [] : ['listen.authz.tls']),
      ...(before.config.audit.file === after.config.audit.file ? [] : ['audit.file']),
      ...(isDeepStrictEqual(before.stateSettings, after.stateSettings) ? [] : ['state']),
    ],
  })
  // What only an earlier configuration, or a refused one, was lent has come to its end.
  return {
    onLoaded(next, previous) {
      keySets.keepOnly(next.value.lent)
      revocations.keepOnly(next.value.lent)
      reports.onLoaded(next, previous)
    },
    onRejected(cause, inForce) {
      keySets.keepOnly(inForce.value.lent)
      revocations.keepOnly(inForce.value.lent)
      reports.onRejected(cause, inForce)
    },
  }
}
