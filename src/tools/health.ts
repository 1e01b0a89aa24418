// The client of `grpc.health.v1`.

import { Client, credentials } from '@grpc/grpc-js'
import type { HealthCheckResponse__Output } from '../proto/generated/grpc/health/v1/HealthCheckResponse.ts'
import { healthService } from '../proto/load.ts'

/**
 * The status of a service as a whole, which has the empty name: `SERVING`, or another one. It does not use TLS: with
 * mutual TLS only Envoy may call the service.
 *
 * @param target `unix:PATH` or `HOST:PORT`
 * @param timeout in milliseconds
 * @throws the error of gRPC where there is no answer
 */
export const healthOf = async (target: string, timeout: number): Promise<string> => {
  const { path, requestSerialize, responseDeserialize } = healthService.Check
  using stack = new DisposableStack()
  const client = stack.adopt(
    // A proxy of the environment must not be used for an address of the same host.
    new Client(target, credentials.createInsecure(), { 'grpc.enable_http_proxy': 0 }),
    (opened) => opened.close(),
  )
  const { promise, resolve, reject } = Promise.withResolvers<HealthCheckResponse__Output>()
  client.makeUnaryRequest(
    path,
    requestSerialize,
    responseDeserialize,
    { service: '' },
    { deadline: Date.now() + timeout },
    (error, response) => {
      if (response === undefined) reject(error ?? new Error('an empty answer'))
      else resolve(response)
    },
  )
  return (await promise).status
}
