// `grpc.health.v1.Health` for a server that serves from the moment it listens until its streams end.

import { GRPC_CODES, GRPC_OK, type GrpcStatus } from './framing.ts'
import type { MessageStream, StreamHandler, StreamMethod } from './message-stream.ts'

// HealthCheckResponse{status}, which is field 1, a varint.
const SERVING = Buffer.from([0x08, 1])
const NOT_SERVING = Buffer.from([0x08, 2])
const SERVICE_UNKNOWN = Buffer.from([0x08, 3])

const NOT_FOUND: GrpcStatus = { code: GRPC_CODES.notFound, details: 'unknown service' }
const NO_REQUEST: GrpcStatus = { code: GRPC_CODES.invalidArgument, details: 'no request' }

/** HealthCheckRequest{service}: field 1, left out or empty when the server as a whole is meant. */
const isWholeServer = (request: Buffer): boolean =>
  request.length === 0 || request.equals(Buffer.from([0x0a, 0]))

/** Whether the server serves; it does from the moment it listens, until it closes. */
export interface Health {
  readonly isServing: boolean
}

const check =
  (health: Health) =>
  (stream: MessageStream): StreamHandler => ({
    receive(request) {
      if (!isWholeServer(request)) return stream.end(NOT_FOUND)
      stream.send(health.isServing ? SERVING : NOT_SERVING)
      stream.end(GRPC_OK)
    },
    finished: () => stream.end(NO_REQUEST),
    closed() {},
  })

/** Nothing changes before the end of the stream, by which the watcher learns of it. */
const watch = (stream: MessageStream): StreamHandler => ({
  receive: (request) => stream.send(isWholeServer(request) ? SERVING : SERVICE_UNKNOWN),
  finished() {},
  closed() {},
})

/** The methods of the service. */
export const healthMethods = (health: Health): readonly StreamMethod[] => [
  { path: '/grpc.health.v1.Health/Check', open: check(health) },
  { path: '/grpc.health.v1.Health/Watch', open: watch },
]
