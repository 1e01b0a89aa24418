// The listener for the operators of authz and of the signer: the health of the process, and its metrics.

import { startAdminServer } from '../runtime/http/admin.ts'
import type { Clock } from '../runtime/clock.ts'
import { Serving, type HealthCheck } from '../runtime/health.ts'
import type { ListenAddress } from '../runtime/listen.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Metric } from '../runtime/metrics/metric.ts'
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
  readonly clock: Clock
  readonly logger: Logger
}

/** A listener, or nothing where none is configured. */
export interface Admin extends AsyncDisposable {
  /** The address, with the port that the system chose when it was 0. */
  readonly address: ListenAddress | undefined
  /** Reports readiness until the result is disposed of. */
  serve(): Disposable
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
  const server =
    listener &&
    (await startAdminServer({
      ...listener,
      mode: Number.parseInt(listener.mode, 8),
      checks: [...commonChecks(parts), ...(parts.checks ?? []), serving],
      metrics: [...commonMetrics(parts), ...parts.metrics],
      clock: parts.clock,
      logger: parts.logger,
    }))
  return {
    address: server?.address,
    serve() {
      serving.started()
      return { [Symbol.dispose]: () => serving.ending() }
    },
    [Symbol.asyncDispose]: async () => await server?.[Symbol.asyncDispose](),
  }
}
