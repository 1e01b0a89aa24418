// Composition root of `countersign signer`: reads the configuration, builds the parts, starts them.

import { isDeepStrictEqual } from 'node:util'
import { reopenAndReload } from './audit/reload.ts'
import { JsonLinesSink } from './audit/sink.ts'
import { CertificateIssuer } from './ca/issuer.ts'
import { signerReloadReports } from './ca/reload-reports.ts'
import { buildSigner, SignerResources } from './ca/snapshot.ts'
import { Reloader } from './config/reload.ts'
import { systemClock } from './runtime/clock.ts'
import { startGrpcStreamServer } from './runtime/grpc-stream-server.ts'
import type { ListenAddress } from './runtime/listen.ts'
import { createLogger, type Logger } from './runtime/logger.ts'
import { sdsService, type SdsService } from './sds/service.ts'

/** A running signer. */
export interface Signer extends AsyncDisposable {
  /** Where it listens. */
  readonly address: ListenAddress
  /** Reloads the configuration and reopens the audit file; what SIGHUP does. */
  reload(): Promise<void>
}

// Streams end at once; this is for answers that are being written.
const GRACE_MS = 2_000
const STATISTICS_MS = 60_000

/**
 * Starts the signer with the configuration in `file` (an absolute path).
 *
 * @throws ConfigurationError with every problem; CountersignError when it cannot listen
 */
export const startSigner = async (file: string): Promise<Signer> => {
  await using stack = new AsyncDisposableStack()
  // 1. The configuration in force; what outlives each one is lent to it.
  const clock = systemClock
  const resources = stack.use(new SignerResources(clock))
  const reloader = stack.use(await Reloader.start((files) => buildSigner(file, files, resources)))
  const { config, authorities } = reloader.current().value
  const logger = createLogger(config.log.level).child({ component: 'signer' })
  // 2. Audit: what comes after it can be recorded.
  const audit = stack.use(new JsonLinesSink(config.audit.file))
  await audit.write({ event: 'configuration-loaded', generation: 1, file })
  // 3. Changes of the configuration.
  reloader.follow(signerReloadReports(file, audit, logger))
  // 4. The certificates, and keys for the first of them.
  const { current, reloadIfChanged: refresh } = reloader
  const issuer = new CertificateIssuer({ current, refresh, audit, logger, clock })
  for (const { keys } of authorities.values()) keys.prepare()
  // 5. The service: last open, first closed.
  const { address, mode, owner, group } = config.listen
  const sds = sdsService({ issuer, clock, logger })
  const server = stack.use(
    await startGrpcStreamServer({
      address,
      mode: Number.parseInt(mode, 8),
      owner,
      group,
      tls: undefined,
      methods: sds.methods,
      grace: GRACE_MS,
      logger,
    }),
  )
  stack.use(logStatistics(sds, logger))
  logger.info({ address: server.address }, 'listening')
  const running = stack.move()
  return {
    address: server.address,
    reload: () => reopenAndReload(audit, reloader, logger),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** Logs the statistics from time to time, when they are not what they were. */
const logStatistics = (sds: SdsService, logger: Logger): Disposable => {
  let last = sds.statistics()
  const timer = setInterval(() => {
    const now = sds.statistics()
    if (!isDeepStrictEqual(now, last)) logger.info(now, 'statistics')
    last = now
  }, STATISTICS_MS)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
