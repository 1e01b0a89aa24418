// `countersign openapi`: which operations an API description has, and what a new version of it means
// for the rules.

import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import type { Locate } from '../../config/document.ts'
import { ConfigurationFiles } from '../../config/files.ts'
import { readConfig } from '../../configuration/parse.ts'
import type { Config, RouteConfig } from '../../configuration/schema.ts'
import { diffOperations } from '../../request/openapi/diff.ts'
import { readApiDescription, type ApiDescription } from '../../request/openapi/document.ts'
import { CountersignError, describeError } from '../../runtime/errors.ts'
import type { CommandContext } from '../context.ts'
import { printable } from '../printable.ts'
import { reportFailure } from '../report.ts'
import { ruleDrift, unnamedOperations } from './rules.ts'
import { diffAsJson, diffAsText, listAsJson, listAsText, type DiffReport } from './text.ts'

interface ListOptions {
  readonly base?: string
  readonly json?: boolean
}

interface DiffOptions extends ListOptions {
  readonly config?: string
  readonly route?: string
}

const BROKEN = 1
const UNUSABLE = 2

/** The command, with its two parts. */
export const openapiCommand = (context: CommandContext): Command =>
  new Command('openapi')
    .description('read the API descriptions that rules name operations of; reaches no network')
    .addCommand(
      new Command('list')
        .description(
          'print the operations of an API description (Swagger 2.0, OpenAPI 3.0 to 3.2): method, path, id, tags, and the scopes that a token needs.',
        )
        .argument('<file>', 'the API description', (file: string) => resolve(file))
        .addOption(baseOption())
        .addOption(jsonOption())
        .action(async (file: string, options: ListOptions) => {
          await orUnusable(context, async () => await list(context, file, options))
        }),
    )
    .addCommand(
      new Command('diff')
        .description(
          'print what changed between two versions of an API description and, with --config, what that means for the rules: which match nothing any more, which take more or fewer operations than before, and which operations no rule names.',
        )
        .argument('<old>', 'the version before', (file: string) => resolve(file))
        .argument('<new>', 'the version after', (file: string) => resolve(file))
        .option('-c, --config <file>', 'the configuration file whose rules are looked at', (file) =>
          resolve(file),
        )
        .option(
          '--route <name>',
          'the route whose rules are meant; default: those with either file',
        )
        .addOption(baseOption())
        .addOption(jsonOption())
        .action(async (old: string, now: string, options: DiffOptions) => {
          await orUnusable(context, async () => await diff(context, old, now, options))
        }),
    )

const baseOption = (): Option =>
  new Option('--base <path>', 'the base path, where the document has servers with several')

const jsonOption = (): Option => new Option('--json', 'print JSON')

const orUnusable = async (context: CommandContext, run: () => Promise<number>): Promise<void> => {
  const { process } = context
  try {
    process.exitCode = await run()
  } catch (cause) {
    reportFailure(context, cause)
    process.exitCode = UNUSABLE
  }
}

const list = async (
  { process, console }: CommandContext,
  file: string,
  { base, json }: ListOptions,
): Promise<number> => {
  const description = await readDescription(new ConfigurationFiles(), file, base)
  for (const warning of description.warnings) {
    console.error(printable(`${file}: warning: ${warning}`))
  }
  process.stdout.write(json === true ? listAsJson(description) : listAsText(description))
  return 0
}

const diff = async (
  { process }: CommandContext,
  old: string,
  now: string,
  options: DiffOptions,
): Promise<number> => {
  const files = new ConfigurationFiles()
  const configuration =
    options.config === undefined ? undefined : await readConfig(options.config, files)
  const routes =
    configuration === undefined
      ? []
      : chosenRoutes(configuration.config, configuration.locate, old, now, options)
  const base = options.base ?? routes.find(({ route }) => route.openapi?.base)?.route.openapi?.base
  const before = await readDescription(files, old, base)
  const after = await readDescription(files, now, base)
  const [from, to] = [before.operations, after.operations]
  const report: DiffReport = {
    old: { file: old, description: before },
    new: { file: now, description: after },
    ...diffOperations(from, to),
    routes: routes.map(({ route, locate, path }) => ({
      route: route.name,
      rules: ruleDrift(route.authorize, from, to, (place) => locate([...path, ...place], '')),
      unnamed: unnamedOperations(route.authorize, to),
    })),
  }
  process.stdout.write(options.json === true ? diffAsJson(report) : diffAsText(report))
  return report.routes.some(({ rules }) => rules.some(({ broken }) => broken)) ? BROKEN : 0
}

interface ChosenRoute {
  readonly route: RouteConfig
  readonly locate: Locate
  readonly path: readonly PropertyKey[]
}

const chosenRoutes = (
  { routes }: Config,
  locate: Locate,
  old: string,
  now: string,
  { route: name, config = '' }: DiffOptions,
): readonly ChosenRoute[] => {
  const chosen = routes.flatMap((route, index) => {
    const file = route.openapi?.file
    const isMeant = name === undefined ? file === old || file === now : route.name === name
    return isMeant ? [{ route, locate, path: ['routes', index, 'authorize'] }] : []
  })
  if (chosen.length > 0) return chosen
  const reason =
    name === undefined
      ? `no route of ${config} has ${old} or ${now} as "openapi.file"; say with --route which is meant`
      : `${config} has no route ${JSON.stringify(name)}`
  throw new CountersignError('usage', reason)
}

/** As the service does, and with all warnings. */
const readDescription = async (
  files: ConfigurationFiles,
  file: string,
  base: string | undefined,
): Promise<ApiDescription> => {
  const text = await files.readText(file)
  try {
    return await readApiDescription(text, { base, allWarnings: true })
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause
    throw new CountersignError(cause.code, `${file}: ${describeError(cause)}`, { cause })
  }
}
