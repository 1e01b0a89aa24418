// Options that several commands share.

import { resolve } from 'node:path'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { workersSchema } from '../configuration/workers-schema.ts'

/** `--config FILE`, made absolute. */
export const configOption = (): Option =>
  new Option('-c, --config <file>', 'the configuration file')
    .env('COUNTERSIGN_CONFIG')
    .default(resolve('countersign.yaml'), 'countersign.yaml')
    .argParser((file) => resolve(file))

/** `--workers N`, in place of the key `workers`. */
export const workersOption = (description: string): Option =>
  new Option('--workers <number>', description).argParser((text) =>
    parsed(workersSchema, /^\d+$/.test(text) ? Number(text) : text),
  )

interface Schema<T> {
  safeParse(value: unknown):
    | { readonly success: true; readonly data: T }
    | {
        readonly success: false
        readonly error: { readonly issues: readonly { readonly message: string }[] }
      }
}

/** The value of an option; an invalid one is refused as commander refuses an unknown choice. */
export const parsed = <T>(schema: Schema<T>, text: unknown): T => {
  const result = schema.safeParse(text)
  if (result.success) return result.data
  throw new InvalidArgumentError(result.error.issues.map(({ message }) => message).join('; '))
}

/**
 * The former name of an option. Its use is an error that names the present one.
 *
 * @param former with its argument, where it has one: `--way <method>`
 */
export const addRenamedOption = (command: Command, former: string, present: string): Command => {
  const option = new Option(former).hideHelp()
  return command.addOption(option).on(`option:${option.name()}`, () => {
    command.error(`error: option '${option.long}' is now '${present}'`)
  })
}
