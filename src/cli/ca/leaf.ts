// `countersign ca server` and `countersign ca client`: a key, and a certificate that a CA signs for it.

import { Command } from 'commander'
import type { CommandContext } from '../context.ts'
import { readAuthority } from './authority.ts'
import { writeFiles } from './files.ts'
import { issue, type Profile } from './issue.ts'
import { namesFor } from './names.ts'
import {
  daysOption,
  fileNameOption,
  parseText,
  withAuthorityOption,
  withClientNames,
  withKeyOptions,
  withOtherNames,
  withServerNames,
  type KeyOptions,
  type NameOptions,
} from './options.ts'
import { reportCertificate, reportKey } from './report.ts'

interface Options extends KeyOptions, NameOptions {
  readonly ca: string
  readonly days?: number
  readonly as: string
}

/** `countersign ca server`. */
export const serverCommand = (context: CommandContext): Command =>
  withOtherNames(
    withServerNames(
      leafCommand(
        context,
        'server',
        'make a key and a certificate for a server: Envoy, authz, an upstream',
      ),
    ),
  ).option('--name <cn>', 'the CN of its subject; default: the first of its names', parseText)

/** `countersign ca client`. */
export const clientCommand = (context: CommandContext): Command =>
  withOtherNames(
    withClientNames(
      leafCommand(
        context,
        'client',
        'make a key and a certificate for a client: a user, a program, Envoy',
      ),
    ),
  )

const leafCommand = (context: CommandContext, profile: Profile, description: string): Command =>
  withAuthorityOption(
    withKeyOptions(
      new Command(profile).description(description),
      'the certificate (.pem, with those that are sent after it) and its key (.key, mode 0600)',
    ),
  )
    .addOption(fileNameOption(profile))
    .addOption(daysOption('365, or until the CA ends'))
    .action(async (options: Options) => await make(context, profile, options))

const make = async (
  { console }: CommandContext,
  profile: Profile,
  options: Options,
): Promise<void> => {
  const { ca, out, as: name, days, key: kind, force = false } = options
  const names = namesFor(profile, options)
  const authority = await readAuthority(ca)
  const files = [`${name}.key`, `${name}.pem`] as const
  const [keyPath = '', certificatePath = ''] = await writeFiles(out, files, force, async () => {
    const { certificate, key } = await issue(authority, { profile, ...names, days }, kind)
    return [
      { name: files[0], text: key, mode: 0o600 },
      { name: files[1], text: certificate, mode: 0o644 },
    ]
  })
  await reportCertificate(console, certificatePath)
  await reportKey(console, keyPath)
}
