// `countersign envoy istio`: the EnvoyFilter for an ingress gateway of Istio, from a configuration.

import { writeFile } from 'node:fs/promises'
import { Command, InvalidArgumentError } from 'commander'
import { ConfigurationFiles } from '../config/files.ts'
import { readConfig } from '../configuration/parse.ts'
import { addressSchema, type Address } from '../config/values.ts'
import { renderEnvoyFilter, type EnvoyFilterOptions } from '../envoy/istio/envoy-filter.ts'
import { CountersignError } from '../runtime/errors.ts'
import type { CommandContext } from './context.ts'
import { configOption } from './options.ts'

interface Options {
  readonly config: string
  readonly output?: string
  readonly namespace: string
  readonly selector: Readonly<Record<string, string>>
  readonly trustedHops: number
  readonly signer?: Address
  readonly service?: Address
}

/** The command. */
export const envoyIstioCommand = ({ process }: CommandContext): Command =>
  new Command('istio')
    .description(
      'write the EnvoyFilter for an Istio ingress gateway: settings that Istio resources cannot express (see deploy/istio for the rest)',
    )
    .addOption(configOption())
    .option('-o, --output <file>', 'write to a file instead of standard output')
    .option('--namespace <name>', 'the namespace of the gateway', 'istio-ingress')
    .option('--selector <label=value>', 'the label of its pods', labelOf, {
      istio: 'ingressgateway',
    })
    .option(
      '--trusted-hops <number>',
      'number of preceding proxies that append to X-Forwarded-For (gatewayTopology.numTrustedProxies)',
      hopsOf,
      0,
    )
    .option(
      '--signer <unix:path>',
      'the socket of the signer, when the gateway itself presents certificates of callers; with --service',
      addressOf('unix'),
    )
    .option(
      '--service <host:port>',
      'the service that receives them, as named in its DestinationRule',
      addressOf('tcp'),
    )
    .action(async ({ config: file, output, ...options }: Options) => {
      const { config } = await readConfig(file, new ConfigurationFiles())
      const filter = renderEnvoyFilter(config, optionsOf(options))
      if (output === undefined) process.stdout.write(filter)
      else await writeFile(output, filter)
    })

const optionsOf = (options: Omit<Options, 'config' | 'output'>): EnvoyFilterOptions => {
  const { namespace, selector: labels, trustedHops, signer, service } = options
  if (signer === undefined && service === undefined) return { namespace, labels, trustedHops }
  if (signer === undefined || service?.kind !== 'tcp') {
    throw new CountersignError(
      'usage',
      '--signer and --service require each other: give both or neither',
    )
  }
  const certificates = { signer, service: { host: service.host, port: service.port } }
  return { namespace, labels, trustedHops, certificates }
}

function labelOf(text: string): Readonly<Record<string, string>> {
  const [name = '', value, ...more] = text.split('=')
  if (name === '' || value === undefined || more.length > 0) {
    throw new InvalidArgumentError('must be LABEL=VALUE')
  }
  return { [name]: value }
}

const MOST_HOPS = 16

function hopsOf(text: string): number {
  if (!/^\d{1,2}$/.test(text) || Number(text) > MOST_HOPS) {
    throw new InvalidArgumentError(`must be a number from 0 to ${MOST_HOPS}`)
  }
  return Number(text)
}

function addressOf(kind: Address['kind']): (text: string) => Address {
  return (text) => {
    const parsed = addressSchema.safeParse(text)
    if (parsed.success && parsed.data.kind === kind) return parsed.data
    throw new InvalidArgumentError(kind === 'unix' ? 'must be unix:PATH' : 'must be HOST:PORT')
  }
}
