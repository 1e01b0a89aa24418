// `countersign health`: checks by `grpc.health.v1` whether a running service serves, for container
// health checks and scripts. It does not use TLS: with mutual TLS only Envoy may call the service.

import { Command, Option } from 'commander'
import { addressSchema, durationSchema, formatAddress, type Address } from '../config/values.ts'
import { workerAddress, workerCount } from '../configuration/workers.ts'
import type { Workers } from '../configuration/workers-schema.ts'
import { describeError } from '../runtime/errors.ts'
import { healthOf } from '../tools/health.ts'
import type { CommandContext } from './context.ts'
import { parsed, workersOption } from './options.ts'

interface Options {
  readonly address: Address
  readonly timeout: number
  readonly workers: Workers
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
    .addOption(
      workersOption('check that many workers of authz, of which the address is that of the first')
        .env('COUNTERSIGN_HEALTH_WORKERS')
        .default(1),
    )
    .action(async ({ address, timeout, workers }: Options) => {
      const addresses = Array.from({ length: workerCount(workers) }, (_, index) =>
        formatAddress(workerAddress(address, index)),
      )
      const faults = await Promise.all(addresses.map((where) => faultOf(where, timeout)))
      for (const fault of faults.filter((found) => found !== undefined)) {
        console.error(`countersign: ${fault}`)
        process.exitCode = 1
      }
    })

const faultOf = async (where: string, timeout: number): Promise<string | undefined> => {
  try {
    const status = await healthOf(where, timeout)
    return status === 'SERVING' ? undefined : `${where} answers, but is ${status}`
  } catch (cause) {
    return `${where} does not answer: ${describeError(cause)}`
  }
}
