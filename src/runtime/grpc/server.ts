// A gRPC server on a UNIX socket or a TCP port, with health beside the services and an end that
// finishes what is in flight.

import { chmod } from 'node:fs/promises'
import {
  experimental,
  Server,
  ServerCredentials,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { HealthImplementation } from 'grpc-health-check'
import { listenFailure, prepareSocket, targetOf, type ListenAddress } from '../listen.ts'
import type { ReplaceableTls } from '../server-tls.ts'

export type { ListenAddress }

/** What a server needs. */
export interface GrpcServerOptions {
  readonly address: ListenAddress
  /** File mode of a UNIX socket. */
  readonly mode: number
  readonly tls: ReplaceableTls | undefined
  readonly services: readonly {
    readonly definition: ServiceDefinition
    readonly implementation: UntypedServiceImplementation
  }[]
  /** How long calls in flight are waited for when the server closes, in milliseconds. */
  readonly grace: number
}

/** A running server. */
export interface GrpcServer extends AsyncDisposable {
  /** The address, with the port that the system chose when it was 0. */
  readonly address: ListenAddress
}

// Envoy's header limits bound a CheckRequest to some 100 KB; more is not from Envoy.
const MAX_MESSAGE_BYTES = 1_048_576

// One connection from Envoy carries every check; Envoy opens another where this is not enough. By
// default it has 1,024 requests to a cluster at once.
const MAX_STREAMS = 10_000

// What Node counts of a connection: some 2 KB for a stream, and headers.
const MAX_SESSION_MB = 64

// Envoy resets the stream of a check whose client has gone away, and the checks of all clients share its
// connection. Node's default (1,000 resets at once, 33 a second; CVE-2023-44487) would let one client that
// abandons requests end the connection, and with it the checks of others. This is more than one process can
// begin, so that Envoy's limits for its own clients decide.
const RESETS = { streamResetBurst: 100_000, streamResetRate: 100_000 }

/**
 * Starts a server; it reports SERVING by `grpc.health.v1` from then on.
 *
 * @throws CountersignError `listen-failed`
 */
export const startGrpcServer = async (options: GrpcServerOptions): Promise<GrpcServer> => {
  const { address, mode, tls, services, grace } = options
  const server = new Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_concurrent_streams': MAX_STREAMS,
    'grpc-node.max_session_memory': MAX_SESSION_MB,
    'grpc.enable_channelz': 0, // bookkeeping for a service that we do not offer
  })
  allowResets(server)
  for (const { definition, implementation } of services) {
    server.addService(definition, implementation)
  }
  const health = new HealthImplementation({ '': 'NOT_SERVING' })
  health.addToServer(server)
  if (address.kind === 'unix') await prepareSocket(address.path)
  const port = await bind(server, address, tls)
  if (address.kind === 'unix') await chmod(address.path, mode)
  health.setStatus('', 'SERVING')
  return {
    address: address.kind === 'unix' ? address : { ...address, port },
    async [Symbol.asyncDispose]() {
      health.setStatus('', 'NOT_SERVING')
      await close(server, grace)
    },
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

const close = async (server: Server, grace: number): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(() => {
    server.forceShutdown()
    resolve()
  }, grace)
  server.tryShutdown(() => resolve()) // stops accepting, then waits for calls in flight
  await promise
  clearTimeout(timer)
}

/** Why a handler's signal is aborted while its caller waits: its time is nearly over. */
export class DeadlineNear extends Error {}

// To say so, write it down and be heard: behind the deadline the caller hears nothing of ours.
const DEADLINE_MARGIN_MS = 150

/**
 * An async function as a unary handler. grpc-js leaves a rejected handler unanswered to its
 * deadline; here both a throw and a rejection become an answer, by `onFailure`, which must not throw.
 *
 * The signal is aborted when the caller goes away, and, with {@link DeadlineNear}, a moment before it
 * would stop to wait.
 */
export const unary =
  <In, Out>(
    run: (request: In, signal: AbortSignal) => Promise<Out>,
    onFailure: (cause: unknown) => Out,
  ) =>
  (call: ServerUnaryCall<In, Out>, reply: sendUnaryData<Out>): void => {
    const controller = new AbortController()
    let answered = false
    const timer = beforeDeadline(call.getDeadline(), () => {
      controller.abort(new DeadlineNear('the deadline of the call is near'))
    })
    const answer = (response: Out): void => {
      answered = true
      clearTimeout(timer)
      reply(null, response)
    }
    // Emitted when the caller goes away, when its deadline passes, and after every answer, too.
    call.once('cancelled', () => {
      if (!answered) controller.abort()
    })
    Promise.try(run, call.request, controller.signal).then(answer, (cause: unknown) =>
      answer(onFailure(cause)),
    )
  }

const beforeDeadline = (
  deadline: Date | number,
  run: () => void,
): ReturnType<typeof setTimeout> | undefined => {
  const left = Number(deadline) - Date.now()
  if (!Number.isFinite(left)) return undefined
  return setTimeout(run, Math.max(left / 2, left - DEADLINE_MARGIN_MS))
}
