// Spans of a process without a network: kept for a reader that takes them over a socket and sends them to a collector. None is
// made without a reader, and neither their number nor their rate exceeds a limit.

import { randomBytes } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { TokenBucket } from '../token-bucket.ts'
import type { Span, SpanAttributes, SpanKind, SpanReference } from './span.ts'

/** A span that has ended. */
export interface KeptSpan extends SpanReference {
  /** Absent for the first span of a trace. */
  readonly parentSpanId?: string
  readonly name: string
  /** `server` for the answer to another process. */
  readonly kind: SpanKind | 'server'
  /** Milliseconds since the epoch, with fractions. */
  readonly start: number
  /** Milliseconds, with fractions. */
  readonly duration: number
  readonly attributes: SpanAttributes
  /** Present where it has failed. */
  readonly failure?: string
}

/** What a reader gets. */
export interface SpanPage {
  /** Differs for each process: numbers of another one mean nothing here. */
  readonly process: string
  /** The number of the last span; a reader that has all up to it passes it the next time. */
  readonly last: number
  readonly spans: readonly KeptSpan[]
}

/** How many spans have been read, and how many were dropped since they exceeded a limit. */
export interface KeptStatistics {
  readonly read: number
  readonly dropped: number
}

// Some 400 bytes each.
const MOST_KEPT = 2_048
// Traces begun; an issuance has some five spans.
const PER_SECOND = 100
/** How long spans are made after a reader's last request. */
const READER_MS = 30_000

/** The spans of a process. */
export class KeptSpans {
  readonly #clock: Clock
  readonly #process = randomBytes(8).toString('hex')
  readonly #allowance: TokenBucket
  #kept: KeptSpan[] = []
  #last = 0
  #readUntil = Number.NEGATIVE_INFINITY
  #statistics = { read: 0, dropped: 0 }

  constructor(clock: Clock) {
    this.#clock = clock
    this.#allowance = new TokenBucket({ burst: PER_SECOND, perSecond: PER_SECOND }, clock)
  }

  get statistics(): KeptStatistics {
    return this.#statistics
  }

  /** Begins the first span of a trace; undefined without a reader, and beyond the limit of a second. */
  begin(name: string, traceId: string, attributes: SpanAttributes = {}): Span | undefined {
    const now = this.#clock.monotonic()
    if (now >= this.#readUntil) return undefined
    if (!this.#allowance.take()) {
      this.#statistics.dropped += 1
      return undefined
    }
    const surroundings = {
      clock: this.#clock,
      epoch: this.#clock.now() - now,
      ended: (span: KeptSpan) => this.#keep(span),
    }
    return new BegunSpan({ name, kind: 'server', traceId, attributes }, surroundings)
  }

  /**
   * The spans after a number, oldest first. Those up to it are forgotten: its reader has them.
   *
   * @param process that of the page that had the number; another one's, or none, counts as 0
   */
  read(process: string, after: number): SpanPage {
    this.#readUntil = this.#clock.monotonic() + READER_MS
    const known = process === this.#process ? Math.min(after, this.#last) : 0
    const first = this.#last - this.#kept.length
    const taken = Math.max(0, known - first)
    this.#kept = this.#kept.slice(taken)
    this.#statistics.read += taken
    return { process: this.#process, last: this.#last, spans: this.#kept }
  }

  #keep(span: KeptSpan): void {
    this.#last += 1
    this.#kept.push(span)
    if (this.#kept.length <= MOST_KEPT) return
    this.#kept.shift()
    this.#statistics.dropped += 1
  }
}

interface Beginning {
  readonly name: string
  readonly kind: KeptSpan['kind']
  readonly traceId: string
  readonly parentSpanId?: string
  readonly attributes: SpanAttributes
}

interface Surroundings {
  readonly clock: Clock
  /** What the monotonic clock lacks to be milliseconds since the epoch. */
  readonly epoch: number
  readonly ended: (span: KeptSpan) => void
}

class BegunSpan implements Span {
  readonly #beginning: Beginning
  readonly #surroundings: Surroundings
  readonly #spanId = randomBytes(8).toString('hex')
  readonly #started: number
  #attributes: SpanAttributes
  #failure: string | undefined

  constructor(beginning: Beginning, surroundings: Surroundings) {
    this.#beginning = beginning
    this.#surroundings = surroundings
    this.#started = surroundings.clock.monotonic()
    this.#attributes = beginning.attributes
  }

  get reference(): SpanReference {
    return { traceId: this.#beginning.traceId, spanId: this.#spanId }
  }

  child(name: string, kind: SpanKind, attributes: SpanAttributes = {}): Span {
    const { traceId } = this.#beginning
    const beginning = { name, kind, traceId, parentSpanId: this.#spanId, attributes }
    return new BegunSpan(beginning, this.#surroundings)
  }

  set(attributes: SpanAttributes): void {
    this.#attributes = { ...this.#attributes, ...attributes }
  }

  link(): void {} // what is traced here has no other cause

  note(): void {} // a collector gets no notes

  fail(description: string): void {
    this.#failure = description
  }

  end(): void {
    const { clock, epoch, ended } = this.#surroundings
    ended({
      ...this.#beginning,
      spanId: this.#spanId,
      start: epoch + this.#started,
      duration: clock.monotonic() - this.#started,
      attributes: this.#attributes,
      ...(this.#failure === undefined ? {} : { failure: this.#failure }),
    })
  }
}
