// Starts a server of gRPC for unary methods, of the implementation that is configured.

import type { ListenAddress } from '../listen.ts'
import { startBuiltInServer } from './built-in-server.ts'
import { DEFAULT_GRPC_SERVER, type GrpcServer, type GrpcServerOptions } from './grpc-server.ts'

export type { ListenAddress }

/**
 * Starts a server; it reports SERVING by `grpc.health.v1` from then on.
 *
 * @throws CountersignError `listen-failed`
 */
export const startGrpcServer = async (options: GrpcServerOptions): Promise<GrpcServer> => {
  const { server = DEFAULT_GRPC_SERVER } = options
  if (server === 'built-in') return await startBuiltInServer(options)
  // Loaded only where it is configured: it takes a tenth of the time of a start.
  const { startGrpcJsServer } = await import('./grpc-js-server.ts')
  return await startGrpcJsServer(options)
}
