// `countersign envoy lint`: settings of an Envoy configuration by which an identity could leak or be
// forged, in a file or in a running Envoy.

import { resolve } from 'node:path'
import { Command, Option, InvalidArgumentError } from 'commander'
import { ConfigurationFiles } from '../config/files.ts'
import { readConfig } from '../configuration/parse.ts'
import { withWorkers } from '../configuration/workers.ts'
import type { Workers } from '../configuration/workers-schema.ts'
import { durationSchema, formatAddress, type Address, addressSchema } from '../config/values.ts'
import { fetchConfigDump } from '../envoy/config-dump.ts'
import { expectationsOf, type Expectations } from '../envoy/lint/expectations.ts'
import { lint, type LintResult } from '../envoy/lint/lint.ts'
import type { CommandContext } from './context.ts'
import { findingsAsJson, findingsAsText, type Source } from './envoy-lint-report.ts'
import { parsed, workersOption } from './options.ts'
import { startProgress } from './progress.ts'
import { reportFailure } from './report.ts'
import { usageError } from './usage-error.ts'

interface Options {
  readonly admin?: Address
  readonly timeout: number
  readonly config?: string
  readonly authzCluster?: string
  readonly workers?: Workers
  readonly json?: boolean
  readonly strict?: boolean
}

const FOUND = 1
const UNUSABLE = 2

// Characters; below it a lint takes less than a second or two.
const LARGE = 4_000_000

// A dump of some tens of megabytes, through `kubectl port-forward`.
const DEFAULT_TIMEOUT = '60s'

/** The command. */
export const envoyLintCommand = (context: CommandContext): Command =>
  new Command('lint')
    .description(
      'check an Envoy configuration: a bootstrap, the output of /config_dump, or a running Envoy.',
    )
    .argument('[file]', 'the configuration, YAML or JSON')
    .addOption(
      new Option(
        '--admin <url>',
        'check a running Envoy instead of a file, by its administration interface: http://HOST:PORT or unix:PATH',
      ).argParser(parseAdminAddress),
    )
    .addOption(
      new Option('--timeout <duration>', 'time limit for the running Envoy')
        .argParser((text) => parsed(durationSchema, text))
        .default(durationSchema.parse(DEFAULT_TIMEOUT), DEFAULT_TIMEOUT),
    )
    .addOption(
      new Option('-c, --config <file>', 'the Countersign configuration of this Envoy')
        .env('COUNTERSIGN_CONFIG')
        .argParser((file) => resolve(file)),
    )
    .option(
      '--authz-cluster <name>',
      'the cluster of authz, when there are other ext_authz services; with Istio "outbound|PORT||HOST"',
    )
    .addOption(
      workersOption('how many processes of authz there are, where --config does not say it'),
    )
    .option('--json', 'print the findings as a JSON array')
    .option('--strict', 'fail for warnings, too')
    .addHelpText('after', HELP)
    .action(async (file: string | undefined, options: Options) => {
      try {
        context.process.exitCode = await run(context, file, options)
      } catch (cause) {
        reportFailure(context, cause)
        context.process.exitCode = UNUSABLE
      }
    })

const HELP = `
For an Istio gateway, whose configuration is in no file:

  kubectl -n istio-ingress port-forward deploy/istio-ingressgateway 15000 &
  countersign envoy lint --admin http://127.0.0.1:15000 --config countersign.yaml`

const run = async (
  context: CommandContext,
  file: string | undefined,
  options: Options,
): Promise<number> => {
  const files = new ConfigurationFiles()
  const { source, read } = sourceOf(file, options, files)
  const expected = await expectations(files, options)
  const { authzCluster } = options
  const text = await read()
  using progress = startProgress(context, 'checking', { delay: 0 })
  if (text.length > LARGE) progress.update(`${Math.floor(text.length / 1_000_000)} MB`)
  const result = lint(text, { expected, authzCluster })
  progress.end()
  if (!result.ok) throw usageError(unusable(source, result))
  const { findings } = result
  context.process.stdout.write(
    options.json === true ? findingsAsJson(source, findings) : findingsAsText(source, result),
  )
  const severities = findings.map(({ severity }) => severity)
  const failed = severities.includes('error') || (options.strict === true && severities.length > 0)
  return failed ? FOUND : 0
}

/** What to check, and how to read it. */
const sourceOf = (
  file: string | undefined,
  { admin, timeout }: Options,
  files: ConfigurationFiles,
): { readonly source: Source; readonly read: () => Promise<string> } => {
  if (admin !== undefined) {
    if (file !== undefined) throw usageError('give a file or --admin, not both')
    const source: Source = { kind: 'admin', name: formatAddress(admin) }
    return { source, read: () => fetchConfigDump(admin, { timeout }) }
  }
  if (file === undefined) throw usageError('give a file, or --admin URL')
  const name = resolve(file)
  return { source: { kind: 'file', name }, read: () => files.readText(name) }
}

const expectations = async (
  files: ConfigurationFiles,
  { config: file, workers }: Pick<Options, 'config' | 'workers'>,
): Promise<Expectations | undefined> => {
  if (file === undefined) return undefined
  const { config, locate } = await readConfig(file, files)
  return expectationsOf(withWorkers(config, locate, workers))
}

const unusable = (
  { kind, name }: Source,
  { position, reason }: Extract<LintResult, { readonly ok: false }>,
): string => {
  if (kind === 'admin') return `${name} did not answer with a config dump: ${reason}`
  const place = position === undefined ? name : `${name}:${position.line}:${position.column}`
  return `${place} is not an Envoy configuration: ${reason}`
}

/** `http://HOST:PORT`, `HOST:PORT` or `unix:PATH` → the address; throws what commander reports. */
export const parseAdminAddress = (text: string): Address => {
  if (!text.includes('://')) return parsed(addressSchema, text)
  const url = URL.parse(text)
  if (url === null) throw new InvalidArgumentError('must be a URL')
  if (url.protocol !== 'http:') {
    throw new InvalidArgumentError(
      'Envoy’s administration interface speaks plain HTTP: http://HOST:PORT, or unix:PATH',
    )
  }
  if (url.href !== `${url.origin}/`) {
    throw new InvalidArgumentError('must be http://HOST:PORT without a path')
  }
  return parsed(addressSchema, url.port === '' ? `${url.host}:80` : url.host)
}
