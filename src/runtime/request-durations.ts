// How long the servers that authz calls take to answer: one histogram for all of them. Time in a queue is not
// included, so that a value is of the server and of the network.

import { systemClock, type Clock } from './clock.ts'
import { Histogram } from './metrics/metric.ts'
import type { Distribution } from './metrics/distribution.ts'
import { SERVER_KINDS, type ServerKind } from './server-kinds.ts'
import { tracedRequest, type Span } from './tracing/span.ts'

/**
 * How a request ended: `answered`, also by a refusal; `failed`, without a usable answer in time; `aborted`, because its
 * caller went away, or its time was over.
 */
const REQUEST_OUTCOMES = ['answered', 'failed', 'aborted'] as const

/** One of {@link REQUEST_OUTCOMES}. */
export type RequestOutcome = (typeof REQUEST_OUTCOMES)[number]

type LabelName = 'kind' | 'server' | 'operation' | 'outcome'

/** Measures the requests to all servers since the start, over all configurations. */
export class RequestDurations {
  readonly #clock: Clock
  readonly histogram = new Histogram<LabelName>(
    'countersign_dependency_request_duration_seconds',
    'Duration of requests to other servers and of operations on `state`, without the time in a queue, by outcome: answered (also by a refusal), failed (no usable answer in time), aborted (the caller went away, or its time was over). Memory is not measured.',
    {
      kind: SERVER_KINDS,
      server:
        'the server, as it is configured, without secrets; the id of an upstream IdP; absent for addresses that certificates name',
      operation: 'the operation of LDAP, RADIUS or the store; absent otherwise',
      outcome: REQUEST_OUTCOMES,
    },
  )

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Those of one server. */
  of(kind: ServerKind, server: string): ServerDurations {
    return new ServerDurations(this.histogram, { kind, server }, this.#clock)
  }
}

/** Measures the requests to one server. */
export class ServerDurations {
  readonly #histogram: Histogram<LabelName>
  readonly #server: Readonly<Record<'kind' | 'server', string>>
  readonly #clock: Clock
  readonly #operations = new Map<string, Readonly<Record<RequestOutcome, Distribution>>>()

  constructor(
    histogram: Histogram<LabelName>,
    server: Readonly<Record<'kind' | 'server', string>>,
    clock: Clock,
  ) {
    this.#histogram = histogram
    this.#server = server
    this.#clock = clock
  }

  /**
   * Runs a request, measures it, and traces it where the check is traced. A rejection is `aborted` where the signal is, else `failed`.
   *
   * @param operation a constant of the program; empty where there is one operation
   * @param signal of the caller; not one that is aborted because the server was too slow
   */
  async measure<T>(
    operation: string,
    request: () => Promise<T>,
    { signal, outcomeOf = () => 'answered' }: MeasureOptions<T> = {},
  ): Promise<T> {
    const { kind, server } = this.#server
    const name = operation === '' ? kind : `${kind} ${operation}`
    const started = this.#clock.monotonic()
    return await tracedRequest(name, { 'countersign.server': server }, async (span) => {
      try {
        const answer = await request()
        this.#observe(operation, outcomeOf(answer), started, span)
        return answer
      } catch (cause) {
        const aborted = signal?.aborted === true
        this.#observe(operation, aborted ? 'aborted' : 'failed', started, span)
        throw cause
      }
    })
  }

  #observe(
    operation: string,
    outcome: RequestOutcome,
    started: number,
    span: Span | undefined,
  ): void {
    const seconds = (this.#clock.monotonic() - started) / 1_000
    const known = this.#operations.get(operation) ?? this.#begin(operation)
    known[outcome].observe(seconds, span?.reference)
  }

  #begin(operation: string): Readonly<Record<RequestOutcome, Distribution>> {
    const seriesOf = (outcome: RequestOutcome): Distribution =>
      this.#histogram.of({ ...this.#server, operation, outcome })
    const series = {
      answered: seriesOf('answered'),
      failed: seriesOf('failed'),
      aborted: seriesOf('aborted'),
    }
    this.#operations.set(operation, series)
    return series
  }
}

interface MeasureOptions<T> {
  readonly signal?: AbortSignal
  /** What an answer means; default: `answered`. */
  readonly outcomeOf?: (answer: T) => RequestOutcome
}

/** For responses of HTTP: a status other than 2xx is a failure. */
export const OF_HTTP = {
  outcomeOf: ({ status }: { readonly status: number }): RequestOutcome =>
    status >= 200 && status < 300 ? 'answered' : 'failed',
} as const

/** The location of a URL: a query may contain a secret. */
export const withoutQuery = (url: string): string => url.split('?', 1)[0] ?? ''

/** For clients of commands, whose durations are not published. */
export const UNMEASURED: ServerDurations = new RequestDurations(systemClock).of('ldap', '')
