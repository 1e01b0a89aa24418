// Traces by the SDK of OpenTelemetry, sent to a collector. Loaded only where the configuration has `tracing`.

import {
  ROOT_CONTEXT,
  SpanKind as Kind,
  SpanStatusCode,
  trace,
  type Span as LibrarySpan,
  type Tracer as LibraryTracer,
} from '@opentelemetry/api'
import { parseTraceParent } from '@opentelemetry/core'
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, TracerProvider, type SpanExporter } from '@opentelemetry/sdk-trace'
import type { Clock } from '../clock.ts'
import { TokenBucket } from '../token-bucket.ts'
import type { Span, SpanAttributes, SpanKind, SpanReference, Tracer } from './span.ts'

/** How many requests are traced. */
export interface Sampling {
  /** The share of requests without a caller's decision, from 0 to 1. */
  readonly share: number
  /** The most traces a second. */
  readonly maxPerSecond: number
}

/** What a tracer needs. */
export interface TracerOptions {
  readonly exporter: SpanExporter
  /** What the spans are of: `service.name` and the like. */
  readonly resource: SpanAttributes
  readonly sampling: Sampling
  readonly clock: Clock
}

/** A tracer, whose spans are sent before it is disposed. */
export interface RunningTracer extends Tracer, AsyncDisposable {}

// Traces must not hold up the end of the process: a collector may not answer.
const EXPORT_TIMEOUT_MS = 3_000
const SEND_EVERY_MS = 1_000
// Spans that wait: some 2 MB.
const MOST_WAITING = 4_096
// Attributes are short; nothing that a client writes may make a span large.
const LIMITS = { attributeValueLengthLimit: 512, attributeCountLimit: 32 }

const SAMPLED = 1 // W3C Trace Context §3.2.2.5.1

/** Makes a tracer of the requests that are sampled: those that the caller samples, and a share of those without a caller's decision. */
export const tracerOf = ({ exporter, resource, sampling, clock }: TracerOptions): RunningTracer => {
  const processor = new BatchSpanProcessor({
    exporter,
    maxQueueSize: MOST_WAITING,
    scheduledDelayMillis: SEND_EVERY_MS,
    exportTimeoutMillis: EXPORT_TIMEOUT_MS,
  })
  const provider = new TracerProvider({
    resource: detectResources({ detectors: [envDetector] }).merge(
      resourceFromAttributes({ ...resource }),
    ),
    spanLimits: LIMITS,
    spanProcessors: [processor],
  })
  const tracer = provider.getTracer('countersign')
  const { share, maxPerSecond } = sampling
  const allowance = new TokenBucket({ burst: maxPerSecond, perSecond: maxPerSecond }, clock)
  return {
    begin(name, traceparent, attributes = {}) {
      const parent = traceparent === undefined ? undefined : parseTraceParent(traceparent)
      // A caller's header that cannot be read counts as none (W3C Trace Context §3.2.2.2).
      const isSampled =
        parent == null ? Math.random() < share : (parent.traceFlags & SAMPLED) === SAMPLED
      if (!isSampled || !allowance.take()) return undefined
      const context =
        parent == null
          ? ROOT_CONTEXT
          : trace.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote: true })
      const options = { kind: Kind.SERVER, attributes: { ...attributes } }
      return new OtlpSpan(tracer, tracer.startSpan(name, options, context))
    },
    async [Symbol.asyncDispose]() {
      await provider.shutdown().catch(() => undefined) // a collector that is away loses the last spans
    },
  }
}

const KINDS: Readonly<Record<SpanKind, Kind>> = { internal: Kind.INTERNAL, client: Kind.CLIENT }

class OtlpSpan implements Span {
  readonly #tracer: LibraryTracer
  readonly #span: LibrarySpan

  constructor(tracer: LibraryTracer, span: LibrarySpan) {
    this.#tracer = tracer
    this.#span = span
  }

  get reference(): SpanReference {
    return this.#span.spanContext()
  }

  child(name: string, kind: SpanKind, attributes: SpanAttributes = {}): Span {
    const options = { kind: KINDS[kind], attributes: { ...attributes } }
    const context = trace.setSpan(ROOT_CONTEXT, this.#span)
    return new OtlpSpan(this.#tracer, this.#tracer.startSpan(name, options, context))
  }

  set(attributes: SpanAttributes): void {
    this.#span.setAttributes({ ...attributes })
  }

  link({ traceId, spanId }: SpanReference): void {
    this.#span.addLink({ context: { traceId, spanId, traceFlags: SAMPLED, isRemote: true } })
  }

  note(): void {} // stays on this machine

  fail(description: string): void {
    this.#span.setStatus({ code: SpanStatusCode.ERROR, message: description })
  }

  end(): void {
    this.#span.end()
  }
}
