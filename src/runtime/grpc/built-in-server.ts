// The built-in server of gRPC, on Countersign's own HTTP/2: unary methods, streams, and health.
//
// A call costs some microseconds of it. What one read of a socket brings is taken in one turn of the event
// loop: each call that is complete is handled, and the answers leave in one write.

import { systemClock, type Clock } from '../clock.ts'
import { ERROR } from '../http2/frames.ts'
import type { RequestHead } from '../http2/request-head.ts'
import { startHttp2Server } from '../http2/server.ts'
import type { Http2Stream, StreamReceiver } from '../http2/stream.ts'
import type { Http2Application } from '../http2/streams.ts'
import type { ListenAddress, SocketAccess } from '../listen.ts'
import type { Logger } from '../logger.ts'
import type { ReplaceableTls } from '../server-tls.ts'
import { Deadlines, timeoutOf } from './deadlines.ts'
import { GRPC_CODES, type GrpcStatus } from './framing.ts'
import type { GrpcServer } from './grpc-server.ts'
import { healthMethods } from './health.ts'
import { HoldBudget } from './hold-budget.ts'
import { UNARY_LIMITS, type GrpcLimits } from './limits.ts'
import type { StreamMethod } from './message-stream.ts'
import { httpStatusBlock, statusBlock } from './response.ts'
import { GrpcStatistics, type MethodCalls } from './statistics.ts'
import { StreamExchange, type StreamSurroundings } from './stream-exchange.ts'
import { UnaryExchange, type UnarySurroundings } from './unary-exchange.ts'
import type { UnaryMethod } from './unary.ts'

/** What a server needs; who may use it is said for a UNIX socket. */
export interface BuiltInServerOptions extends SocketAccess {
  readonly address: ListenAddress
  readonly tls: ReplaceableTls | undefined
  readonly methods?: readonly UnaryMethod[]
  readonly streams?: readonly StreamMethod[]
  /** Default: {@link UNARY_LIMITS}. */
  readonly limits?: Partial<GrpcLimits>
  /** Where calls are counted, by method and status code. Default: nowhere that is read. */
  readonly statistics?: GrpcStatistics
  /**
   * How long calls in flight are waited for when the server closes, in milliseconds. Streams of messages are
   * ended at once, and wait as long for a peer that does not take their end.
   */
  readonly grace: number
  readonly clock?: Clock
  readonly logger: Logger
}

/**
 * Starts a server; it reports SERVING by `grpc.health.v1` from then on.
 *
 * @throws CountersignError `listen-failed`
 */
export const startBuiltInServer = async (options: BuiltInServerOptions): Promise<GrpcServer> => {
  const limits = { ...UNARY_LIMITS, ...options.limits }
  const application = new GrpcApplication(options, limits)
  const server = await startHttp2Server({ ...options, application, limits })
  return {
    address: server.address,
    async [Symbol.asyncDispose]() {
      application.stop()
      await server.close(options.grace)
      application[Symbol.dispose]()
    },
  }
}

type Opener = (stream: Http2Stream) => StreamReceiver

const refusal = (code: number, details: string): Buffer => statusBlock({ code, details })

const UNKNOWN_METHOD = refusal(GRPC_CODES.unimplemented, 'unknown method')
const WRONG_TIMEOUT = refusal(GRPC_CODES.internal, 'invalid grpc-timeout')
const NOT_GRPC = httpStatusBlock(415) // "gRPC over HTTP2", Requests
const NOT_POST = httpStatusBlock(405, { allow: 'POST' })
const SHUTTING_DOWN: GrpcStatus = { code: GRPC_CODES.unavailable, details: 'shutting down' }

const CONTENT_TYPE = /^application\/grpc(?:$|[+;])/

/** What a request that is refused by its head still sends is discarded. */
const REFUSED: StreamReceiver = { data() {}, finished() {}, drained() {}, closed() {} }

const refusing =
  (block: Buffer, counted?: { readonly calls: MethodCalls; readonly code: number }): Opener =>
  (stream) => {
    counted?.calls.ended(counted.code)
    stream.sendTrailers(block)
    return REFUSED
  }

/** A method, and where its calls are counted. */
interface Counted<Method> {
  readonly method: Method
  readonly calls: MethodCalls
}

const byPath = <Method extends { readonly path: string }>(
  methods: readonly Method[],
  statistics: GrpcStatistics,
): ReadonlyMap<string, Counted<Method>> =>
  new Map(methods.map((method) => [method.path, { method, calls: statistics.of(method.path) }]))

