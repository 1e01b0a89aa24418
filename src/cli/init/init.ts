// `countersign init`: a first configuration, with users, keys and certificates for development, that `up` accepts.

import { createInterface } from 'node:readline/promises'
import { resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { parseConfig } from '../../configuration/parse.ts'
import { ConfigurationError } from '../../config/problem.ts'
import { CountersignError } from '../../runtime/errors.ts'
import type { CommandContext } from '../context.ts'
import { usageError } from '../usage-error.ts'
import {
  checkAnswers,
  KINDS,
  parseUpstream,
  parseWayOut,
  parseWays,
  WAYS_IN,
  WAYS_OUT,
  type Answers,
  type UpstreamKind,
} from './answers.ts'
import { configurationText } from './configuration.ts'
import { initialFiles, writeInitialFiles } from './files.ts'
import { nextSteps } from './next-steps.ts'

interface Options {
  readonly upstream?: string
  readonly upstreamCa?: string
  readonly in?: string
  readonly out?: string
  readonly kind: UpstreamKind
  readonly host: string
  readonly port: number
  readonly issuer?: string
  readonly audience?: string
  readonly user: string
}

const HELP = `
An application on this machine, users with passwords, identity headers:
  countersign init gateway --upstream 127.0.0.1:3000
  cd gateway && countersign up

A login page, and an ID token for the application:
  countersign init gateway --upstream 127.0.0.1:3000 --in login,password --out token

A client certificate of each user for a server with TLS:
  countersign init gateway --upstream https://ledger.example.org:8443 --upstream-ca ledger-ca.pem --out certificate

kubectl with a login in the browser, and a client certificate of each user for a Kubernetes API server:
  countersign init gateway --upstream https://127.0.0.1:6443 --upstream-ca kube-ca.pem --kind kubernetes \\
      --in command-line --out certificate

On a terminal it asks for the upstream, the ways in and the way out that no option has. The certificates and keys are
for development: replace ca/ and tls/ before other machines use it. Nothing that exists is replaced.`

/** The command. */
export const initCommand = (context: CommandContext): Command =>
  new Command('init')
    .description(
      'write a first configuration, with users and development certificates, that "up" accepts',
    )
    .argument('[dir]', 'the folder; created if it does not exist', '.')
    .option(
      '-u, --upstream <address>',
      'the application: HOST:PORT of this machine, unix:PATH, http:// or https://HOST:PORT',
    )
    .option('--upstream-ca <file>', 'PEM file: the CA of an upstream with https')
    .option('-i, --in <ways>', `what callers bring, of ${WAYS_IN.join(', ')}; default: password`)
    .option(
      '-o, --out <way>',
      `what the upstream gets, of ${WAYS_OUT.join(', ')}; default: headers`,
    )
    .addOption(
      new Option(
        '--kind <kind>',
        'what the upstream is: rules of kubernetes read verbs and resources',
      )
        .choices(KINDS)
        .default('http'),
    )
    .option('--host <name>', 'the host of the route', 'localhost')
    .addOption(
      new Option('--port <number>', 'the port of Envoy').argParser(parsePort).default(8443),
    )
    .option('--issuer <url>', 'with "token": the issuer of the tokens')
    .option('--audience <name>', 'with "token": the audience of the tokens')
    .option('--user <name>', 'the first user', 'alice')
    .addHelpText('after', HELP)
    .action(async (dir: string, options: Options) => await init(context, resolve(dir), options))

const init = async (context: CommandContext, folder: string, options: Options): Promise<void> => {
  const answers = checkAnswers(await ask(context, options))
  const parsed = parseConfig(resolve(folder, 'countersign.yaml'), configurationText(answers))
  if (!parsed.ok) throw new ConfigurationError(parsed.problems)
  const made = await initialFiles(answers)
  await writeInitialFiles(folder, made)
  context.console.log(nextSteps(folder, answers, made))
}

const ask = async (context: CommandContext, options: Options): Promise<Answers> => {
  const { stdin, stderr } = context.process
  const terminal = stdin.isTTY === true
  if (!terminal && options.upstream === undefined) {
    throw usageError('--upstream is needed: where the application is, such as 127.0.0.1:3000')
  }
  using lines = terminal ? createInterface({ input: stdin, output: stderr }) : undefined
  const value = async <T>(
    given: string | undefined,
    question: string,
    fallback: string,
    parse: (text: string) => T,
  ): Promise<T> => {
    if (given !== undefined || lines === undefined) return parse(given ?? fallback)
    for (;;) {
      const answer = (await lines.question(`${question} [${fallback}]: `)).trim()
      try {
        return parse(answer === '' ? fallback : answer)
      } catch (cause) {
        if (!(cause instanceof CountersignError)) throw cause
        stderr.write(`${cause.message}\n`)
      }
    }
  }
  const { upstreamCa, kind, issuer, audience, host, port, user } = options
  return {
    upstream: await value(options.upstream, 'Application', '127.0.0.1:3000', parseUpstream),
    waysIn: await value(options.in, `Ways in (${WAYS_IN.join(', ')})`, 'password', parseWays),
    wayOut: await value(options.out, `Way out (${WAYS_OUT.join(', ')})`, 'headers', parseWayOut),
    upstreamCa: upstreamCa === undefined ? undefined : resolve(upstreamCa),
    kind,
    issuer,
    audience,
    host,
    port,
    user,
  }
}

function parsePort(text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535) {
    throw new InvalidArgumentError('must be a port from 1 to 65535')
  }
  return port
}
