// `countersign ca create`: makes a certificate authority, a root or one below another.

import { Command, Option } from 'commander'
import type { CommandContext } from '../context.ts'
import { AUTHORITY_FILES, createAuthority, readAuthority } from './authority.ts'
import { writeFiles } from './files.ts'
import { keyPem } from './keys.ts'
import type { Subtree } from './name-constraints.ts'
import {
  absolute,
  daysOption,
  parsePathLength,
  parseText,
  withKeyOptions,
  withNameConstraints,
  type KeyOptions,
} from './options.ts'
import { reportCertificate, reportKey } from './report.ts'

interface Options extends KeyOptions {
  readonly issuer?: string
  readonly name?: string
  readonly days?: number
  readonly pathLength?: number
  readonly only?: 'server' | 'client'
  readonly permitDns?: readonly Subtree[]
  readonly permitUri?: readonly Subtree[]
}

const HELP = `
A root, and below it the CA of the signer, which signs certificates of clients only:
  countersign ca create --out root --name 'Example root CA'
  countersign ca create --out signer-ca --issuer root --name 'Example signer CA' --only client

ca.pem holds the certificate of the CA, then each that signed the one before it: what the signer reads
(authorities.NAME.certificate). Verifiers need the ca.pem of the root. Keep ca.key of the root offline.`

/** The command. */
export const createCommand = (context: CommandContext): Command =>
  withNameConstraints(
    withKeyOptions(
      new Command('create').description(
        'make a certificate authority: a root, or with --issuer one below another',
      ),
      'ca.pem and ca.key (mode 0600)',
    ),
  )
    .option(
      '--issuer <dir>',
      'the folder of the CA that signs the new one; default: itself',
      absolute,
    )
    .option('--name <cn>', 'the CN of its subject', parseText)
    .addOption(daysOption('3650 for a root, else 1825 or until the issuer ends'))
    .option(
      '--path-length <number>',
      'how many CAs a path may have below it; default: 1 for a root, else 0',
      parsePathLength,
    )
    .addOption(
      new Option('--only <profile>', 'sign certificates of this kind alone').choices([
        'server',
        'client',
      ]),
    )
    .addHelpText('after', HELP)
    .action(async (options: Options) => await create(context, options))

const create = async ({ console }: CommandContext, options: Options): Promise<void> => {
  const { out, force = false, issuer: issuerFolder, permitDns, permitUri } = options
  const issuer = issuerFolder === undefined ? undefined : await readAuthority(issuerFolder)
  const { certificate, key } = AUTHORITY_FILES
  const paths = await writeFiles(out, [key, certificate], force, async () => {
    const { name, days, pathLength, only: profile, key: kind } = options
    const made = await createAuthority(
      {
        commonName: name ?? `Countersign ${issuer === undefined ? 'root' : 'intermediate'} CA`,
        kind,
        permitted: [...(permitDns ?? []), ...(permitUri ?? [])],
        ...(days === undefined ? {} : { days }),
        ...(pathLength === undefined ? {} : { pathLength }),
        ...(profile === undefined ? {} : { profile }),
      },
      issuer,
    )
    return [
      { name: key, text: keyPem(made.key), mode: 0o600 },
      { name: certificate, text: made.certificates, mode: 0o644 },
    ]
  })
  const [keyPath = '', certificatePath = ''] = paths
  await reportCertificate(console, certificatePath)
  await reportKey(console, keyPath)
}
