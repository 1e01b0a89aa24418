// `countersign ca csr`: a key that stays where it is made, and a request for a certificate (PKCS#10).

import { Command } from 'commander'
import type { CommandContext } from '../context.ts'
import { writeFiles } from './files.ts'
import { keyPem, newKey } from './keys.ts'
import { allNames } from './names.ts'
import {
  fileNameOption,
  parseText,
  withClientNames,
  withKeyOptions,
  withOtherNames,
  withServerNames,
  type KeyOptions,
  type NameOptions,
} from './options.ts'
import { reportKey } from './report.ts'
import { createRequest } from './request.ts'

interface Options extends KeyOptions, NameOptions {
  readonly as: string
}

/** The command. */
export const csrCommand = (context: CommandContext): Command =>
  withOtherNames(
    withClientNames(
      withServerNames(
        withKeyOptions(
          new Command('csr').description(
            'make a key and a certificate request for it (PKCS#10), which `countersign ca sign` or any other CA signs; the key stays where it is',
          ),
          'the request (.csr) and the key (.key, mode 0600)',
        ),
      ),
    ),
  )
    .option(
      '--name <cn>',
      'the CN of a server’s subject; default: the first of its names',
      parseText,
    )
    .addOption(fileNameOption('request'))
    .action(async (options: Options) => await make(context, options))

const make = async ({ console }: CommandContext, options: Options): Promise<void> => {
  const { out, as: name, key: kind, force = false } = options
  const { subject, names } = allNames(options)
  const files = [`${name}.key`, `${name}.csr`] as const
  const [keyPath = '', requestPath = ''] = await writeFiles(out, files, force, async () => {
    const key = await newKey(kind)
    return [
      { name: files[0], text: keyPem(key), mode: 0o600 },
      { name: files[1], text: await createRequest(subject, names, key), mode: 0o644 },
    ]
  })
  console.error(`${requestPath}\n  certificate request: give it to the CA`)
  await reportKey(console, keyPath)
}
