// `listen.admin` of several workers: /livez, /readyz and /metrics of all of them, served by their supervisor.

import type { Config } from '../configuration/schema.ts'
import type { Clock } from '../runtime/clock.ts'
import { healthPage, Serving } from '../runtime/health.ts'
import {
  startHttpServer,
  type HttpServer,
  type Page,
  type PageMaker,
  type PageRequest,
} from '../runtime/http/server.ts'
import type { Logger } from '../runtime/logger.ts'
import { mergedPages, readPage, retain, writePage, type Families } from './exposition.ts'
import { supervisorMetrics } from './metrics.ts'
import { jointChecks, type WorkerConditions } from './readiness.ts'
import type { WorkerPool } from './worker-pool.ts'
import { ANSWERS } from './messages-schema.ts'
import type { WorkerProcess } from './worker-process.ts'

/** What the listener needs. */
export interface JointAdminParts {
  readonly pool: WorkerPool
  readonly clock: Clock
  readonly logger: Logger
}

// Below the timeout of a probe, which is a second by default, and of a scrape, which is ten.
const CONDITIONS_MS = 800
const METRICS_MS = 5_000

/** The listener. */
export interface JointAdmin extends AsyncDisposable {
  readonly address: HttpServer['address']
  /** Reports readiness until the result is disposed of. */
  serve(): Disposable
}

/**
 * Starts the listener. It is not ready yet.
 *
 * @throws CountersignError `listen-failed`
 */
export const startJointAdmin = async (
  listener: NonNullable<Config['listen']['admin']>,
  { pool, clock, logger }: JointAdminParts,
): Promise<JointAdmin> => {
  const serving = new Serving()
  const { MetricsPage } = await import('../runtime/metrics/page.ts')
  const own = new MetricsPage(supervisorMetrics(pool), clock)
  const metrics = new JointMetrics(pool, async () => (await own.render()).body)
  const readyz = async (request: PageRequest): Promise<Page> => {
    const checks = [...jointChecks(await conditionsOf(pool)), serving]
    // The own one of a worker says no more than that it answers.
    const named = new Map(checks.map((check) => [check.name, check]))
    return healthPage('readyz', [...named.values()])(request)
  }
  const server = await startHttpServer({
    ...listener,
    mode: Number.parseInt(listener.mode, 8),
    pages: new Map<string, PageMaker>([
      ['/livez', healthPage('livez', [])],
      ['/readyz', readyz],
      ['/metrics', async ({ accept }) => await metrics.page(accept)],
    ]),
    logger,
  })
  return {
    address: server.address,
    serve() {
      serving.started()
      return { [Symbol.dispose]: () => serving.ending() }
    },
    [Symbol.asyncDispose]: async () => await server[Symbol.asyncDispose](),
  }
}

const conditionsOf = async (pool: WorkerPool): Promise<readonly WorkerConditions[]> => {
  const running = new Map(pool.running().map((worker) => [worker.index, worker]))
  const all = Array.from({ length: pool.count }, async (_, index): Promise<WorkerConditions> => {
    const worker = running.get(index)
    if (worker === undefined) return { index, fault: pool.faultOf(index) }
    try {
      return {
        index,
        conditions: await worker.ask({ ask: 'conditions' }, ANSWERS.conditions, CONDITIONS_MS),
      }
    } catch {
      return { index, fault: 'it does not answer' }
    }
  })
  return await Promise.all(all)
}

/** The metrics of all workers, one reading for all that ask at the same time. */
class JointMetrics {
  readonly #pool: WorkerPool
  readonly #own: () => Promise<string>
  /** The last page of each worker that runs. */
  readonly #last = new Map<
    number,
    { readonly worker: WorkerProcess; readonly families: Families }
  >()
  readonly #ended = new Map()
  #reading: Promise<string> | undefined

  constructor(pool: WorkerPool, own: () => Promise<string>) {
    this.#pool = pool
    this.#own = own
  }

  async page(accept = ''): Promise<Page> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    })
    const text = await this.#reading
    const { exposition } = await import('../runtime/metrics/page.ts')
    const { type, body } = exposition(text, accept)
    return { status: 200, type, body }
  }

  async #read(): Promise<string> {
    const asked = this.#pool.running().map(async (worker) => {
      try {
        const families = readPage(await worker.ask({ ask: 'metrics' }, ANSWERS.metrics, METRICS_MS))
        return { worker, families }
      } catch {
        return undefined // it has ended, or hangs
      }
    })
    for (const answer of await Promise.all(asked)) {
      if (answer !== undefined) this.#take(answer)
    }
    this.#leaveEnded()
    const own = { worker: 'supervisor', families: readPage(await this.#own()) }
    const pages = [...this.#last.values()].map(({ worker, families }) => ({
      worker: String(worker.index),
      families,
    }))
    return writePage(mergedPages([own, ...pages], this.#ended))
  }

  #take(answer: { readonly worker: WorkerProcess; readonly families: Families }): void {
    const { index } = answer.worker
    const before = this.#last.get(index)
    if (before !== undefined && before.worker !== answer.worker) {
      retain(this.#ended, before.families)
    }
    this.#last.set(index, answer)
  }

  /** What a worker that has ended counted stays in the sums, and its gauges do not. */
  #leaveEnded(): void {
    const running = new Set(this.#pool.running())
    for (const [index, { worker, families }] of this.#last) {
      if (running.has(worker)) continue
      retain(this.#ended, families)
      this.#last.delete(index)
    }
  }
}
