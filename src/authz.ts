// Composition root of `countersign authz`: reads the configuration, builds the parts, starts them.

import { startAdmin } from './audit/admin.ts'
import { fingerprintOf } from './authenticate/credential-cache.ts'
import { BudgetedSink } from './audit/budgeted-sink.ts'
import { openAudit } from './audit/open.ts'
import { reopenAndReload, reopenAudit } from './audit/reload.ts'
import type { AuthorizationServer } from './check/authorization-server.ts'
import { openConfiguredState } from './check/configured-state.ts'
import { authzMetrics } from './check/metrics.ts'
import { reloadReports } from './check/reload-reports.ts'
import { processResources } from './check/resources.ts'
import { checkMethod } from './check/service.ts'
import { buildSnapshot } from './check/snapshot.ts'
import { stateChecks } from './check/state-metrics.ts'
import { StateSamples } from './check/state-samples.ts'
import { CheckStatistics } from './check/statistics.ts'
import { tracedChecks } from './check/traced-checks.ts'
import { openTracing } from './check/tracing.ts'
import { ReloadStatus } from './config/reload-status.ts'
import { Reloader } from './config/reload.ts'
import type { startIssuerListener } from './issuer/listener.ts'
import { IssuerMetrics } from './issuer/http/metrics.ts'
import { auditOfWorker, configOfWorker, type Worker } from './configuration/workers.ts'
import type { Issuer } from './keys/issuer.ts'
import { systemClock } from './runtime/clock.ts'
import { startGrpcServer, type ListenAddress } from './runtime/grpc/server.ts'
import { GrpcStatistics } from './runtime/grpc/statistics.ts'
import { createLogger } from './runtime/logger.ts'
import { RequestDurations } from './runtime/request-durations.ts'
import { ReplaceableTls } from './runtime/server-tls.ts'
import { CertificateExpiry } from './tools/validation/certificate-expiry.ts'
import { FileWarnings } from './tools/validation/file-warnings.ts'
import { authzCertificateFiles, authzFileFindings } from './tools/validation/site.ts'
import type { Supervised } from './workers/worker.ts'

/** A running authz process. */
export interface Authz extends AsyncDisposable {
  /** Where it listens, with the port that the system chose when it was 0. */
  readonly address: ListenAddress
  /** Where its health and metrics are read, if anywhere. */
  readonly admin: ListenAddress | undefined
  /** Where its key set is read, if anywhere. */
  readonly issuer: ListenAddress | undefined
  /**
   * Reloads the configuration, reopens the audit file, forgets all proofs; what SIGHUP does. Proofs are forgotten also where no
   * file has changed: operators use it to refuse a user at once that a directory or an issuer has disabled.
   */
  reload(): Promise<void>
  /** Reopens the audit file alone; what SIGUSR2 does. */
  reopenAudit(): Promise<void>
  /** What its supervisor can ask for, where it is one of several workers. */
  readonly supervised: Supervised
  /** That of the files by which it decides. */
  readonly fingerprint: string
}

/** A process that is one of several workers. */
export interface AsWorker extends Worker {
  /** Is called in place of a reload when a file of the configuration has changed. */
  readonly onChange: () => Promise<void>
}

// With the code of the issuer, which is loaded where it is published.
const startIssuer: typeof startIssuerListener = async (...listener) => {
  const issuer = await import('./issuer/listener.ts')
  return await issuer.startIssuerListener(...listener)
}

// Long enough for a password hash in flight; shorter than Kubernetes' 30 s before SIGKILL.
const GRACE_MS = 10_000

/**
 * Starts authz with the configuration in `file` (an absolute path).
 *
 * @param worker which one of several workers it is; absent for a process alone
 * @throws ConfigurationError with every problem; CountersignError when it cannot listen
 */
