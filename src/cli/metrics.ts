// `countersign metrics`: a read-only exporter of metrics that are on UNIX sockets, until a signal ends it.

import { Command, InvalidArgumentError, Option } from 'commander'
import { addressSchema, formatAddress } from '../config/values.ts'
import type { ListenAddress } from '../runtime/listen.ts'
import { createLogger } from '../runtime/logger.ts'
import { startMetricsExporter } from '../tools/metrics-exporter.ts'
import { endSignal } from './signals.ts'
import { usageError } from './usage-error.ts'

interface Options {
  readonly listen: ListenAddress
  readonly signer?: string
  readonly envoy?: string
}

/** The command. */
export const metricsCommand = (): Command =>
  new Command('metrics')
    .description(
      'serve the metrics of the signer and of Envoy, which are on UNIX sockets, over TCP for Prometheus: GET /metrics and GET /stats/prometheus, nothing else',
    )
    .addOption(
      new Option('--listen <address>', 'where Prometheus reads, such as 0.0.0.0:9091')
        .argParser(addressOf)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--signer <socket>', 'unix:PATH: `admin` of signer.yaml').argParser(socketOf),
    )
    .addOption(
      new Option('--envoy <socket>', 'unix:PATH: `envoy.admin` of countersign.yaml').argParser(
        socketOf,
      ),
    )
    .action(async ({ listen, signer, envoy }: Options) => {
      if (signer === undefined && envoy === undefined) {
        throw usageError('nothing to serve: set --signer, --envoy or both')
      }
      const logger = createLogger('info').child({ component: 'metrics' })
      await using server = await startMetricsExporter({ address: listen, signer, envoy, logger })
      const ended = endSignal()
      logger.info({ address: formatAddress(server.address) }, 'listening')
      await ended
    })

const addressOf = (text: string): ListenAddress => {
  const address = addressSchema.safeParse(text)
  if (!address.success) throw new InvalidArgumentError('It must be HOST:PORT or unix:PATH.')
  return address.data
}

const socketOf = (text: string): string => {
  const address = addressOf(text)
  if (address.kind !== 'unix') throw new InvalidArgumentError('It must be unix:PATH.')
  return address.path
}
