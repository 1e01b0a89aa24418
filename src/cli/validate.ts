// `countersign validate`: everything that a start would find wrong, without starting.

import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { buildSigner, SignerResources } from '../ca/snapshot.ts'
import { buildOffline } from '../tools/offline.ts'
import { warningsOf } from '../configuration/warnings.ts'
import { ConfigurationFiles } from '../config/files.ts'
import { readConfig } from '../configuration/parse.ts'
import { ConfigurationError, formatWarning, type Problem } from '../config/problem.ts'
import type { Config } from '../configuration/schema.ts'
import type { SignerConfig } from '../ca/schema.ts'
import { systemClock } from '../runtime/clock.ts'
import type { CommandContext } from './context.ts'
import { configOption } from './options.ts'

interface Options {
  readonly config: string
  readonly signer?: string
  readonly strict?: boolean
}

/** The command. */
export const validateCommand = (context: CommandContext): Command =>
  new Command('validate')
    .description(
      'check a configuration and every file it names; exits with 1 and lists all problems. Warns about what is valid and probably not meant',
    )
    .addOption(configOption())
    .addOption(
      new Option(
        '-s, --signer <file>',
        'the signer’s configuration; checked together with the other, or, without --config, alone',
      ).argParser((file) => resolve(file)),
    )
    .option('--strict', 'exit with 1 for warnings too')
    .action(async ({ config, signer, strict = false }: Options, command: Command) => {
      const signerAlone =
        signer !== undefined && command.getOptionValueSource('config') === 'default'
      const problems: Problem[] = []
      const authzConfig = signerAlone
        ? undefined
        : await collect(problems, () => authz(context, config))
      const signerConfig =
        signer === undefined ? undefined : await collect(problems, () => authority(context, signer))
      if (authzConfig !== undefined && signerConfig !== undefined) {
        problems.push(...disagreements(config, authzConfig.config, signerConfig))
      }
      if (problems.length > 0) throw new ConfigurationError(problems)
      if (strict && (authzConfig?.warnings.length ?? 0) > 0) context.process.exitCode = 1
    })

interface Validated {
  readonly config: Config
  readonly warnings: readonly Problem[]
}

const authz = async ({ console }: CommandContext, file: string): Promise<Validated> => {
  const files = new ConfigurationFiles()
  await using snapshot = await buildOffline(file, files)
  const { config } = snapshot
  console.log(`${file} is valid: ${config.routes.length} routes, ${files.paths.length} files read`)
  const { locate } = await readConfig(file, files)
  const warnings = warningsOf(config, locate)
  for (const warning of warnings) console.error(formatWarning(warning))
  return { config, warnings }
}

const authority = async ({ console }: CommandContext, file: string): Promise<SignerConfig> => {
  const files = new ConfigurationFiles()
  using resources = new SignerResources(systemClock)
  const { config, authorities } = await buildSigner(file, files, resources)
  console.log(`${file} is valid: ${authorities.size} CAs, ${files.paths.length} files read`)
  return config
}

const collect = async <T>(problems: Problem[], check: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await check()
  } catch (cause) {
    if (!(cause instanceof ConfigurationError)) throw cause
    problems.push(...cause.problems)
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
