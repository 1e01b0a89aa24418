// What the servers of gRPC have in common: one seam, two implementations.

import type { ListenAddress } from '../listen.ts'
import type { Logger } from '../logger.ts'
import type { ReplaceableTls } from '../server-tls.ts'
import type { GrpcStatistics } from './statistics.ts'
import type { UnaryMethod } from './unary.ts'

/**
 * The implementations: `built-in` is Countersign's own; `grpc-js` is the reference that it is tested
 * against.
 */
export const GRPC_SERVERS = ['built-in', 'grpc-js'] as const

/** One of {@link GRPC_SERVERS}. */
export type GrpcServerKind = (typeof GRPC_SERVERS)[number]

/** The implementation where nothing else is configured. */
export const DEFAULT_GRPC_SERVER: GrpcServerKind = 'built-in'

/** What a server of unary methods needs. */
export interface GrpcServerOptions {
  /** Default: {@link DEFAULT_GRPC_SERVER}. */
  readonly server?: GrpcServerKind | undefined
  readonly address: ListenAddress
  /** File mode of a UNIX socket. */
  readonly mode: number
  readonly tls: ReplaceableTls | undefined
  readonly methods: readonly UnaryMethod[]
  /** Where calls are counted, by method and status code. Default: nowhere that is read. */
  readonly statistics?: GrpcStatistics
  /** How long calls in flight are waited for when the server closes, in milliseconds. */
  readonly grace: number
  readonly logger: Logger
}

/** A running server. When it closes, it finishes what is in flight. */
export interface GrpcServer extends AsyncDisposable {
  /** The address, with the port that the system chose when it was 0. */
  readonly address: ListenAddress
}
