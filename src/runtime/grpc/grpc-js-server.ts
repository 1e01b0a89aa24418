// The reference implementation of the gRPC server, on grpc-js: each call by itself.

import { chmod } from 'node:fs/promises'
import {
  experimental,
  ResponderBuilder,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  ServerListenerBuilder,
  status,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerInterceptor,
  type ServerUnaryCall,
  type ServiceDefinition,
} from '@grpc/grpc-js'
import { listenFailure, prepareSocket, targetOf, type ListenAddress } from '../listen.ts'
import type { Logger } from '../logger.ts'
import type { ReplaceableTls } from '../server-tls.ts'
import { GRPC_OK } from './framing.ts'
import type { GrpcServer, GrpcServerOptions } from './grpc-server.ts'
import { healthMethods } from './health.ts'
import type { StreamMethod } from './message-stream.ts'
import { GrpcStatistics } from './statistics.ts'
import type { UnaryCall, UnaryMethod } from './unary.ts'

// Envoy's header limits bound a CheckRequest to some 100 KB; more is not from Envoy.
const MAX_MESSAGE_BYTES = 1_048_576

// One connection from Envoy carries every check; Envoy opens another where this is not enough. By
// default it has 1,024 requests to a cluster at once.
const MAX_STREAMS = 10_000

// What Node counts of a connection: some 2 KB for a stream, and headers.
const MAX_SESSION_MB = 64

// Envoy resets the stream of a check whose client has disconnected, and the checks of all clients share its
// connection. Node's default (1,000 resets at once, 33 a second; CVE-2023-44487) would let one client that
// abandons requests end the connection, and with it the checks of other clients. This is more than one process can
// begin, so that Envoy's limits for its own clients decide.
const RESETS = { streamResetBurst: 100_000, streamResetRate: 100_000 }

/**
 * Starts a server; it reports SERVING by `grpc.health.v1` from then on.
 *
 * @throws CountersignError `listen-failed`
 */
export const startGrpcJsServer = async (options: GrpcServerOptions): Promise<GrpcServer> => {
  const { address, mode, tls, methods, grace, logger, statistics = new GrpcStatistics() } = options
  const server = new Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_concurrent_streams': MAX_STREAMS,
    'grpc-node.max_session_memory': MAX_SESSION_MB,
    'grpc.enable_channelz': 0, // bookkeeping for a service that we do not offer
    interceptors: [counting(statistics)],
  })
  allowResets(server)
  for (const method of methods)
    server.addService(definitionOf(method), { call: handlerOf(method, logger) })
  const health = { isServing: false }
  const healthService = healthMethods(health)
  for (const method of healthService)
    server.addService(definitionOf(method, { isStream: true }), { call: streamHandlerOf(method) })
  for (const { path } of [...methods, ...healthService]) statistics.of(path)
  if (address.kind === 'unix') await prepareSocket(address.path)
  const port = await bind(server, address, tls)
  const bound = address.kind === 'unix' ? address : { ...address, port }
  if (address.kind === 'unix') await chmod(address.path, mode)
  health.isServing = true
  return {
    address: bound,
    async [Symbol.asyncDispose]() {
      health.isServing = false
      await close(server, bound, grace)
    },
  }
}

/**
 * Counts how each call ends. grpc-js itself ends a call whose message is too long or whose deadline has passed; it
 * does so by the same method of the call. (It does not count calls of methods that the server does not have.)
 */
const counting =
  (statistics: GrpcStatistics): ServerInterceptor =>
  ({ path }, call) => {
    let isCounted = false
    const count = (code: number): void => {
      if (!isCounted) statistics.of(path).ended(code)
      isCounted = true
    }
    const send = call.sendStatus.bind(call)
    call.sendStatus = (end) => {
      count(end.code ?? status.OK)
      send(end)
    }
    // Emitted after every call; by then a call with a status has been counted.
    const listener = new ServerListenerBuilder().withOnCancel(() => count(status.CANCELLED))
    const responder = new ResponderBuilder().withStart((next) => next(listener.build()))
    return new ServerInterceptingCall(call, responder.build())
  }

