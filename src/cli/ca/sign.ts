// `countersign ca sign`: a certificate for the key of a request. Its contents follow from the command line: of
// the request, only the public key is used.

import { readFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { CountersignError, describeError } from '../../runtime/errors.ts'
import type { CommandConsole, CommandContext } from '../context.ts'
import { printable } from '../printable.ts'
import { usageError } from '../usage-error.ts'
import { readAuthority } from './authority.ts'
import { writePublicFile } from './files.ts'
import { issueFor, type Profile } from './issue.ts'
import { namesFor } from './names.ts'
import {
  absolute,
  daysOption,
  parseText,
  withAuthorityOption,
  withClientNames,
  withOtherNames,
  withServerNames,
  type NameOptions,
} from './options.ts'
import { reportCertificate } from './report.ts'
import { readRequest, type ProvenRequest } from './request.ts'

interface Options extends NameOptions {
  readonly ca: string
  readonly csr: string
  readonly profile: Profile
  readonly days?: number
  readonly output?: string
  readonly force?: true
}

const HELP = `
The certificate has exactly the names of the command line: a name of the request that is not repeated
is left out, with a note on standard error. \`countersign ca show FILE\` prints what a request
asks for. Extensions of the request are never copied.`

/** The command. */
export const signCommand = (context: CommandContext): Command =>
  withOtherNames(
    withClientNames(
      withServerNames(
        withAuthorityOption(
          new Command('sign').description(
            'sign a certificate request (PKCS#10), once its signature has proven that who made it has the key',
          ),
        )
          .requiredOption('--csr <file>', 'the certificate request in PEM', absolute)
          .addOption(
            new Option('--profile <profile>', 'what the certificate is for')
              .choices(['server', 'client'])
              .makeOptionMandatory(),
          ),
      ),
    ),
  )
    .option(
      '--name <cn>',
      'the CN of a server’s subject; default: the first of its names',
      parseText,
    )
    .addOption(daysOption('365, or until the CA ends'))
    .option('-o, --output <file>', 'write to a file instead of standard output', absolute)
    .option('--force', 'replace a file that is there already')
    .addHelpText('after', HELP)
    .action(async (options: Options) => await sign(context, options))

const sign = async ({ process, console }: CommandContext, options: Options): Promise<void> => {
  const { ca, csr, profile, days, output, force = false } = options
  const pem = await readFile(csr, 'utf8').catch((cause: unknown) => {
    throw new CountersignError('file-unreadable', `${csr}: ${describeError(cause)}`, { cause })
  })
  const request = await readRequest(pem, csr)
  requireNames(options, request)
  const names = namesFor(profile, options)
  const authority = await readAuthority(ca)
  const certificate = await issueFor(authority, { profile, ...names, days }, request.publicKey)
  reportLeftOut(
    console,
    request,
    names.names.map(({ kind, value }) => `${kind}:${value}`),
  )
  if (output === undefined) {
    process.stdout.write(certificate)
    return
  }
  await writePublicFile(output, certificate, force)
  await reportCertificate(console, output)
}

/** Refuses a command line without names, and lists those of the request. */
const requireNames = ({ csr, dns, ip, spiffe, user }: Options, request: ProvenRequest): void => {
  if ([dns, ip, spiffe, user].some((value) => value !== undefined)) return
  const wanted = [request.subject, ...request.names]
  throw usageError(
    `${csr} contains ${printable(wanted.filter((text) => text !== '').join(', ')) || 'no name'}. Repeat the names that the certificate may have: --dns, --ip, --spiffe or --user`,
  )
}

const reportLeftOut = (
  console: CommandConsole,
  request: ProvenRequest,
  taken: readonly string[],
): void => {
  const leftOut = request.names.filter(
    (name) => !taken.includes(name.toLowerCase()) && !taken.includes(name),
  )
  if (leftOut.length > 0) {
    console.error(
      `Left out, since the command line does not repeat it: ${printable(leftOut.join(', '))}`,
    )
  }
}
