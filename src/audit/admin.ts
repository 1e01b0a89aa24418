// The listener for the operators of authz and of the signer: the health of the process, and its metrics.

import { startAdminServer } from '../runtime/http/admin.ts'
import type { PageMaker } from '../runtime/http/server.ts'
import type { Clock } from '../runtime/clock.ts'
import { Serving, type Condition, type HealthCheck } from '../runtime/health.ts'
import type { ListenAddress } from '../runtime/listen.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Metric } from '../runtime/metrics/metric.ts'
import type { MetricsPage } from '../runtime/metrics/page.ts'
import { commonChecks, commonMetrics, type CommonParts } from './metrics.ts'

/** The listener as it is configured. */
export interface AdminListener {
  readonly address: ListenAddress
  /** Octal. */
  readonly mode: string
  readonly owner?: number | undefined
  readonly group?: number | undefined
}

/** What it shows. */
export interface AdminParts extends CommonParts {
  readonly metrics: readonly Metric[]
  /** Further checks of readiness. */
  readonly checks?: readonly HealthCheck[]
  /** Further pages, by path. */
  readonly pages?: ReadonlyMap<string, PageMaker>
  readonly clock: Clock
  readonly logger: Logger
}

/** A listener, or nothing where none is configured. */
export interface Admin extends AsyncDisposable {
  /** The address, with the port that the system chose when it was 0. */
  readonly address: ListenAddress | undefined
  /** Reports readiness until the result is disposed of. */
  serve(): Disposable
  /** The metrics, as Prometheus reads them, whether or not there is a listener. */
  metrics(): Promise<string>
  /** The health checks, and the state of each. */
  conditions(): readonly ({ readonly name: string } & Condition)[]
}

/**
 * Starts the listener, where there is one to be. It is not ready yet.
 *
 * @throws CountersignError `listen-failed`
 */
export const startAdmin = async (
  listener: AdminListener | undefined,
  parts: AdminParts,
): Promise<Admin> => {
  const serving = new Serving()
  const checks = [...commonChecks(parts), ...(parts.checks ?? []), serving]
  const metrics = [...commonMetrics(parts), ...parts.metrics]
  const { clock, logger } = parts
  const server =
    listener &&
    (await startAdminServer({
      ...listener,
      mode: Number.parseInt(listener.mode, 8),
      checks,
      metrics,
      ...(parts.pages === undefined ? {} : { pages: parts.pages }),
      clock,
      logger,
    }))
  let page: Promise<MetricsPage> | undefined
  return {
    metrics: async () => {
      page ??= metricsPage(metrics, clock)
      return (await (await page).render()).body
    },
    conditions: () => checks.map((check) => ({ name: check.name, ...check.condition() })),
    address: server?.address,
    serve() {
      serving.started()
      return { [Symbol.dispose]: () => serving.ending() }
    },
    [Symbol.asyncDispose]: async () => await server?.[Symbol.asyncDispose](),
  }
}

// Imported with its use: it takes a tenth of a second and some megabytes.
const metricsPage = async (metrics: readonly Metric[], clock: Clock): Promise<MetricsPage> => {
  const { MetricsPage: Page } = await import('../runtime/metrics/page.ts')
  return new Page(metrics, clock)
}
