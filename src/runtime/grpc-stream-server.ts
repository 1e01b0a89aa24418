// A gRPC server for streams that stay open in great numbers, directly on node:http2.
//
// Not on grpc-js, which keeps the last message of every open stream and the socket read around it:
// at 10,000 streams of Envoy's, which introduces itself with 61 KB on each, that was 110 KB resident
// for a stream, against 16 KB here. And grpc-js cannot raise the limit that Node sets to resets, so
// that 1,001 certificates which end together would cost all others their connection.

import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2'
import { GRPC_CODES, trailersOf, type GrpcStatus } from './grpc-framing.ts'
import { HEALTH_METHODS } from './grpc-health.ts'
import type { GrpcServer } from './grpc-server.ts'
import { closeLater, OpenStream, RESPONSE_HEADERS, type StreamMethod } from './grpc-stream.ts'
import {
  admitToSocket,
  listenFailure,
  prepareSocket,
  requireOwnFolder,
  type ListenAddress,
  type ServerTls,
  type SocketAccess,
} from './listen.ts'
import type { Logger } from './logger.ts'

/** What a server of streams needs; who may use it goes for a UNIX socket. */
export interface GrpcStreamServerOptions extends SocketAccess {
  readonly address: ListenAddress
  readonly tls: ServerTls | undefined
  readonly methods: readonly StreamMethod[]
  /** How long a peer may take to take leave when the server closes, in milliseconds. */
  readonly grace: number
  readonly logger: Logger
}

/**
 * Starts a server, with `grpc.health.v1` beside its methods. When it closes, every stream is ended
 * at once: they would not end by themselves.
 *
 * @throws CountersignError `listen-failed`
 */
export const startGrpcStreamServer = async (
  options: GrpcStreamServerOptions,
): Promise<GrpcServer> => {
  const { address, tls, methods, grace, logger } = options
  if (address.kind === 'unix') {
    await prepareSocket(address.path)
    await requireOwnFolder(address.path)
  }
  const server = createHttp2Server(tls)
  const connections = new Connections(server, [...HEALTH_METHODS, ...methods], logger)
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
    address: addressOf(server, address),
    [Symbol.asyncDispose]: () => connections.close(grace),
  }
}

// Past this Envoy opens another connection. Some 1 MB of memory for each hundred.
const MAX_STREAMS = 100_000

const SERVER_OPTIONS: ServerOptions = {
  settings: { maxConcurrentStreams: MAX_STREAMS },
  // Node's own bound of 10 MB would be reached at some 5,000 streams, and refuses the next.
  maxSessionMemory: Number.MAX_SAFE_INTEGER,
  // Envoy resets the stream of a secret that it drops, and secrets made together end together. The
  // guard is against strangers, and no stranger reaches this socket.
  streamResetBurst: MAX_STREAMS,
  streamResetRate: MAX_STREAMS,
}

const createHttp2Server = (tls: ServerTls | undefined): Http2Server | Http2SecureServer =>
  tls === undefined
    ? createServer(SERVER_OPTIONS)
    : createSecureServer({
        ...SERVER_OPTIONS,
        cert: tls.certificate,
        key: tls.key,
        ca: tls.clientCa,
        requestCert: true,
        rejectUnauthorized: true, // the default, but everything hangs on it
      })

const listen = async (
  server: Http2Server | Http2SecureServer,
  address: ListenAddress,
): Promise<void> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(address, resolve)
  try {
    await promise
  } catch (cause) {
    throw listenFailure(address, cause)
  } finally {
    server.off('error', reject)
  }
}

const addressOf = (
  server: Http2Server | Http2SecureServer,
  address: ListenAddress,
): ListenAddress => {
  const bound = server.address()
  if (address.kind === 'unix' || bound === null || typeof bound === 'string') return address
  return { ...address, port: bound.port }
}

const SHUTTING_DOWN: GrpcStatus = { code: GRPC_CODES.unavailable, details: 'shutting down' }

class Connections {
  readonly #server: Http2Server | Http2SecureServer
  readonly #methods: ReadonlyMap<string | undefined, StreamMethod>
  readonly #logger: Logger
  readonly #sessions = new Set<ServerHttp2Session>()
  readonly #streams = new Set<OpenStream>()

  constructor(
    server: Http2Server | Http2SecureServer,
    methods: readonly StreamMethod[],
    logger: Logger,
  ) {
    this.#server = server
    this.#methods = new Map(methods.map((method) => [method.path, method]))
    this.#logger = logger
    server.on('sessionError', (cause) => logger.debug({ err: cause }, 'connection failed'))
    server.on('session', (session) => {
      this.#sessions.add(session)
      session.once('close', () => this.#sessions.delete(session))
    })
    server.on('stream', (stream, headers) => this.#accept(stream, headers))
  }

  async close(grace: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve()) // when every connection is closed
    for (const stream of this.#streams) stream.end(SHUTTING_DOWN)
    for (const session of this.#sessions) session.close() // when its streams are
    const timer = setTimeout(() => {
      for (const session of this.#sessions) session.destroy()
    }, grace)
    await promise
    clearTimeout(timer)
  }

  #accept(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    // A reset by the peer is an error event, too; `close` follows it in any case.
    stream.on('error', (cause) => this.#logger.debug({ err: cause }, 'stream failed'))
    try {
      if (!isGrpc(headers)) return refuse(stream, { ':status': 415 })
      const method = this.#methods.get(headers[':path'])
      if (method === undefined) return refuse(stream, UNKNOWN_METHOD)
      const open = new OpenStream(stream, method, this.#onFault)
      this.#streams.add(open)
      stream.once('close', () => this.#streams.delete(open))
    } catch (cause) {
      this.#logger.debug({ err: cause }, 'stream was gone before it was served')
    }
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
