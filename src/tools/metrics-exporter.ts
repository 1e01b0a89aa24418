// Lets Prometheus read what is on UNIX sockets: the metrics of the signer, and those of Envoy's administration interface. It
// holds no key, and it passes on nothing but two pages: a request can choose neither a path, nor a query, nor a method.

import { request as httpRequest, type IncomingMessage } from 'node:http'
import { describeError } from '../runtime/errors.ts'
import {
  startHttpServer,
  type HttpServer,
  type Page,
  type PageMaker,
} from '../runtime/http/server.ts'
import type { ListenAddress } from '../runtime/listen.ts'
import type { Logger } from '../runtime/logger.ts'

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

const TIMEOUT_MS = 10_000

// Envoy with some hundreds of clusters has some megabytes.
const MAX_BYTES = 33_554_432

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
    const made = fetchPage(socketPath, path, accept)
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

const fetchPage = async (socketPath: string, path: string, accept: string): Promise<Page> => {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  const headers = { accept, host: 'localhost' }
  httpRequest({ socketPath, path, method: 'GET', headers, signal, agent: false }, resolve)
    .on('error', reject)
    .end()
  const response = await promise
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError('a response without bytes')
    length += chunk.length
    if (length > MAX_BYTES) throw new Error(`the page is longer than ${MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  const { statusCode = 0 } = response
  if (statusCode !== 200) throw new Error(`${socketPath} answered ${statusCode}, where 200 belongs`)
  const type = response.headers['content-type'] ?? 'text/plain; version=0.0.4; charset=utf-8'
  return { status: 200, type, body: Buffer.concat(chunks).toString('utf8') }
}
