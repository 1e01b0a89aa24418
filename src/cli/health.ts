// `countersign health`: checks by `grpc.health.v1` whether a running service serves, for container
// health checks and scripts. It does not use TLS: with mutual TLS only Envoy may call the service.

import { Command, Option } from 'commander'
import { addressSchema, durationSchema, formatAddress, type Address } from '../config/values.ts'
import { describeError } from '../runtime/errors.ts'
import { healthOf } from '../tools/health.ts'
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
    .description('check whether authz or the signer serves')
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
