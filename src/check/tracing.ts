// Traces, as the configuration has them. They are begun once: a change of `tracing` takes effect after a restart.

import type { ConfigurationFiles } from '../config/files.ts'
import type { ProblemList } from '../config/problem-list.ts'
import { resolveReferences, type Resolution } from '../config/references.ts'
import type { TracingConfig } from '../config/tracing-schema.ts'
import type { Config } from '../configuration/schema.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import { counter, type Metric } from '../runtime/metrics/metric.ts'
import type { ExportStatistics } from '../runtime/tracing/exporter.ts'
import { FollowedRequests } from '../runtime/tracing/followed-requests.ts'
import { joinedTracer } from '../runtime/tracing/joined-tracer.ts'
import type { Tracer } from '../runtime/tracing/span.ts'
import { VERSION } from '../runtime/version.ts'

/** The section with what it refers to read. */
export type TracingSettings = Resolution<TracingConfig>

/** Reads what `tracing` names; undefined without the section, and where there are problems, which are added to the list. */
export const readTracing = async (
  { tracing }: Config,
  files: ConfigurationFiles,
  problems: ProblemList,
): Promise<TracingSettings | undefined> =>
  tracing && (await resolveReferences(tracing, ['tracing'], { files, problems }))

/** What sees requests into their parts. What waits for a collector is sent before it is disposed of. */
export interface Tracing extends AsyncDisposable {
  /** Traces those that are followed or sampled. */
  readonly tracer: Tracer
  /** Those that operators follow. */
  readonly followed: FollowedRequests
  readonly metrics: readonly Metric[]
}

/** The metrics of traces. */
export const tracingMetrics = (statistics: () => Readonly<ExportStatistics>): readonly Metric[] => [
  counter(
    'countersign_spans_total',
    'Spans for the collector of `tracing`: sent, or lost because it did not take them.',
    () => {
      const { sent, lost } = statistics()
      return [
        { labels: { outcome: 'sent' }, value: sent },
        { labels: { outcome: 'lost' }, value: lost },
      ]
    },
    { outcome: ['sent', 'lost'] },
  ),
]

/** Begins to trace, where the configuration says so. The code of OpenTelemetry is loaded only then. */
export const openTracing = async (
  resolution: TracingSettings | undefined,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Promise<Tracing> => {
  const followed = new FollowedRequests(clock, logger)
  if (resolution === undefined) {
    return {
      tracer: followed,
      followed,
      metrics: tracingMetrics(() => ({ sent: 0, lost: 0 })),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
  }
  const { otlp, sampling, maxPerSecond } = resolution.settings
  const { counting, exporterFor } = await import('../runtime/tracing/exporter.ts')
  const { tracerOf } = await import('../runtime/tracing/otlp-tracer.ts')
  const headers = Object.entries(otlp.headers).map(([name, value]) => [name, value.text()])
  const exporter = await exporterFor({
    endpoint: new URL(otlp.endpoint),
    protocol: otlp.protocol,
    headers: Object.fromEntries(headers),
    ca: otlp.ca?.bytes(),
  })
  const statistics = { sent: 0, lost: 0 }
  const tracer = tracerOf({
    exporter: counting(exporter, statistics, logger),
    resource: { 'service.name': 'countersign-authz', 'service.version': VERSION },
    sampling: { share: sampling, maxPerSecond },
    clock,
  })
  return {
    tracer: joinedTracer(followed, tracer),
    followed,
    metrics: tracingMetrics(() => statistics),
    [Symbol.asyncDispose]: () => tracer[Symbol.asyncDispose](),
  }
}
