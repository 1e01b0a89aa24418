// `countersign schema`: the JSON Schemas, for editors.

import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Argument, Command } from 'commander'
import { describeError } from '../runtime/errors.ts'
import type { CommandContext } from './context.ts'
import { jsonSchema, schemaFiles, SCHEMAS } from './schemas.ts'
import { usageError } from './usage-error.ts'

const HELP = `
For an editor with yaml-language-server, next to countersign.yaml:
  countersign schema --output .countersign
and as the first line of countersign.yaml:
  # yaml-language-server: $schema=.countersign/countersign.schema.json`

/** The command. */
export const schemaCommand = (context: CommandContext): Command =>
  new Command('schema')
    .description(
      'print the JSON Schema of a file that Countersign reads, or of a line of its audit log; or write all of them',
    )
    .addArgument(
      new Argument('[file]', 'which file; audit: a line of the audit log').choices(
        Object.keys(SCHEMAS),
      ),
    )
    .option('-o, --output <dir>', 'write all of them into a folder, over those of another release')
    .addHelpText('after', HELP)
    .action(async (file: keyof typeof SCHEMAS | undefined, { output }: { output?: string }) => {
      if (output === undefined) {
        context.process.stdout.write(jsonSchema(SCHEMAS[file ?? 'countersign']))
        return
      }
      const folder = resolve(output)
      try {
        await mkdir(folder, { recursive: true })
        for (const { name, text } of schemaFiles()) await writeFile(join(folder, name), text)
      } catch (cause) {
        throw usageError(`${output} cannot be written: ${describeError(cause)}`)
      }
    })
