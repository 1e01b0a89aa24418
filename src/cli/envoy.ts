// `countersign envoy`: tools for Envoy's configuration.

import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { ConfigurationFiles } from '../config/files.ts'
import { readConfig } from '../configuration/parse.ts'
import { renderBootstrap } from '../envoy/bootstrap.ts'
import { refusalRate } from '../envoy/refusal-log.ts'
import type { CommandContext } from './context.ts'
import { envoyIstioCommand } from './envoy-istio.ts'
import { envoyLintCommand } from './envoy-lint.ts'
import { configOption } from './options.ts'

/** The command. */
export const envoyCommand = (context: CommandContext): Command =>
  new Command('envoy')
    .description('work with Envoy’s configuration')
    .addCommand(
      new Command('generate')
        .description('write a hardened Envoy bootstrap for the configuration')
        .addOption(configOption())
        .option('-o, --output <file>', 'write to a file instead of standard output')
        .option(
          '--rate-file <file>',
          'also write a file, which Envoy reads at this path, that limits the access log of refusals (burst 500, 10 lines per second); default: unlimited',
        )
        .action(async ({ config, output, rateFile }: GenerateOptions) => {
          const bootstrap = await generate(config, rateFile && resolve(rateFile))
          if (rateFile !== undefined) await writeFile(rateFile, refusalRate())
          if (output === undefined) context.process.stdout.write(bootstrap)
          else await writeFile(output, bootstrap)
        }),
    )
    .addCommand(envoyIstioCommand(context))
    .addCommand(envoyLintCommand(context))

interface GenerateOptions {
  readonly config: string
  readonly output?: string
  readonly rateFile?: string
}

const generate = async (file: string, rateFile?: string): Promise<string> => {
  const { config } = await readConfig(file, new ConfigurationFiles())
  return renderBootstrap(config, { rateFile })
}
