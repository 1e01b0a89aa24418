// Lets Prometheus read what is on UNIX sockets: the metrics of the signer, and those of Envoy's administration interface. It
// holds no key, and it passes on nothing but two pages: a request can choose neither a path, nor a query, nor a method.

import { describeError } from '../runtime/errors.ts'
import {
  startHttpServer,
  type HttpServer,
  type Page,
  type PageMaker,
} from '../runtime/http/server.ts'
import type { ListenAddress } from '../runtime/listen.ts'
import type { Logger } from '../runtime/logger.ts'
import { readSocketPage } from './socket-page.ts'

/** What the exporter needs. */
export interface MetricsExporterOptions {
  /** Where Prometheus reads. */
  readonly address: ListenAddress
  /** The path of the signer's admin socket (`admin` of signer.yaml), for `/metrics`. */
  readonly signer?: string | undefined
  /** The path of Envoy's admin socket (`envoy.admin`), for `/stats/prometheus`. */
  readonly envoy?: string | undefined
  readonly logger: Logger
}

const SIGNER_PATH = '/metrics'
const ENVOY_PATH = '/stats/prometheus'

/**
 * Starts the exporter.
 *
 * @throws CountersignError `listen-failed`
 */
export const startMetricsExporter = async ({
  address,
  signer,
  envoy,
  logger,
}: MetricsExporterOptions): Promise<HttpServer> => {
  const pages = new Map<string, PageMaker>()
  if (signer !== undefined) pages.set(SIGNER_PATH, pageOf(signer, SIGNER_PATH, logger))
  if (envoy !== undefined) pages.set(ENVOY_PATH, pageOf(envoy, ENVOY_PATH, logger))
  return await startHttpServer({ address, mode: 0o660, pages, logger })
}

/** One page of one socket. Scrapes at the same time are one request, so that clients cannot multiply its cost. */
const pageOf = (socketPath: string, path: string, logger: Logger): PageMaker => {
  const pending = new Map<string, Promise<Page>>()
  return async ({ accept = '' }) => {
    const known = pending.get(accept)
    if (known !== undefined) return await known
    const made = readSocketPage(socketPath, path, accept)
      .catch((cause: unknown): Page => {
        const reason = describeError(cause)
        logger.warn({ socket: socketPath, reason }, 'metrics cannot be read')
        return { status: 502, type: 'text/plain; charset=utf-8', body: 'metrics cannot be read\n' }
      })
      .finally(() => pending.delete(accept))
    pending.set(accept, made)
    return await made
  }
}
