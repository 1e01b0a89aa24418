// The listener for operators: liveness, readiness and metrics. It shows names of the configuration, never secrets or
// data of requests, and it can change nothing.

import type { Clock } from '../clock.ts'
import { healthPage, type HealthCheck } from '../health.ts'
import {
  startHttpServer,
  type HttpServer,
  type HttpServerOptions,
  type PageMaker,
} from './server.ts'
import type { Metric } from '../metrics/metric.ts'

/** What the listener needs. */
export interface AdminServerOptions extends Omit<HttpServerOptions, 'pages'> {
  /** What readiness depends on, in the order of the list. */
  readonly checks: readonly HealthCheck[]
  readonly metrics: readonly Metric[]
  /** Further pages, by path. */
  readonly pages?: ReadonlyMap<string, PageMaker>
  readonly clock: Clock
}

/**
 * Starts the listener: `/livez`, `/readyz`, `/metrics`, and further pages.
 *
 * @throws CountersignError `listen-failed`
 */
export const startAdminServer = async (options: AdminServerOptions): Promise<HttpServer> => {
  const { checks, metrics, pages = new Map<string, PageMaker>(), clock } = options
  // Imported here: it takes a tenth of a second and some megabytes, which a process without a scraper saves.
  const { MetricsPage } = await import('../metrics/page.ts')
  const page = new MetricsPage(metrics, clock)
  return await startHttpServer({
    ...options,
    pages: new Map<string, PageMaker>([
      ...pages,
      ['/livez', healthPage('livez', [])], // an answer is proof enough
      ['/readyz', healthPage('readyz', checks)],
      ['/metrics', async ({ accept }) => ({ status: 200, ...(await page.render(accept)) })],
    ]),
  })
}
