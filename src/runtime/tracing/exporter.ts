// What sends spans to a collector (OTLP), and counts what it took.

import { credentials, Metadata } from '@grpc/grpc-js'
import { ExportResultCode } from '@opentelemetry/core'
import type { SpanExporter } from '@opentelemetry/sdk-trace'
import type { Logger } from '../logger.ts'

/** Where spans are sent. */
export interface CollectorOptions {
  readonly endpoint: URL
  readonly protocol: 'http/protobuf' | 'grpc'
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  /** PEM of the certificate authorities to trust. */
  readonly ca: Buffer | undefined
}

/** How many spans the collector took. */
export interface ExportStatistics {
  sent: number
  /** The collector did not take them. */
  lost: number
}

const TIMEOUT_MS = 5_000

/** The exporter for a collector. */
export const exporterFor = async (options: CollectorOptions): Promise<SpanExporter> => {
  const { endpoint, headers, ca } = options
  const url = endpoint.href
  if (options.protocol === 'grpc') {
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-grpc')
    const metadata = new Metadata()
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
    const secure = endpoint.protocol === 'https:'
    const channel = secure ? credentials.createSsl(ca ?? null) : credentials.createInsecure()
    return new OTLPTraceExporter({
      url,
      metadata,
      credentials: channel,
      timeoutMillis: TIMEOUT_MS,
    })
  }
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-proto')
  return new OTLPTraceExporter({
    url,
    headers: { ...headers },
    timeoutMillis: TIMEOUT_MS,
    ...(ca === undefined ? {} : { httpAgentOptions: { ca } }),
  })
}

/** The same exporter, counting. It logs when the collector begins to fail, and when it takes spans again. */
export const counting = (
  exporter: SpanExporter,
  statistics: ExportStatistics,
  logger: Logger,
): SpanExporter => {
  let isFailing = false
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const hasFailed = result.code !== ExportResultCode.SUCCESS
        statistics[hasFailed ? 'lost' : 'sent'] += spans.length
        if (hasFailed && !isFailing) logger.warn({ err: result.error }, 'collector takes no spans')
        if (!hasFailed && isFailing) logger.info('collector takes spans again')
        isFailing = hasFailed
        done(result)
      })
    },
    forceFlush: async () => await exporter.forceFlush?.(),
    shutdown: async () => await exporter.shutdown(),
  }
}