// Bytes in, bytes out: a request that does not decode must reach the method, which refuses it. (grpc-js would answer with a
// gRPC error of its own.)
const asBytes = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const definitionOf = (
  { path }: { readonly path: string },
  { isStream = false } = {},
): ServiceDefinition => ({
  call: {
    path,
    requestStream: isStream,
    responseStream: isStream,
    requestSerialize: asBytes,
    requestDeserialize: asBytes,
    responseSerialize: asBytes,
    responseDeserialize: asBytes,
  },
})

/** A method as grpc-js calls it: every call by itself, so its answers leave at the end of the turn at the latest. */
const handlerOf =
  (method: UnaryMethod, logger: Logger) =>
  (call: ServerUnaryCall<Buffer, Uint8Array>, reply: sendUnaryData<Uint8Array>): void => {
    try {
      method.handle(call.request, new GrpcJsCall(call, reply))
    } catch (cause) {
      logger.error({ err: cause }, 'handler failed')
      reply({ code: status.INTERNAL, details: 'internal error' })
    }
  }

/** A method of streams as grpc-js calls it. On the wire, a unary call is a stream with one message in each direction. */
const streamHandlerOf =
  (method: StreamMethod) =>
  (call: ServerDuplexStream<Buffer, Uint8Array>): void => {
    let isOver = false
    const handler = method.open({
      send(message) {
        if (!isOver) call.write(message)
      },
      end(outcome) {
        if (isOver) return
        isOver = true
        if (outcome.code === GRPC_OK.code) call.end()
        else call.emit('error', outcome)
      },
      setInUse() {},
    })
    call.on('data', (message: Buffer) => handler.receive(message))
    call.once('end', () => handler.finished())
    call.once('cancelled', () => handler.closed())
  }

class GrpcJsCall implements UnaryCall {
  readonly #call: ServerUnaryCall<Buffer, Uint8Array>
  readonly #reply: sendUnaryData<Uint8Array>
  #isAnswered = false

  constructor(call: ServerUnaryCall<Buffer, Uint8Array>, reply: sendUnaryData<Uint8Array>) {
    this.#call = call
    this.#reply = reply
  }

  get deadline(): number {
    return Number(this.#call.getDeadline())
  }

  get traceparent(): string | undefined {
    return this.#call.metadata.get('traceparent')[0]?.toString()
  }

  answer(message: Uint8Array): void {
    this.#isAnswered = true
    this.#reply(null, message)
  }

  onCancelled(listener: () => void): void {
    // Emitted when the client goes away, when its deadline passes, and after every answer, too.
    this.#call.once('cancelled', () => {
      if (!this.#isAnswered) listener()
    })
  }
}

/** grpc-js has no option for it; this is what it gives to `http2.createServer`. */
const allowResets = (server: Server): void => {
  const http2Options: unknown = Reflect.get(server, 'commonServerOptions')
  if (!isObject(http2Options)) throw new TypeError('grpc-js keeps its HTTP/2 options elsewhere')
  Object.assign(http2Options, RESETS)
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

const bind = async (
  server: Server,
  address: ListenAddress,
  tls: ReplaceableTls | undefined,
): Promise<number> => {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  server.bindAsync(targetOf(address), credentialsFor(tls), (error, port) => {
    if (error === null) resolve(port)
    else reject(error)
  })
  try {
    return await promise
  } catch (cause) {
    throw listenFailure(address, cause)
  }
}

const credentialsFor = (tls: ReplaceableTls | undefined): ServerCredentials =>
  tls === undefined
    ? ServerCredentials.createInsecure()
    : // A peer without a certificate of its CA is turned away in the handshake.
      experimental.createCertificateProviderServerCredentials(tls, tls, true)

const close = async (server: Server, address: ListenAddress, grace: number): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>()
  // Ends the connections that are left after that time. `forceShutdown` knows of none without channelz.
  server.drain(targetOf(address), grace)
  const timer = setTimeout(() => {
    server.forceShutdown()
    resolve()
  }, grace)
  server.tryShutdown(() => resolve()) // stops accepting, then waits for calls in flight
  await promise
  clearTimeout(timer)
}
