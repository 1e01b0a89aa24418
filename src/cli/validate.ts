// `countersign validate`: everything that a start would find wrong, without starting.

import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { buildSigner, SignerResources } from '../ca/snapshot.ts'
import { buildOffline } from '../tools/offline.ts'
import { unreachableWarnings } from '../configuration/problems/unreachable.ts'
import { warningsOf } from '../configuration/warnings.ts'
import { ConfigurationFiles } from '../config/files.ts'
import { readConfig } from '../configuration/parse.ts'
import type { Locate } from '../config/document.ts'
import { ConfigurationError, formatWarning, type Problem } from '../config/problem.ts'
import type { Config } from '../configuration/schema.ts'
import { readSignerConfig } from '../ca/parse.ts'
import type { SignerConfig } from '../ca/schema.ts'
import { descriptionFindings } from '../tools/validation/api-descriptions.ts'
import type { Finding } from '../tools/validation/finding.ts'
import { signerSiteFindings, siteFindings } from '../tools/validation/site.ts'
import { systemClock } from '../runtime/clock.ts'
import type { CommandContext } from './context.ts'
import { paintFor } from './colour.ts'
import { counted } from './format.ts'
import { configOption } from './options.ts'

interface Options {
  readonly config: string
  readonly signer?: string
  readonly strict?: boolean
  readonly envoyFiles: boolean
}

/** The command. */
export const validateCommand = (context: CommandContext): Command =>
  new Command('validate')
    .description(
      'check a configuration and every file it names, and list all problems. Warns about what is valid and probably not meant, or will not be valid for long',
    )
    .addOption(configOption())
    .addOption(
      new Option(
        '-s, --signer <file>',
        'the signer’s configuration; checked together with the other, or, without --config, alone',
      ).argParser((file) => resolve(file)),
    )
    .option('--strict', 'fail for warnings, too')
    .option(
      '--no-envoy-files',
      'leave out the files of "envoy", where Envoy runs on another machine or in another container',
    )
    .action(async (options: Options, command: Command) => {
      const { config, signer, strict = false } = options
      const signerAlone =
        signer !== undefined && command.getOptionValueSource('config') === 'default'
      const found: Found = { problems: [], warnings: [] }
      const authzConfig = signerAlone
        ? undefined
        : await collect(found, () => authz(context, found, options))
      const signerConfig =
        signer === undefined
          ? undefined
          : await collect(found, () => authority(context, found, signer))
      if (authzConfig !== undefined && signerConfig !== undefined) {
        found.problems.push(...disagreements(config, authzConfig, signerConfig))
      }
      const paint = paintFor(context.process.stderr, context.process.env)
      for (const warning of found.warnings) {
        const text = formatWarning(warning)
        context.console.error(text.replace(': warning: ', `: ${paint('yellow', 'warning:')} `))
      }
      if (found.problems.length > 0) throw new ConfigurationError(found.problems)
      if (strict && found.warnings.length > 0) context.process.exitCode = 1
    })

/** What is collected from both files. */
interface Found {
  readonly problems: Problem[]
  readonly warnings: Problem[]
}

const authz = async (
  { console }: CommandContext,
  found: Found,
  { config: file, envoyFiles }: Options,
): Promise<Config> => {
  const files = new ConfigurationFiles()
  const { config, locate } = await readConfig(file, files)
  const before = found.problems.length
  const snapshot = await collect(found, () => buildOffline(file, files))
  await snapshot?.[Symbol.asyncDispose]()
  const reading = { files, now: systemClock.now() }
  addFindings(found, await siteFindings(config, reading, { envoyFiles }), locate)
  addFindings(found, await descriptionFindings(config, reading), locate)
  if (found.problems.length > before) return config
  const routes = counted(config.routes.length, 'route')
  console.log(`${file} is valid: ${routes}, ${counted(files.paths.length, 'file')} read`)
  found.warnings.push(...warningsOf(config, locate), ...unreachableWarnings(config, locate))
  return config
}

const authority = async (
  { console }: CommandContext,
  found: Found,
  file: string,
): Promise<SignerConfig> => {
  const files = new ConfigurationFiles()
  const { config, locate } = await readSignerConfig(file, files)
  const before = found.problems.length
  using resources = new SignerResources(systemClock)
  const built = await collect(found, () => buildSigner(file, files, resources))
  addFindings(found, await signerSiteFindings(config, { files, now: systemClock.now() }), locate)
  if (built === undefined || found.problems.length > before) return config
  const authorities = counted(built.authorities.size, 'CA')
  console.log(`${file} is valid: ${authorities}, ${counted(files.paths.length, 'file')} read`)
  return config
}

/** Adds what is wrong with files; nothing about a place that has a problem already. */
const addFindings = (found: Found, findings: readonly Finding[], locate: Locate): void => {
  const known = found.problems.map(({ path }) => path)
  for (const { severity, path, message } of findings) {
    const problem = locate(path, message)
    if (known.some((place) => place !== '' && problem.path.startsWith(place))) continue
    ;(severity === 'error' ? found.problems : found.warnings).push(problem)
  }
}

const collect = async <T>(found: Found, check: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await check()
  } catch (cause) {
    if (!(cause instanceof ConfigurationError)) throw cause
    found.problems.push(...cause.problems)
    return undefined
  }
}

/** What either file alone cannot show, and the signer would refuse time and again. */
const disagreements = (file: string, config: Config, signer: SignerConfig): readonly Problem[] =>
  config.routes.flatMap(({ forward: { certificate } }, index): readonly Problem[] => {
    if (certificate === undefined) return []
    const path = `routes[${index}].forward.certificate`
    const known = Object.hasOwn(signer.authorities, certificate.ca)
      ? signer.authorities[certificate.ca]
      : undefined
    if (known === undefined) {
      return [{ file, path: `${path}.ca`, message: `the signer has no CA "${certificate.ca}"` }]
    }
    if (certificate.lifetime + certificate.backdate <= known.limits.lifetime) return []
    const message =
      'together with "backdate" it is longer than the signer’s limit for this CA: all would be refused'
    return [{ file, path: `${path}.lifetime`, message }]
  })
