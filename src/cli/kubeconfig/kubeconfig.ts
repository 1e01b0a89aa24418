// `countersign kubeconfig`: a kubeconfig for each authentication method. It contains a secret only when a
// file with that secret was given, and secrets are not written to standard output.

import { resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { CommandContext, CommandProcess } from '../context.ts'
import { printableJson } from '../printable.ts'
import { TOKEN_KINDS, type TokenKind } from '../login/login-record.ts'
import { ending } from '../login/ending.ts'
import { issuerOption, requestIn, requestOptions, typed, withOptions } from '../login/options.ts'
import { addRenamedOption } from '../options.ts'
import { usageError } from '../usage-error.ts'
import { mergedKubeconfig, newKubeconfig, type KubeContext, type NamedEntry } from './document.ts'
import { changeKubeconfig, usualKubeconfig } from './file.ts'
import {
  certificateIn,
  contentOf,
  userEntry,
  AUTH_METHODS,
  type AuthMethod,
  type AuthMethodRequest,
} from './auth-methods.ts'
import { hasControlCharacter } from '../../runtime/text.ts'

interface Options {
  readonly server: string
  readonly ca?: string
  readonly tlsServerName?: string
  readonly authMethod: AuthMethod
  readonly user?: string
  readonly cluster?: string
  readonly passwordFile?: string
  readonly clientCertificate?: string
  readonly clientKey?: string
  readonly embed?: boolean
  readonly tokenFile?: string
  readonly issuer?: string
  readonly clientId: string
  readonly scope?: string
  readonly resource?: string
  readonly audience?: string
  readonly clientSecretFile?: string
  readonly issuerCa?: string
  readonly token?: TokenKind
  readonly consent: boolean
  readonly command?: string
  readonly output?: string
  readonly merge?: boolean
  readonly replace?: boolean
  readonly use?: boolean
  readonly json?: true
}

const HELP = `
Authentication methods (--auth-method):
  password      HTTP Basic. Without --password-file kubectl prompts for user name and password.
  certificate   A client certificate; --embed puts it, its key and the CA into the file.
  token         A file with a token, which another program renews; kubectl reloads it.
  exec          \`countersign credential\`: tokens of an OpenID provider, by \`countersign login\`.
  device        As exec, with the login on another device.

The file has mode 0600, also when it existed. --merge adds a context to an existing file and keeps
everything else, comments included. An entry of the same name with other content is an error without
--replace, and the current context is kept without --use.

Examples:
  countersign kubeconfig --server https://kube.example.org --auth-method exec --issuer https://id.example.org --output kube.yaml
  countersign kubeconfig --server https://kube.example.org --auth-method password --user alice --password-file alice.password --merge
  countersign kubeconfig --server https://kube.example.org --ca ca.pem --auth-method certificate \\
      --client-certificate alice.pem --client-key alice.key --embed --output alice.yaml`

/** The command. */
export const kubeconfigCommand = (context: CommandContext): Command => {
  const command = new Command('kubeconfig').description(
    'write a kubeconfig for a cluster behind Countersign',
  )
  withOptions(command, [...clusterOptions(), ...credentialOptions(), ...fileOptions()])
  addRenamedOption(command, '--way <method>', '--auth-method')
  return command.addHelpText('after', HELP).action(async (options: Options, self: Command) => {
    await ending(context, async () => {
      refuseIdleOptions(options.authMethod, self)
      await write(context, await contextOf(context.process, options), options)
    })
  })
}

const path = (file: string): string => resolve(file)

const clusterOptions = (): readonly Option[] => [
  new Option('--server <url>', 'the URL at which Envoy publishes the API server')
    .argParser(parseServer)
    .makeOptionMandatory(),
  new Option('--ca <file>', 'PEM: certificate authorities to trust for the server').argParser(path),
  new Option(
    '--tls-server-name <name>',
    'the name in its certificate, when it differs from the URL',
  ).argParser(parseName),
  new Option('--cluster <name>', 'name of the cluster; default: the host of the server').argParser(
    parseName,
  ),
  new Option('--auth-method <method>', 'authentication method, see below')
    .choices(AUTH_METHODS)
    .makeOptionMandatory(),
  new Option('--user <name>', 'name of the user; with a password, its user name').argParser(
    parseName,
  ),
]

const credentialOptions = (): readonly Option[] => [
  new Option('--password-file <file>', 'password: a file with the password, on one line').argParser(
    path,
  ),
  new Option(
    '--client-certificate <file>',
    'certificate: PEM, with intermediate certificates',
  ).argParser(path),
  new Option('--client-key <file>', 'certificate: its key, PEM').argParser(path),
  new Option('--embed', 'write the content of certificates and keys, not their paths'),
  new Option('--token-file <file>', 'token: the file with it').argParser(path),
  issuerOption(),
  ...requestOptions(),
  new Option(
    '--issuer-ca <file>',
    'PEM: certificate authorities to trust for the provider',
  ).argParser(path),
  new Option('--token <kind>', 'which token, as for `countersign credential`').choices(TOKEN_KINDS),
  new Option('--no-consent', 'do not request consent at the provider'),
  new Option(
    '--command <program>',
    'the program that runs countersign for users of the file; default: the one that runs now',
  ).argParser(parseName),
]

const fileOptions = (): readonly Option[] => [
  new Option(
    '-o, --output <file>',
    'output file, "-" for standard output; default: standard output, with --merge the kubeconfig of kubectl',
  ),
  new Option('--merge', 'add to an existing file'),
  new Option('--replace', 'replace entries of the same name').implies({ merge: true }),
  new Option('--use', 'make it the current context').implies({ merge: true }),
  new Option('--json', 'print the names that were written as JSON'),
]

const EXEC_ONLY = [
  'issuer',
  'clientId',
  'scope',
  'resource',
  'audience',
  'clientSecretFile',
  'issuerCa',
  'token',
  'consent',
  'command',
]

/** The credential options of each method. */
const READ_BY: Readonly<Record<AuthMethod, readonly string[]>> = {
  password: ['passwordFile'],
  certificate: ['clientCertificate', 'clientKey'],
  token: ['tokenFile'],
  exec: EXEC_ONLY,
  device: EXEC_ONLY,
}

/** Refuses options that would be ignored. */
const refuseIdleOptions = (authMethod: AuthMethod, command: Command): void => {
  const others = new Set(Object.values(READ_BY).flat())
  const idle = command.options.find((option) => {
    const name = option.attributeName()
    const given = command.getOptionValueSource(name) === 'cli'
    return given && others.has(name) && !READ_BY[authMethod].includes(name)
  })
  if (idle !== undefined)
    throw usageError(`${idle.long ?? idle.flags} has no effect with --auth-method ${authMethod}`)
}

const contextOf = async (
  process: CommandProcess,
  options: Options,
): Promise<KubeContext & { readonly secret: boolean }> => {
  const { server, authMethod, cluster = new URL(server).host } = options
  const { secret, ...user } = await userEntry(authMethodRequest(options), process)
  // One file may contain several methods for one cluster.
  const name = `${options.user ?? authMethod}@${cluster}`
  return {
    name,
    cluster: await clusterEntry(cluster, options),
    user: { name, ...user },
    secret,
  }
}

const clusterEntry = async (
  name: string,
  { server, ca, tlsServerName, embed }: Options,
): Promise<NamedEntry> => {
  const authority = ca === undefined ? undefined : await contentOf(ca)
  if (ca !== undefined && authority !== undefined) certificateIn(ca, authority)
  return {
    name,
    entry: {
      server,
      ...(authority === undefined
        ? {}
        : embed === true
          ? { 'certificate-authority-data': authority.toString('base64') }
          : { 'certificate-authority': ca }),
      ...(tlsServerName === undefined ? {} : { 'tls-server-name': tlsServerName }),
    },
  }
}

const authMethodRequest = (options: Options): AuthMethodRequest => {
  const {
    authMethod,
    user,
    passwordFile,
    clientCertificate,
    clientKey,
    tokenFile,
    embed = false,
  } = options
  switch (authMethod) {
    case 'password':
      return {
        authMethod,
        ...(user === undefined ? {} : { user }),
        ...(passwordFile === undefined ? {} : { passwordFile }),
      }
    case 'certificate':
      return {
        authMethod,
        certificate: needed(authMethod, '--client-certificate', clientCertificate),
        key: needed(authMethod, '--client-key', clientKey),
        embed,
      }
    case 'token':
      return { authMethod, tokenFile: needed(authMethod, '--token-file', tokenFile) }
    case 'exec':
    case 'device': {
      const { issuerCa: ca, clientSecretFile, token, consent, command } = options
      return {
        authMethod,
        request: requestIn({ ...options, issuer: needed(authMethod, '--issuer', options.issuer) }),
        access: {
          ...(ca === undefined ? {} : { ca }),
          ...(clientSecretFile === undefined ? {} : { clientSecretFile }),
        },
        consent,
        ...(token === undefined ? {} : { token }),
        ...(command === undefined ? {} : { command }),
      }
    }
  }
}

const needed = (authMethod: AuthMethod, option: string, value: string | undefined): string => {
  if (value === undefined) throw usageError(`--auth-method ${authMethod} needs ${option}`)
  return value
}

const write = async (
  { process, console }: CommandContext,
  context: KubeContext & { readonly secret: boolean },
  { output, merge = false, replace = false, use = false, json }: Options,
): Promise<void> => {
  const file = output ?? (merge ? usualKubeconfig(process.env) : '-')
  if (file === '-') {
    if (merge || json === true)
      throw usageError('the file is written to standard output: give another --output')
    if (context.secret)
      throw usageError('a secret must not be written to standard output: give a file with --output')
    process.stdout.write(newKubeconfig(context))
    return
  }
  const target = resolve(file)
  await changeKubeconfig(target, (text) => {
    if (text === undefined) return newKubeconfig(context)
    if (merge) return mergedKubeconfig(target, text, context, { replace, use })
    throw usageError(`${target} exists; --merge adds to it`)
  })
  const { name, cluster, user } = context
  if (json === true) {
    const shown = { file: target, context: name, cluster: cluster.name, user: user.name }
    process.stdout.write(`${printableJson(shown, 2)}\n`)
  } else {
    const command = typed([
      'kubectl',
      `--kubeconfig=${target}`,
      `--context=${name}`,
      'auth',
      'whoami',
    ])
    console.error(`${target}: has the context "${name}". Try: ${command}`)
  }
}

function parseServer(text: string): string {
  const url = URL.parse(text)
  if (url?.protocol === 'https:' && url.username === '' && url.search === '' && url.hash === '') {
    return url.pathname === '/' ? url.origin : url.href
  }
  throw new InvalidArgumentError('must be an https URL, since it receives credentials')
}

function parseName(text: string): string {
  if (text === '' || hasControlCharacter(text)) throw new InvalidArgumentError('must be a name')
  return text
}
