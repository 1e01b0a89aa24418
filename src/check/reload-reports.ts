// The fields of reload events of authz.

import { reportReloads, type StartKeys } from '../audit/reload-reports.ts'
import type { AuditSink } from '../audit/sink.ts'
import type { ReloadReports } from '../config/reload.ts'
import type { ReplaceableTls } from '../runtime/server-tls.ts'
import type { SnapshotResources } from './resources.ts'
import type { Snapshot } from './snapshot.ts'

/** What reloads are reported to, and what they may end. */
interface ReloadParts extends Pick<
  SnapshotResources,
  'logger' | 'credentialCache' | 'keySets' | 'revocations'
> {
  readonly audit: AuditSink
  /** What the listener of ext_authz proves itself with. */
  readonly tls: ReplaceableTls | undefined
  /** The same of the issuer. */
  readonly issuerTls: ReplaceableTls | undefined
}

/** Where it listens, and whether with TLS; the files of it may change. */
const placesOf = ({ config: { listen } }: Snapshot): object => {
  const { authz, issuer } = listen
  const names = issuer?.tls && { clientNames: issuer.tls.clientNames }
  return {
    ...listen,
    authz: { ...authz, tls: authz.tls !== undefined },
    issuer: { ...issuer, tls: names },
  }
}

/** The keys that are read at the start only, and what of a configuration they are. */
export const RESTART_KEYS: StartKeys<Snapshot> = {
  listen: placesOf,
  workers: ({ config }) => config.workers,
  'audit.file': ({ config }) => config.audit.file,
  'audit.rotate': ({ config }) => config.audit.rotate,
  'audit.checkpoints': ({ config }) => config.audit.checkpoints,
  'audit.sinks': ({ config }) => config.audit.sinks,
  'audit.spool': ({ config }) => config.audit.spool,
  'audit.unauthenticated': ({ config }) => config.audit.unauthenticated,
  state: ({ stateSettings }) => stateSettings,
  tracing: ({ tracingSettings }) => tracingSettings?.generation,
}

/** The keys below those that a reload reads all the same. */
export const RELOADED_KEYS = ['authz', 'issuer'].flatMap((listener) =>
  ['certificate', 'key', 'clientCa'].map((file) => `listen.${listener}.tls.${file}`),
)

/** Reports on the reloads of one configuration file. */
export const reloadReports = (
  file: string,
  { audit, logger, credentialCache, keySets, revocations, tls, issuerTls }: ReloadParts,
): ReloadReports<Snapshot> => {
  const reports = reportReloads<Snapshot>({
    file,
    audit,
    logger,
    logLevel: ({ config }) => config.log.level,
    startKeys: RESTART_KEYS,
  })
  // Resources that only an earlier configuration, or a refused one, has acquired end here.
  return {
    onLoaded(next, previous) {
      credentialCache.resize(next.value.config.credentialCache.maxBytes)
      keySets.retain(next.value.inUse)
      revocations.retain(next.value.inUse)
      if (next.value.tls !== undefined) tls?.replace(next.value.tls)
      if (next.value.issuerTls !== undefined) issuerTls?.replace(next.value.issuerTls)
      reports.onLoaded(next, previous)
    },
    onRejected(cause, inForce) {
      keySets.retain(inForce.value.inUse)
      revocations.retain(inForce.value.inUse)
      reports.onRejected(cause, inForce)
    },
  }
}
