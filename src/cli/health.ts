// `countersign health`: checks by `grpc.health.v1` whether a running service serves, for container
// health checks and scripts. It does not use TLS: with mutual TLS only Envoy may call the service.

import { Client, credentials } from '@grpc/grpc-js'
import { Command, Option } from 'commander'
import { addressSchema, durationSchema, formatAddress, type Address } from '../config/values.ts'
import type { HealthCheckResponse__Output } from '../proto/generated/grpc/health/v1/HealthCheckResponse.ts'
import { healthService } from '../proto/load.ts'
import { describeError } from '../runtime/errors.ts'
import type { CommandContext } from './context.ts'
import { parsed } from './options.ts'

interface Options {
  readonly address: Address
  readonly timeout: number
}

// Below the limits of Docker (30 s) and Kubernetes, above a pause of the garbage collector.
const DEFAULT_TIMEOUT = '3s'

/** The command. */
export const healthCommand = ({ process, console }: CommandContext): Command =>
  new Command('health')
    .description('check whether authz or the signer serves: exits with 0 if so, else with 1')
    .addOption(
      new Option('-a, --address <address>', 'where it listens: unix:PATH or HOST:PORT')
        .env('COUNTERSIGN_HEALTH_ADDRESS')
        .argParser((text) => parsed(addressSchema, text))
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('-t, --timeout <duration>', 'how long the answer may take, such as 500ms')
        .argParser((text) => parsed(durationSchema, text))
        .default(durationSchema.parse(DEFAULT_TIMEOUT), DEFAULT_TIMEOUT),
    )
    .action(async ({ address, timeout }: Options) => {
      const where = formatAddress(address)
      try {
        const status = await healthOf(where, timeout)
        if (status === 'SERVING') return
        console.error(`countersign: ${where} answers, but is ${status}`)
      } catch (cause) {
        console.error(`countersign: ${where} does not answer: ${describeError(cause)}`)
      }
      process.exitCode = 1
    })

/** The status of the service as a whole, which has the empty name. */
const healthOf = async (target: string, timeout: number): Promise<string> => {
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
