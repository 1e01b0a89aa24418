// The built-in server of gRPC, on Countersign's own HTTP/2: unary methods, streams, and health.
//
// A call costs some microseconds of it. What one read of a socket brings is taken in one turn of the event
// loop: each call that is complete is handled, and the answers leave in one write.

import { systemClock, type Clock } from '../clock.ts'
import { DEFAULT_LIMITS, type Http2Limits } from '../http2/limits.ts'
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
import { HoldBudget, type HoldLimits } from './hold-budget.ts'
import type { StreamMethod } from './message-stream.ts'
import { httpStatusBlock, statusBlock } from './response.ts'
import { StreamExchange, type StreamSurroundings } from './stream-exchange.ts'
import { UnaryExchange, type UnarySurroundings } from './unary-exchange.ts'
import type { UnaryMethod } from './unary.ts'

/** What a server needs; who may use it is said for a UNIX socket. */
export interface BuiltInServerOptions extends SocketAccess {
  readonly address: ListenAddress
  readonly tls: ReplaceableTls | undefined
  readonly methods: readonly UnaryMethod[]
  readonly streams?: readonly StreamMethod[]
  readonly limits?: Partial<GrpcLimits>
  /** How long calls in flight are waited for when the server closes, in milliseconds. */
  readonly grace: number
  readonly clock?: Clock
  readonly logger: Logger
}

/** The bounds of a server: those of HTTP/2, and of what gRPC adds. */
interface GrpcLimits extends Http2Limits {
  /** Octets of a message. */
  readonly maxMessage: number
  /**
   * What all connections hold together of messages that are not complete and of answers that are not
   * taken, in octets, and how long: then the stream that has held for longest is reset.
   */
  readonly held: HoldLimits
  /** Unary calls at once whose handlers wait, also for clients that have disconnected (CVE-2023-44487). */
  readonly maxRunning: number
  /** Streams of messages at once on all connections. One more ends the one not in use for longest. */
  readonly maxMessageStreams: number
}

/** Bounds for ext_authz and health. */
const UNARY_LIMITS: GrpcLimits = {
  ...DEFAULT_LIMITS,
  // Envoy resets the stream of a check whose client has disconnected, and the checks of all clients share its
  // connection: a client that abandons requests must not end it. A reset costs no more than a request, and
  // what handlers still do for it is bounded by `maxRunning`.
  resets: { burst: 100_000, perSecond: 100_000 },
  maxMessage: 1_048_576, // Envoy's header limits bound a CheckRequest to some 100 KB
  held: { most: 16_777_216, longest: 20_000 },
  maxRunning: 10_000,
  maxMessageStreams: 1_000, // of health
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
  (block: Buffer): Opener =>
  (stream) => {
    stream.sendTrailers(block)
    return REFUSED
  }

class GrpcApplication implements Http2Application<Opener>, Disposable {
  readonly #unary: ReadonlyMap<string, UnaryMethod>
  readonly #streams: ReadonlyMap<string, StreamMethod>
  readonly #limits: GrpcLimits
  readonly #surroundings: UnarySurroundings & StreamSurroundings
  readonly #health = { isServing: true }
  readonly #flushes: readonly (() => void)[]
  #readAt: number | undefined

  constructor(options: BuiltInServerOptions, limits: GrpcLimits) {
    const { methods, streams = [], clock = systemClock, logger } = options
    this.#unary = new Map(methods.map((method) => [method.path, method]))
    this.#flushes = methods.flatMap((method) =>
      method.flush === undefined ? [] : [() => method.flush?.()],
    )
    const all = [...healthMethods(this.#health), ...streams]
    this.#streams = new Map(all.map((method) => [method.path, method]))
    this.#limits = limits
    const onFault = (cause: unknown): void => logger.error({ err: cause }, 'handler failed')
    this.#surroundings = {
      deadlines: new Deadlines(clock),
      bytes: new HoldBudget(limits.held, clock),
      unused: new HoldBudget({ most: limits.maxMessageStreams }, clock),
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
    if (value !== undefined && timeout === undefined) return refusing(WRONG_TIMEOUT)
    const unary = this.#unary.get(path)
    if (unary !== undefined) {
      return (stream) => new UnaryExchange(stream, unary, timeout, this.#surroundings)
    }
    const streaming = this.#streams.get(path)
    if (streaming === undefined) return refusing(UNKNOWN_METHOD)
    return (stream) => new StreamExchange(stream, streaming, timeout, this.#surroundings)
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

  /** Ends the streams of messages, which would not end by themselves; calls in flight continue. */
  stop(): void {
    this.#health.isServing = false
    for (const stream of this.#surroundings.open) stream.end(SHUTTING_DOWN)
  }

  [Symbol.dispose](): void {
    this.#surroundings.bytes[Symbol.dispose]()
  }
}
