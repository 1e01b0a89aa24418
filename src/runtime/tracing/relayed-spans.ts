// Sends spans to a collector that another process has made.

import { SpanKind as Kind, SpanStatusCode, TraceFlags, type SpanContext } from '@opentelemetry/api'
import { millisToHrTime } from '@opentelemetry/core'
import {
  detectResources,
  envDetector,
  resourceFromAttributes,
  type Resource,
} from '@opentelemetry/resources'
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace'
import type { KeptSpan } from './kept-spans.ts'
import type { SpanAttributes } from './span.ts'

/** Sends spans; resolves when the collector has taken them, or has not. */
export type SpanRelay = (spans: readonly KeptSpan[]) => Promise<void>

/** Makes what sends the spans of a process. */
export const relayTo = (exporter: SpanExporter, attributes: SpanAttributes): SpanRelay => {
  const resource = detectResources({ detectors: [envDetector] }).merge(
    resourceFromAttributes({ ...attributes }),
  )
  return async (spans) => {
    if (spans.length === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    exporter.export(
      spans.map((span) => readable(span, resource)),
      () => resolve(),
    )
    await promise
  }
}

const KINDS: Readonly<Record<KeptSpan['kind'], Kind>> = {
  internal: Kind.INTERNAL,
  client: Kind.CLIENT,
  server: Kind.SERVER,
}

const readable = (span: KeptSpan, resource: Resource): ReadableSpan => {
  const { traceId, spanId, parentSpanId, failure } = span
  const context: SpanContext = { traceId, spanId, traceFlags: TraceFlags.SAMPLED }
  return {
    name: span.name,
    kind: KINDS[span.kind],
    spanContext: () => context,
    ...(parentSpanId === undefined
      ? {}
      : { parentSpanContext: { ...context, spanId: parentSpanId } }),
    startTime: millisToHrTime(span.start),
    endTime: millisToHrTime(span.start + span.duration),
    duration: millisToHrTime(span.duration),
    ended: true,
    status:
      failure === undefined
        ? { code: SpanStatusCode.UNSET }
        : { code: SpanStatusCode.ERROR, message: failure },
    attributes: { ...span.attributes },
    links: [],
    events: [],
    resource,
    instrumentationScope: { name: 'countersign' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
}
