// Two tracers as one: a request has a span of each that wants it.

import type { Notes, Span, SpanAttributes, SpanKind, SpanReference, Tracer } from './span.ts'

/** The tracers as one; the first alone where there is no second. */
export const joinedTracer = (first: Tracer, second: Tracer | undefined): Tracer =>
  second === undefined
    ? first
    : {
        begin(name, traceparent, attributes) {
          const span = first.begin(name, traceparent, attributes)
          const other = second.begin(name, traceparent, attributes)
          if (span === undefined) return other
          return other === undefined ? span : new JoinedSpan([span, other])
        },
      }

class JoinedSpan implements Span {
  readonly #spans: readonly Span[]

  constructor(spans: readonly Span[]) {
    this.#spans = spans
  }

  get reference(): SpanReference | undefined {
    return this.#spans.find(({ reference }) => reference !== undefined)?.reference
  }

  child(name: string, kind: SpanKind, attributes?: SpanAttributes): Span {
    return new JoinedSpan(this.#spans.map((span) => span.child(name, kind, attributes)))
  }

  set(attributes: SpanAttributes): void {
    for (const span of this.#spans) span.set(attributes)
  }

  link(reference: SpanReference): void {
    for (const span of this.#spans) span.link(reference)
  }

  note(notes: Notes): void {
    for (const span of this.#spans) span.note(notes)
  }

  fail(description: string): void {
    for (const span of this.#spans) span.fail(description)
  }

  end(): void {
    for (const span of this.#spans) span.end()
  }
}
