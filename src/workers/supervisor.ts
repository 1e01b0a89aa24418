// Several processes of authz that share nothing, under one supervisor. Envoy balances checks over their sockets, and what they
// have to share is in `state`. The supervisor decides about no request: it starts and replaces workers, reloads them
// together, and serves what operators read of all of them.

import { ConfigurationFiles } from '../config/files.ts'
import type { Config } from '../configuration/schema.ts'
import { readConfig } from '../configuration/parse.ts'
import { withWorkers, workerCount } from '../configuration/workers.ts'
import type { Workers } from '../configuration/workers-schema.ts'
import { systemClock } from '../runtime/clock.ts'
import { commandArguments } from '../runtime/installation.ts'
import { createLogger } from '../runtime/logger.ts'
import { startJointAdmin } from './admin.ts'
import { startJointFollowListener } from './follow.ts'
import { JointReload } from './joint-reload.ts'
import { WholeLines } from './whole-lines.ts'
import { WorkerPool } from './worker-pool.ts'
import { WorkerProcess } from './worker-process.ts'

/** Running workers. Disposing of it ends them; they complete what is in progress. */
export interface Supervisor extends AsyncDisposable {
  /** Where each worker listens. */
  readonly addresses: readonly string[]
  /** What SIGHUP does, in all workers. */
  reload(): Promise<void>
  /** What SIGUSR2 does, in all workers. */
  reopenAudit(): Promise<void>
  /** Ends the workers at once. */
  kill(): void
}

/** The configuration of a file, with `--workers` in place of its key. */
export const readWorkers = async (
  file: string,
  workers: Workers | undefined,
): Promise<{ readonly config: Config; readonly count: number }> => {
  const { config, locate } = await readConfig(file, new ConfigurationFiles())
  const given = withWorkers(config, locate, workers)
  return { config: given, count: workerCount(given.workers) }
}

/**
 * Starts the workers of the configuration in `file` (an absolute path).
 *
 * @throws CountersignError `child-exited` where a worker does not start, which has said why; `listen-failed`
 */
export const startSupervisor = async (
  file: string,
  { listen, audit, log }: Config,
  count: number,
): Promise<Supervisor> => {
  await using stack = new AsyncDisposableStack()
  const clock = systemClock
  const logger = createLogger(log.level).child({ component: 'supervisor' })
  const lines = new WholeLines(logger)
  const reload: JointReload = new JointReload({ running: () => pool.running(), logger })
  const pool = new WorkerPool({
    count,
    spawn: (index) =>
      new WorkerProcess({
        index,
        command: process.execPath,
        args: [...commandArguments, 'authz', '--config', file, '--worker', `${index}/${count}`],
        onOutput: audit.file === undefined ? (output) => void lines.copy(output) : undefined,
        onReload: (isHangUp) => void (isHangUp ? reload.reopen() : reload.request(false)),
      }),
    onReady: (_worker, { fingerprint }) => reload.began(fingerprint),
    clock,
    logger,
  })
  // 1. What operators read, from before the first check until after the last.
  const admin =
    listen.admin && stack.use(await startJointAdmin(listen.admin, { pool, clock, logger }))
  if (listen.debug !== undefined) {
    stack.use(await startJointFollowListener(listen.debug, { count, logger }))
  }
  // 2. The workers: last started, first ended.
  stack.use(pool)
  const ready = await pool.start()
  stack.defer(() => reload.end())
  if (admin !== undefined) stack.use(admin.serve())
  const addresses = ready.map(({ address }) => address)
  logger.info({ workers: count, addresses, admin: admin?.address }, 'listening')
  const running = stack.move()
  return {
    addresses,
    reload: async () => await reload.reopen(),
    reopenAudit: async () => await reload.reopenAudit(),
    kill: () => pool.kill(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
