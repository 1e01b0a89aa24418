// `countersign envoy lint`: what of somebody's own Envoy configuration would let an identity leak or
// be forged.

import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { ConfigurationFiles } from '../config/files.ts'
import { readConfig } from '../config/parse.ts'
import { expectationsOf, type Expectations } from '../envoy/lint/expectations.ts'
import { lint, type LintResult, type PlacedFinding, type Scope } from '../envoy/lint/lint.ts'
import { formatPath } from '../envoy/lint/view/setting.ts'
import { CountersignError } from '../runtime/errors.ts'
import { counted } from './counted.ts'
import { reportFailure } from './report.ts'

interface Options {
  readonly config?: string
  readonly authzCluster?: string
  readonly json?: boolean
  readonly strict?: boolean
}

const FOUND = 1
const UNUSABLE = 2

/** The command. */
export const envoyLintCommand = (): Command =>
  new Command('lint')
    .description(
      'check an Envoy configuration, a bootstrap or the output of /config_dump: exits with 1 when a setting is missing or dangerous, with 2 when the file cannot be used',
    )
    .argument('<file>', 'the configuration, YAML or JSON')
    .addOption(
      new Option('-c, --config <file>', 'the configuration of Countersign that Envoy belongs to')
        .env('COUNTERSIGN_CONFIG')
        .argParser((file) => resolve(file)),
    )
    .option(
      '--authz-cluster <name>',
      'the cluster through which Envoy asks Countersign, where there are other ext_authz services',
    )
    .option('--json', 'print the findings as a JSON array')
    .option('--strict', 'exit with 1 for warnings too')
    .action(async (file: string, options: Options) => {
      try {
        process.exitCode = await run(resolve(file), options)
      } catch (cause) {
        reportFailure(cause)
        process.exitCode = UNUSABLE
      }
    })

const run = async (file: string, options: Options): Promise<number> => {
  const files = new ConfigurationFiles()
  const expected = await expectations(files, options.config)
  const { authzCluster } = options
  const result = lint(await files.readText(file), { expected, authzCluster })
  if (!result.ok) throw new CountersignError('usage', unusable(file, result))
  const { findings, scope } = result
  process.stdout.write(options.json === true ? json(file, findings) : text(file, findings, scope))
  const severities = findings.map(({ severity }) => severity)
  const failed = severities.includes('error') || (options.strict === true && severities.length > 0)
  return failed ? FOUND : 0
}

const expectations = async (
  files: ConfigurationFiles,
  file: string | undefined,
): Promise<Expectations | undefined> =>
  file === undefined ? undefined : expectationsOf((await readConfig(file, files)).config)

const unusable = (
  file: string,
  { position, reason }: Extract<LintResult, { readonly ok: false }>,
): string => {
  const place = position === undefined ? file : `${file}:${position.line}:${position.column}`
  return `${place} is no Envoy configuration: ${reason}`
}

const json = (file: string, findings: readonly PlacedFinding[]): string => {
  const rows = findings.map(({ rule, severity, path, position, problem, risk, remedy }) => ({
    file,
    line: position.line,
    column: position.column,
    path: formatPath(path),
    severity,
    rule,
    problem,
    risk,
    remedy,
  }))
  return `${JSON.stringify(rows, undefined, 2)}\n`
}

const text = (file: string, findings: readonly PlacedFinding[], scope: Scope): string => {
  const found = findings.map(({ rule, severity, path, position, problem, risk, remedy }) =>
    [
      `${file}:${position.line}:${position.column}: ${severity}: ${problem} [${rule}]`,
      ...(path.length === 0 ? [] : [`  at:    ${formatPath(path)}`]),
      `  risk:  ${risk}`,
      `  write: ${remedy}\n`,
    ].join('\n'),
  )
  const errors = findings.filter(({ severity }) => severity === 'error').length
  const warnings = findings.length - errors
  const result =
    findings.length === 0
      ? 'nothing found'
      : `${counted(errors, 'error')}, ${counted(warnings, 'warning')}`
  return `${[...found, `${file}: ${result}; checked ${describe(scope)}`].join('\n')}\n`
}

const describe = ({ listeners, filters, routes, certificateUpstreams }: Scope): string =>
  [
    counted(listeners, 'listener'),
    counted(filters, 'ext_authz filter'),
    counted(routes, 'route'),
    counted(certificateUpstreams, 'certificate upstream'),
  ].join(', ')
