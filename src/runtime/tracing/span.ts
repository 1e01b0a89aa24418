// The seam between what is traced and the exporter of traces: a few calls, without a library. Where nothing is traced, no span
// is made and no code of OpenTelemetry is loaded.

import { AsyncLocalStorage } from 'node:async_hooks'

/** What a span says, by the names of OpenTelemetry's semantic conventions where they have one. No secrets. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>

/** Where a collector finds a span (W3C Trace Context §3.2.2). */
export interface SpanReference {
  /** 32 hexadecimal digits, in lower case. */
  readonly traceId: string
  /** 16 hexadecimal digits, in lower case. */
  readonly spanId: string
}

/** What {@link Span.note} tells, by name. */
export type Notes = Readonly<Record<string, string>>

/** A part of a trace that has begun. No method throws. */
export interface Span {
  /** Where a collector finds the span; undefined where none gets it. */
  readonly reference: SpanReference | undefined
  /** Begins a span within this one. */
  child(name: string, kind: SpanKind, attributes?: SpanAttributes): Span
  set(attributes: SpanAttributes): void
  /** Names a span of another trace that this one depends on. */
  link(reference: SpanReference): void
  /**
   * Tells an operator who follows requests on this machine what a collector does not get: names, addresses, conclusions. No
   * secrets, either.
   */
  note(notes: Notes): void
  /** What the span is of has failed, with a text without secrets. */
  fail(description: string): void
  end(): void
}

/** `internal` is work of this process, `client` a request to another server. */
export type SpanKind = 'internal' | 'client'

/** Begins traces. */
export interface Tracer {
  /**
   * Begins the span of a request that this process answers; undefined when the request is not sampled.
   *
   * @param traceparent the header of the caller (W3C Trace Context §3.2), if it sent one
   */
  begin(
    name: string,
    traceparent: string | undefined,
    attributes?: SpanAttributes,
  ): Span | undefined
}

const active = new AsyncLocalStorage<Span>()

/** The span that the running function belongs to; undefined where it is not traced. */
export const activeSpan = (): Span | undefined => active.getStore()

/**
 * `traceparent` (W3C Trace Context §3.2) for a request of this process to itself: of the active span; without one, a header by which
 * the request is not traced, whatever the share.
 */
export const ownTraceparent = (): string => {
  const reference = active.getStore()?.reference
  return reference === undefined ? NOT_TRACED : `00-${reference.traceId}-${reference.spanId}-01`
}

// Any ids but zeros.
const NOT_TRACED = `00-${'f'.repeat(32)}-${'f'.repeat(16)}-00`

/** Runs a function whose work belongs to a span, also what it leaves to be done later. */
export const within = <T>(span: Span, run: () => T): T => active.run(span, run)

/**
 * Traces a request to another server as a part of the span that is active. Without one it only calls the function.
 *
 * @param run what sends the request, called with its span; its rejection is the span's failure
 */
export const tracedRequest = async <T>(
  name: string,
  attributes: SpanAttributes,
  run: (span?: Span) => Promise<T>,
): Promise<T> => {
  const parent = active.getStore()
  if (parent === undefined) return await run()
  const span = parent.child(name, 'client', attributes)
  try {
    return await within(span, () => run(span))
  } catch (cause) {
    span.fail(cause instanceof Error ? cause.name : 'failed')
    throw cause
  } finally {
    span.end()
  }
}
