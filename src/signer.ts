// Composition root of `countersign signer`: reads the configuration, builds the parts, starts them.

import { startAdmin } from './audit/admin.ts'
import { openAudit } from './audit/open.ts'
import { reopenAndReload, reopenAudit } from './audit/reload.ts'
import { CertificateIssuer } from './ca/issuer.ts'
import { IssuanceMetrics } from './ca/metrics.ts'
import { signerReloadReports } from './ca/reload-reports.ts'
import { buildSigner, SignerResources } from './ca/snapshot.ts'
import { Reloader } from './config/reload.ts'
import { ReloadStatus } from './config/reload-status.ts'
import { systemClock } from './runtime/clock.ts'
import { startBuiltInServer } from './runtime/grpc/built-in-server.ts'
import { streamLimits } from './runtime/grpc/limits.ts'
import { GrpcStatistics } from './runtime/grpc/statistics.ts'
import type { ListenAddress } from './runtime/listen.ts'
import { createLogger } from './runtime/logger.ts'
import { KeptSpans } from './runtime/tracing/kept-spans.ts'
import { SPANS_PATH, spansPage } from './runtime/tracing/spans-page.ts'
import { signerMetrics } from './sds/metrics.ts'
import { sdsService } from './sds/service.ts'
import { logStatistics } from './sds/statistics.ts'
import { CertificateExpiry } from './tools/validation/certificate-expiry.ts'
import { FileWarnings } from './tools/validation/file-warnings.ts'
import { signerCertificateFiles, signerFileFindings } from './tools/validation/site.ts'

/** A running signer. */
export interface Signer extends AsyncDisposable {
  /** Where it listens. */
  readonly address: ListenAddress
  /** Where its health and metrics are read, if anywhere. */
  readonly admin: ListenAddress | undefined
  /** Reloads the configuration and reopens the audit file; what SIGHUP does. */
  reload(): Promise<void>
  /** Reopens the audit file alone; what SIGUSR2 does. */
  reopenAudit(): Promise<void>
}

// Streams end at once; this is for answers that are being written.
const GRACE_MS = 2_000

// Envoy holds one name on each stream; other clients may hold more.
const NAMES_PER_STREAM = 2

/**
 * Starts the signer with the configuration in `file` (an absolute path).
 *
 * @throws ConfigurationError with every problem; CountersignError when it cannot listen
 */
export const startSigner = async (file: string): Promise<Signer> => {
  await using stack = new AsyncDisposableStack()
  // 1. The configuration in force; the resources outlive it.
  const clock = systemClock
  const resources = stack.use(new SignerResources(clock))
  const reloader = stack.use(await Reloader.start((files) => buildSigner(file, files, resources)))
  const { config, authorities } = reloader.current().value
  const logger = createLogger(config.log.level).child({ component: 'signer' })
  // 2. Audit: what comes after it can be recorded.
  const opened = stack.use(await openAudit(config.audit, 'signer', { clock, logger }))
  const audit = opened.sink
  await audit.write({ event: 'configuration-loaded', generation: 1, file })
  // 3. Changes of the configuration.
  const reloads = new ReloadStatus(clock)
  const fileWarnings = await FileWarnings.start(config, { find: signerFileFindings, clock, logger })
  const expiry = stack.use(await CertificateExpiry.start(config, signerCertificateFiles))
  const reports = fileWarnings.following(signerReloadReports(file, audit, logger))
  reloader.follow(reloads.noting(expiry.following(reports)))
  // 4. The certificates, and keys for the first of them.
  const { current, reloadIfChanged: refresh } = reloader
  const issuances = new IssuanceMetrics()
  const spans = new KeptSpans(clock)
  const observed = { audit, logger, clock, metrics: issuances, spans }
  const issuer = stack.use(new CertificateIssuer({ current, refresh, ...observed }))
  for (const { keys } of authorities.values()) keys.prepare()
  const maxNames = NAMES_PER_STREAM * config.maxStreams
  const sds = sdsService({ issuer, clock, logger, maxNames })
  // 5. Health and metrics, from before the first certificate until after the last.
  const own = signerMetrics({ current, resources, issuances, sds, spans })
  const metrics = [...own, expiry.metric, ...opened.metrics]
  const pages = new Map([[SPANS_PATH, spansPage(spans)]])
  const grpc = new GrpcStatistics()
  const exposed = { reloads, audit, grpc, metrics, pages, clock, logger }
  const admin = stack.use(await startAdmin(config.admin, exposed))
  // 6. The service: last open, first closed.
  const { address, mode, owner, group } = config.listen
  const server = stack.use(
    await startBuiltInServer({
      address,
      mode: Number.parseInt(mode, 8),
      owner,
      group,
      tls: undefined,
      streams: sds.methods,
      limits: streamLimits(config.maxStreams),
      statistics: grpc,
      grace: GRACE_MS,
      logger,
    }),
  )
  stack.use(logStatistics(sds, logger))
  stack.use(admin.serve()) // and no longer while the last answers are written
  logger.info({ address: server.address, admin: admin.address }, 'listening')
  const running = stack.move()
  return {
    address: server.address,
    admin: admin.address,
    reload: () => reopenAndReload(audit, reloader, logger),
    reopenAudit: () => reopenAudit(audit, logger),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
