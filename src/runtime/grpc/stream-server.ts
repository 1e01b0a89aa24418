// A gRPC server for streams that stay open in great numbers, directly on node:http2.
//
// Not on grpc-js, which keeps the last message of every open stream and the socket read around it:
// at 10,000 streams of Envoy's, which introduces itself with 61 KB on each, that was 110 KB resident
// for a stream, against 16 KB here. And grpc-js cannot raise the limit that Node sets to resets, so
// that 1,001 certificates which end together would close the connection of all other streams.

import {
  constants,
  createSecureServer,
  createServer,
  type Http2Session,
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2'
import { systemClock } from '../clock.ts'
import { GRPC_CODES, trailersOf, type GrpcStatus } from './framing.ts'
import { healthMethods } from './health.ts'
import type { GrpcServer } from './grpc-server.ts'
import { closeLater, OpenStream, RESPONSE_HEADERS } from './stream.ts'
import type { StreamMethod } from './message-stream.ts'
import { HoldBudget, type HoldLimits } from './hold-budget.ts'
import {
  admitToSocket,
  boundAddress,
  listen,
  prepareSocket,
  requireOwnFolder,
  type ListenAddress,
  type ServerTls,
  type SocketAccess,
} from '../listen.ts'
import type { Logger } from '../logger.ts'

/** What a server of streams needs; who may use it goes for a UNIX socket. */
export interface GrpcStreamServerOptions extends SocketAccess {
  readonly address: ListenAddress
  readonly tls: ServerTls | undefined
  readonly methods: readonly StreamMethod[]
  /** The most streams that all peers together have open. */
  readonly maxStreams: number
  /** How long a peer may take to take leave when the server closes, in milliseconds. */
  readonly grace: number
  readonly logger: Logger
}

/**
 * Starts a server of the methods and `grpc.health.v1`. When it closes, every stream is ended
 * at once: they would not end by themselves.
 *
 * @throws CountersignError `listen-failed`
 */
export const startGrpcStreamServer = async (
  options: GrpcStreamServerOptions,
): Promise<GrpcServer> => {
  const { address, methods, grace, logger } = options
  if (address.kind === 'unix') {
    await prepareSocket(address.path)
    await requireOwnFolder(address.path)
  }
  const server = createHttp2Server(options)
  const connections = new Connections(server, {
    ...options,
    methods: [...healthMethods({ isServing: true }), ...methods],
  })
  await listen(server, address)
  server.on('error', (cause) => logger.error({ err: cause }, 'listener failed'))
  if (address.kind === 'unix') {
    try {
      await admitToSocket(address.path, options)
    } catch (cause) {
      server.close()
      throw cause
    }
  }
  return {
    address: boundAddress(server, address),
    [Symbol.asyncDispose]: () => connections.close(grace),
  }
}

// Envoy has one connection for all its streams, and opens another when one is full.
const MAX_CONNECTIONS = 256

// A stream takes some 2 KB of nghttp2, by which Node counts (measured).
const SESSION_BYTES_PER_STREAM = 4_096

// What an Envoy sends with a request for secrets has some 300 bytes.
const MAX_HEADER_BYTES = 16_384
const MAX_HEADER_LINES = 64

// A certificate's stream is reset when its time is over. CAs issue 200 a second by default.
const LASTING_RESETS_PER_SECOND = 1_000

/**
 * What a connection may do. Node and nghttp2 end one that floods: with resets, unacknowledged SETTINGS
 * and PING frames, CONTINUATION frames, invalid frames.
 */
const serverOptions = (maxStreams: number): ServerOptions => ({
  settings: { maxConcurrentStreams: maxStreams, maxHeaderListSize: MAX_HEADER_BYTES },
  // In MB. Node's own bound of 10 would be reached at some 5,000 streams, and refuses the next.
  maxSessionMemory: Math.max(10, Math.ceil((maxStreams * SESSION_BYTES_PER_STREAM) / 1_000_000)),
  maxHeaderListPairs: MAX_HEADER_LINES,
  // Envoy resets the stream of a secret that it drops, and secrets made together end together.
  streamResetBurst: maxStreams,
  streamResetRate: LASTING_RESETS_PER_SECOND,
})

const createHttp2Server = ({
  tls,
  maxStreams,
}: GrpcStreamServerOptions): Http2Server | Http2SecureServer =>
  tls === undefined
    ? createServer(serverOptions(maxStreams))
    : createSecureServer({
        ...serverOptions(maxStreams),
        cert: tls.certificate,
        key: tls.key,
        ca: tls.clientCa,
        requestCert: true,
        rejectUnauthorized: true, // the default, but everything hangs on it
      })

const SHUTTING_DOWN: GrpcStatus = { code: GRPC_CODES.unavailable, details: 'shutting down' }

// Parts of messages and answers that are not taken: a message of Envoy's has 61 KB at most, and is
// complete within milliseconds.
const BYTES: HoldLimits = { most: 16_777_216, longest: 20_000 }

// Of one connection in a minute, streams that are refused or dropped. Each has cost us what it takes to
// open one, so a connection with more of them ends.
const MAX_STRIKES = 1_000
const STRIKES_MS = 60_000

interface Connection {
  streams: number
  strikes: number
  /** Since when strikes are counted. */
  since: number
}

const WARNING_PAUSE_MS = 60_000

class Connections {
  readonly #server: Http2Server | Http2SecureServer
  readonly #methods: ReadonlyMap<string | undefined, StreamMethod>
  readonly #logger: Logger
  readonly #maxStreams: number
  readonly #bytes = new HoldBudget(BYTES, systemClock)
  readonly #unused = new HoldBudget({ most: Number.POSITIVE_INFINITY }, systemClock)
  /** The one that has been without a stream for longest comes first. */
  readonly #sessions = new Map<Http2Session, Connection>()
  readonly #streams = new Set<OpenStream>()
  readonly #warnedAt = new Map<string, number>()

  constructor(
    server: Http2Server | Http2SecureServer,
    { methods, logger, maxStreams }: GrpcStreamServerOptions,
  ) {
    this.#server = server
    this.#methods = new Map(methods.map((method) => [method.path, method]))
    this.#logger = logger
    this.#maxStreams = maxStreams
    // Connections before the end of their TLS handshake are not sessions yet.
    server.maxConnections = 2 * MAX_CONNECTIONS
    server.on('sessionError', (cause) => logger.debug({ err: cause }, 'connection failed'))
    server.on('session', (session) => this.#admit(session))
    server.on('stream', (stream, headers) => this.#accept(stream, headers))
  }

  async close(grace: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve()) // when every connection is closed
    for (const stream of this.#streams) stream.end(SHUTTING_DOWN)
    for (const session of this.#sessions.keys()) session.close() // when its streams are
    const timer = setTimeout(() => {
      for (const session of this.#sessions.keys()) session.destroy()
    }, grace)
    await promise
    clearTimeout(timer)
    this.#bytes[Symbol.dispose]()
  }

  /** When there are too many connections, the one that has been without a stream for longest ends. */
  #admit(session: ServerHttp2Session): void {
    session.once('close', () => this.#sessions.delete(session))
    this.#sessions.set(session, { streams: 0, strikes: 0, since: systemClock.monotonic() })
    if (this.#sessions.size <= MAX_CONNECTIONS) return
    const idle = this.#sessions.entries().find(([, { streams }]) => streams === 0)
    this.#warn(`more than ${MAX_CONNECTIONS} connections: one is closed`)
    ;(idle?.[0] ?? session).destroy()
  }

  #accept(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    // A reset by the peer is an error event, too; `close` follows it in any case.
    stream.on('error', (cause) => this.#logger.debug({ err: cause }, 'stream failed'))
    try {
      if (this.#streams.size >= this.#maxStreams && !this.#unused.dropFirst()) {
        this.#warn(`more than ${this.#maxStreams} streams: further ones are refused`)
        stream.close(constants.NGHTTP2_REFUSED_STREAM) // RFC 9113 §8.7: nothing was done
        return this.#onDropped(stream)
      }
      if (!isGrpc(headers)) return refuse(stream, { ':status': 415 })
      const method = this.#methods.get(headers[':path'])
      if (method === undefined) return refuse(stream, UNKNOWN_METHOD)
      const open = new OpenStream(stream, method, {
        bytes: this.#bytes,
        unused: this.#unused,
        onDropped: this.#onDropped,
        onFault: this.#onFault,
      })
      this.#streams.add(open)
      stream.once('close', () => this.#streams.delete(open))
      this.#count(stream)
    } catch (cause) {
      this.#logger.debug({ err: cause }, 'stream was closed before it was served')
    }
  }

  /** Counts a stream with its connection. */
  #count(stream: ServerHttp2Stream): void {
    const { session } = stream
    const counted = session === undefined ? undefined : this.#sessions.get(session)
    if (session === undefined || counted === undefined) return
    counted.streams += 1
    stream.once('close', () => {
      counted.streams -= 1
      if (counted.streams === 0 && this.#sessions.delete(session)) {
        this.#sessions.set(session, counted)
      }
    })
  }

  readonly #onDropped = ({ session }: ServerHttp2Stream): void => {
    const connection = session === undefined ? undefined : this.#sessions.get(session)
    if (session === undefined || connection === undefined) return
    const now = systemClock.monotonic()
    if (now - connection.since > STRIKES_MS) Object.assign(connection, { strikes: 0, since: now })
    connection.strikes += 1
    if (connection.strikes <= MAX_STRIKES) return
    this.#warn(`more than ${MAX_STRIKES} streams of a connection refused or dropped: it is closed`)
    session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM)
  }

  /** Once a minute at most: a flood must not fill the log. */
  #warn(problem: string): void {
    const now = systemClock.monotonic()
    if (now - (this.#warnedAt.get(problem) ?? Number.NEGATIVE_INFINITY) < WARNING_PAUSE_MS) return
    this.#warnedAt.set(problem, now)
    this.#logger.warn(problem)
  }

  readonly #onFault = (cause: unknown): void => {
    this.#logger.error({ err: cause }, 'stream handler failed')
  }
}

const isGrpc = (headers: IncomingHttpHeaders): boolean =>
  headers[':method'] === 'POST' && headers['content-type']?.startsWith('application/grpc') === true

const UNKNOWN_METHOD = {
  ...RESPONSE_HEADERS,
  ...trailersOf({ code: GRPC_CODES.unimplemented, details: 'unknown method' }),
}

const refuse = (stream: ServerHttp2Stream, headers: Readonly<Record<string, string | number>>) => {
  stream.respond(headers, { endStream: true })
  stream.resume() // what the peer still sends is let go
  closeLater(stream)
}
