// `countersign envoy`: tools for Envoy's configuration.

import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { ConfigurationFiles } from '../config/files.ts'
import { readConfig } from '../configuration/parse.ts'
import { withWorkers } from '../configuration/workers.ts'
import type { Workers } from '../configuration/workers-schema.ts'
import { addressSchema, type Address } from '../config/values.ts'
import { certificateFiles, renderBootstrap } from '../envoy/bootstrap.ts'
import { refusalRate } from '../envoy/refusal-log.ts'
import type { CommandContext } from './context.ts'
import { envoyIstioCommand } from './envoy-istio.ts'
import { envoyLintCommand } from './envoy-lint.ts'
import { renderSnippet } from '../envoy/snippet.ts'
import { configOption, parsed, workersOption } from './options.ts'

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
        .option(
          '--certificates-folder <folder>',
          'also write files into a folder, which Envoy reads at this path, so that it follows renewed certificates and CAs; default: it reads them when it starts',
        )
        .addOption(
          workersOption(
            'how many processes of authz there are: a number, or auto; default: `workers`',
          ),
        )
        .action(async ({ output, ...options }: GenerateOptions) => {
          const bootstrap = await generate(options)
          if (output === undefined) context.process.stdout.write(bootstrap)
          else await writeFile(output, bootstrap)
        }),
    )
    .addCommand(snippetCommand(context))
    .addCommand(envoyIstioCommand(context))
    .addCommand(envoyLintCommand(context))

interface GenerateOptions {
  readonly config: string
  readonly output?: string
  readonly rateFile?: string
  readonly certificatesFolder?: string
  readonly workers?: Workers
}

/** Writes the files that the bootstrap names, and gives the bootstrap. */
const generate = async (options: GenerateOptions): Promise<string> => {
  const { config: read, locate } = await readConfig(options.config, new ConfigurationFiles())
  const config = withWorkers(read, locate, options.workers)
  const rateFile = options.rateFile && resolve(options.rateFile)
  const certificatesFolder = options.certificatesFolder && resolve(options.certificatesFolder)
  const bootstrap = renderBootstrap(config, { rateFile, certificatesFolder })
  if (rateFile !== undefined) await writeFile(rateFile, refusalRate())
  if (certificatesFolder !== undefined) {
    for (const [file, text] of certificateFiles(config, certificatesFolder)) {
      await writeFile(file, text)
    }
  }
  return bootstrap
}

const SNIPPET = `
The parts are the filters that call authz and apply its answer, the removal of headers that authz sets, and the clusters
of authz and the signer. The configuration needs no "envoy" section. Then find what is missing:
  countersign envoy snippet --config countersign.yaml > parts.yaml
  countersign envoy lint envoy.yaml --config countersign.yaml`

const snippetCommand = (context: CommandContext): Command =>
  new Command('snippet')
    .description('write the parts for an Envoy configuration that exists')
    .addOption(configOption())
    .option(
      '--signer-address <address>',
      'where Envoy reaches the signer, unix:PATH; default: envoy.signerAddress',
      (text) => parsed(addressSchema, text),
    )
    .addHelpText('after', SNIPPET)
    .action(async ({ config: file, signerAddress }: SnippetCommandOptions) => {
      const { config } = await readConfig(file, new ConfigurationFiles())
      context.process.stdout.write(renderSnippet(config, { signerAddress }))
    })

interface SnippetCommandOptions {
  readonly config: string
  readonly signerAddress?: Address
}
