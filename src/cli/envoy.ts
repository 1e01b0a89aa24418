// `countersign envoy`: tools for Envoy's configuration.

import { writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import { ConfigurationFiles } from '../config/files.ts'
import { readConfig } from '../config/parse.ts'
import { renderBootstrap } from '../envoy/bootstrap.ts'
import { envoyIstioCommand } from './envoy-istio.ts'
import { envoyLintCommand } from './envoy-lint.ts'
import { configOption } from './options.ts'

/** The command. */
export const envoyCommand = (): Command =>
  new Command('envoy')
    .description('work with Envoy’s configuration')
    .addCommand(
      new Command('generate')
        .description('write a hardened Envoy bootstrap for the configuration')
        .addOption(configOption())
        .option('-o, --output <file>', 'write to a file instead of standard output')
        .action(async ({ config, output }: { config: string; output?: string }) => {
          const bootstrap = await generate(config)
          if (output === undefined) process.stdout.write(bootstrap)
          else await writeFile(output, bootstrap)
        }),
    )
    .addCommand(envoyIstioCommand())
    .addCommand(envoyLintCommand())

const generate = async (file: string): Promise<string> => {
  const { config } = await readConfig(file, new ConfigurationFiles())
  return renderBootstrap(config)
}