class GrpcApplication implements Http2Application<Opener>, Disposable {
  readonly #unary: ReadonlyMap<string, Counted<UnaryMethod>>
  readonly #streams: ReadonlyMap<string, Counted<StreamMethod>>
  readonly #statistics: GrpcStatistics
  readonly #limits: GrpcLimits
  readonly #logger: Logger
  readonly #surroundings: UnarySurroundings & StreamSurroundings
  readonly #health = { isServing: true }
  readonly #flushes: readonly (() => void)[]
  #readAt: number | undefined

  constructor(options: BuiltInServerOptions, limits: GrpcLimits) {
    const { methods = [], streams = [], clock = systemClock, logger } = options
    this.#statistics = options.statistics ?? new GrpcStatistics()
    this.#unary = byPath(methods, this.#statistics)
    this.#flushes = methods.flatMap((method) =>
      method.flush === undefined ? [] : [() => method.flush?.()],
    )
    const all = [...healthMethods(this.#health), ...streams]
    this.#streams = byPath(all, this.#statistics)
    this.#limits = limits
    this.#logger = logger
    const onFault = (cause: unknown): void => logger.error({ err: cause }, 'handler failed')
    this.#surroundings = {
      deadlines: new Deadlines(clock),
      bytes: new HoldBudget(limits.held, clock),
      unused: new HoldBudget({ most: Number.POSITIVE_INFINITY }, clock), // as many as are open
      clock,
      touched: [],
      maxMessage: limits.maxMessage,
      now: () => (this.#readAt ??= clock.now()),
      running: { count: 0 },
      open: new Set(),
      onDropped: ({ owner }) => logger.debug({ peer: owner.peer }, 'stream dropped'),
      onFault,
    }
  }

  prepare({ method, path, fields }: RequestHead): Opener {
    if (method !== 'POST') return refusing(NOT_POST)
    const valueOf = (name: string): string | undefined =>
      fields.find((field) => field.name === name)?.value
    if (!CONTENT_TYPE.test(valueOf('content-type') ?? '')) return refusing(NOT_GRPC)
    const value = valueOf('grpc-timeout')
    const timeout = value === undefined ? undefined : timeoutOf(value)
    const unary = this.#unary.get(path)
    const streaming = this.#streams.get(path)
    if (value !== undefined && timeout === undefined) {
      const { calls } = unary ?? streaming ?? { calls: this.#statistics.unknown }
      return refusing(WRONG_TIMEOUT, { calls, code: GRPC_CODES.internal })
    }
    if (unary !== undefined) {
      const head = { timeout, traceparent: valueOf('traceparent') }
      return (stream) => new UnaryExchange(stream, unary, head, this.#surroundings)
    }
    if (streaming !== undefined) return (stream) => this.#openStream(stream, streaming, timeout)
    const { unknown: calls } = this.#statistics
    return refusing(UNKNOWN_METHOD, { calls, code: GRPC_CODES.unimplemented })
  }

  accepts(): boolean {
    return this.#surroundings.running.count < this.#limits.maxRunning
  }

  open(stream: Http2Stream, opener: Opener): StreamReceiver {
    return opener(stream)
  }

  readEnd(): void {
    this.#readAt = undefined
    const { touched } = this.#surroundings
    if (touched.length === 0) return
    for (const flush of this.#flushes) flush()
    for (const call of touched) call.readEnd()
    touched.length = 0
  }

  #openStream(
    stream: Http2Stream,
    counted: Counted<StreamMethod>,
    timeout: number | undefined,
  ): StreamReceiver {
    if (!this.#makeRoom()) {
      counted.calls.ended(GRPC_CODES.unavailable) // as a client reads REFUSED_STREAM
      const { maxMessageStreams: limit } = this.#limits
      this.#logger.warn({ limit }, 'too many streams: one is refused')
      stream.resetForFault(ERROR.refusedStream) // RFC 9113 §8.7: nothing was done
      return REFUSED
    }
    const exchange = new StreamExchange(stream, counted, timeout, this.#surroundings)
    if (!this.#health.isServing) exchange.end(SHUTTING_DOWN)
    return exchange
  }

  /** Whether there is room for one more stream of messages, if need be in place of another. */
  #makeRoom(): boolean {
    const { open, unused, bytes } = this.#surroundings
    const { maxMessageStreams } = this.#limits
    if (open.size < maxMessageStreams) return true
    // A peer that takes its answers holds none for longer than a moment.
    if (!unused.dropFirst()) bytes.dropFirst()
    return open.size < maxMessageStreams
  }

  /** Ends the streams of messages, which would not end by themselves; calls in flight continue. */
  stop(): void {
    this.#health.isServing = false
    for (const stream of this.#surroundings.open) stream.end(SHUTTING_DOWN)
  }

  [Symbol.dispose](): void {
    this.#surroundings.bytes[Symbol.dispose]()
  }
}
