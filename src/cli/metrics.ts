// `countersign metrics`: a read-only exporter of metrics that are on UNIX sockets, until a signal ends it.

import { readFile } from 'node:fs/promises'
import { Command, InvalidArgumentError, Option } from 'commander'
import { addressSchema, formatAddress, isConfidential } from '../config/values.ts'
import type { ListenAddress } from '../runtime/listen.ts'
import { createLogger, type Logger } from '../runtime/logger.ts'
import type { CollectorOptions } from '../runtime/tracing/exporter.ts'
import { startMetricsExporter } from '../tools/metrics-exporter.ts'
import { endSignal } from './signals.ts'
import { usageError } from './usage-error.ts'

interface Options {
  readonly listen: ListenAddress
  readonly signer?: string
  readonly envoy?: string
  readonly traces?: URL
  readonly tracesProtocol: CollectorOptions['protocol']
  readonly tracesCa?: string
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
    .addOption(
      new Option(
        '--traces <url>',
        'the OpenTelemetry collector to which the spans of the signer are sent, such as http://127.0.0.1:4318/v1/traces; OTEL_EXPORTER_OTLP_HEADERS of the environment has the headers that it requires',
      ).argParser(urlOf),
    )
    .addOption(
      new Option('--traces-protocol <protocol>', 'the transport of OTLP')
        .choices(['http/protobuf', 'grpc'])
        .default('http/protobuf'),
    )
    .addOption(new Option('--traces-ca <file>', 'PEM file: the CA of the collector’s certificate'))
    .action(async (options: Options) => {
      const { listen, signer, envoy } = options
      if (signer === undefined && envoy === undefined) {
        throw usageError('nothing to serve: set --signer, --envoy or both')
      }
      const logger = createLogger('info').child({ component: 'metrics' })
      await using stack = new AsyncDisposableStack()
      const server = stack.use(
        await startMetricsExporter({ address: listen, signer, envoy, logger }),
      )
      const collector = await collectorOf(options)
      if (collector !== undefined) stack.use(await sendSpans(signer, collector, logger))
      const ended = endSignal()
      logger.info({ address: formatAddress(server.address) }, 'listening')
      await ended
    })

/** The collector that the options name. */
const collectorOf = async ({
  traces,
  tracesProtocol,
  tracesCa,
}: Options): Promise<CollectorOptions | undefined> => {
  if (traces === undefined) return undefined
  if (!isConfidential(traces) && HEADERS.some((name) => process.env[name] !== undefined)) {
    throw usageError(`--traces must be https where ${HEADERS.join(' or ')} has credentials`)
  }
  const ca = tracesCa === undefined ? undefined : await readFile(tracesCa)
  return { endpoint: traces, protocol: tracesProtocol, headers: {}, ca }
}

// OpenTelemetry Protocol Exporter, "Configuration Options": its exporters read them.
const HEADERS = ['OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_EXPORTER_OTLP_TRACES_HEADERS'] as const

/** Loads the code of OpenTelemetry, which a process without `--traces` does not need. */
const sendSpans = async (
  signer: string | undefined,
  collector: CollectorOptions,
  logger: Logger,
): Promise<AsyncDisposable> => {
  if (signer === undefined) throw usageError('--traces needs --signer')
  const { sendSignerSpans } = await import('../tools/signer-spans.ts')
  return await sendSignerSpans({ signer, collector, logger })
}

const urlOf = (text: string): URL => {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol) || `${url.username}${url.password}` !== '') {
    throw new InvalidArgumentError('It must be an http or https URL without a user.')
  }
  return url
}

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