export const startAuthz = async (file: string, worker?: AsWorker): Promise<Authz> => {
  await using stack = new AsyncDisposableStack()
  // 1. State, as the configuration has it at the start.
  const clock = systemClock
  const bindings = { component: 'authz', ...(worker && { worker: worker.index }) }
  const logger = createLogger('info').child(bindings)
  const durations = new RequestDurations(clock)
  const {
    state,
    store,
    audit: jointAudit,
    tracing: tracingSettings,
  } = stack.use(await openConfiguredState(file, { clock, logger, durations }))
  // 2. Audit: what comes after it can be recorded.
  const auditConfig = worker === undefined ? jointAudit : auditOfWorker(jointAudit, worker)
  const opened = stack.use(await openAudit(auditConfig, 'authz', { clock, logger }))
  const { unauthenticated: budget } = auditConfig
  const audit = stack.use(new BudgetedSink({ sink: opened.sink, budget, clock, logger }))
  const issuerMetrics = new IssuerMetrics()
  const events = issuerMetrics.countedBy(audit)
  // 3. What outlives each configuration, and the configuration in force.
  const logins = {
    events,
    durations,
    notifierOf: async (server: AuthorizationServer, { keys }: Issuer) => {
      const { clientNotifier } = await import('./issuer/provider/client-notifier.ts')
      return clientNotifier(server, keys, { metrics: issuerMetrics, logger })
    },
  }
  const { count: processes = 1 } = worker ?? {}
  const shared = { state, logins, durations, processes }
  const resources = stack.use(processResources(clock, logger, shared))
  const reloader = stack.use(await Reloader.start((files) => buildSnapshot(file, files, resources)))
  stack.defer(() => reloader.current().value[Symbol.asyncDispose]())
  const { config, tls: authzFiles, issuerTls: issuerFiles } = reloader.current().value
  const tls = authzFiles && new ReplaceableTls(authzFiles)
  const issuerTls = issuerFiles && new ReplaceableTls(issuerFiles)
  const { listen } = worker === undefined ? config : configOfWorker(config, worker)
  const { log } = config
  logger.level = log.level
  await audit.write({ event: 'configuration-loaded', generation: 1, file })
  // 4. Changes of the configuration.
  const reloads = new ReloadStatus(clock)
  const { credentialCache, keySets, revocations, tokens, phases } = resources
  credentialCache.resize(config.credentialCache.maxBytes)
  const fileWarnings = await FileWarnings.start(config, { find: authzFileFindings, clock, logger })
  const reported = { audit, logger, credentialCache, keySets, revocations, tls, issuerTls }
  const expiry = stack.use(await CertificateExpiry.start(config, authzCertificateFiles))
  const reports = fileWarnings.following(reloadReports(file, reported))
  reloader.follow(reloads.noting(expiry.following(reports)), undefined, worker?.onChange)
  // 5. Health and metrics, from before the first check until after the last.
  const checks = new CheckStatistics()
  const { current } = reloader
  const tracing = stack.use(await openTracing(tracingSettings, { clock, logger }))
  const { tracer, followed } = tracing
  const samples = stack.use(new StateSamples({ state, store, clock }))
  if (listen.admin !== undefined) samples.begin()
  const metrics = [
    ...authzMetrics({ checks, credentialCache, keySets, tokens, store, current, clock }),
    ...issuerMetrics.all,
    ...tracing.metrics,
    ...opened.metrics,
    durations.histogram,
    phases.histogram,
    expiry.metric,
    ...revocations.metrics,
    ...samples.metrics,
  ]
  const grpc = new GrpcStatistics()
  const exposed = { reloads, audit, grpc, metrics, checks: stateChecks(store), clock, logger }
  // The supervisor of several workers has the listener.
  const admin = stack.use(
    await startAdmin(worker === undefined ? listen.admin : undefined, exposed),
  )
  if (listen.debug !== undefined) {
    const hashOf = (user: string): string => fingerprintOf(credentialCache.keyOf('user name', user))
    const debug = { ...listen.debug, requests: followed, hashOf, logger }
    const { startFollowListener } = await import('./check/follow-listener.ts')
    stack.use(await startFollowListener(debug))
  }
  // 6. The issuer: its documents are published before the first token is signed.
  const { records, attempts, keys: derivedKeys } = resources.state
  const login = { records, attempts, derivedKeys, audit: events, metrics: issuerMetrics }
  const process = { tls: issuerTls, tracer, clock, logger }
  const published = { current: () => current().value, ...login, ...process }
  const issuer = listen.issuer && stack.use(await startIssuer(listen.issuer, published))
  // 7. The service: last open, first closed.
  const watcher = tracedChecks(tracer)
  const server = stack.use(
    await startGrpcServer({
      server: listen.authz.server,
      address: listen.authz.address,
      mode: Number.parseInt(listen.authz.mode, 8),
      tls,
      methods: [checkMethod({ current, audit, clock, logger, observer: checks, watcher })],
      statistics: grpc,
      grace: GRACE_MS,
      logger,
    }),
  )
  stack.use(admin.serve()) // and no longer while the last checks are answered
  logger.info(
    { address: server.address, admin: admin.address, issuer: issuer?.address },
    'listening',
  )
  const running = stack.move()
  const forget = (): void => {
    credentialCache.revoke()
    tokens.revoke()
  }
  return {
    address: server.address,
    admin: admin.address,
    issuer: issuer?.address,
    async reload() {
      forget()
      await reopenAndReload(audit, reloader, logger)
    },
    reopenAudit: () => reopenAudit(audit, logger),
    get fingerprint() {
      return reloader.fingerprint
    },
    supervised: {
      metrics: async () => await admin.metrics(),
      conditions: () => admin.conditions(),
      changed: async () => await reloader.isChanged(),
      reopen: async () => {
        forget()
        await reopenAudit(audit, logger)
      },
      reopenAudit: async () => await reopenAudit(audit, logger),
      prepare: async () => await reloader.prepare(),
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
