// The user entry of a kubeconfig for each authentication method. Reads the files that it names, so that
// an unusable kubeconfig is not written.

import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { findProgramIn } from '../../runtime/child.ts'
import { describeError } from '../../runtime/errors.ts'
import { wordsOf } from '../login/options.ts'
import type { TokenKind } from '../login/login-record.ts'
import type { LoginRequest, ProviderAccess } from '../login/login-request.ts'
import type { CommandProcess } from '../context.ts'
import { usageError } from '../usage-error.ts'
import { hasControlCharacter } from '../../runtime/text.ts'

/** The authentication methods. */
export const AUTH_METHODS = ['password', 'certificate', 'token', 'exec', 'device'] as const

/** One of {@link AUTH_METHODS}. */
export type AuthMethod = (typeof AUTH_METHODS)[number]

/** A method and its options. */
export type AuthMethodRequest =
  | { readonly authMethod: 'password'; readonly user?: string; readonly passwordFile?: string }
  | {
      readonly authMethod: 'certificate'
      readonly certificate: string
      readonly key: string
      /** Whether the file has their content instead of their paths. */
      readonly embed: boolean
    }
  | { readonly authMethod: 'token'; readonly tokenFile: string }
  | {
      readonly authMethod: 'exec' | 'device'
      readonly request: LoginRequest
      readonly access: ProviderAccess
      readonly token?: TokenKind
      readonly consent: boolean
      /** The program that runs `countersign`; default: the one that runs now. */
      readonly command?: string
    }

/** The entry of a user. */
export interface UserEntry {
  readonly entry: Readonly<Record<string, unknown>>
  readonly comment?: string
  /** Whether it contains a secret. */
  readonly secret: boolean
}

/**
 * The entry for a method.
 *
 * @throws CountersignError `usage` when a file cannot be used
 */
export const userEntry = async (
  wanted: AuthMethodRequest,
  process: CommandProcess,
): Promise<UserEntry> => {
  switch (wanted.authMethod) {
    case 'password':
      return await passwordEntry(wanted)
    case 'certificate':
      return await certificateEntry(wanted)
    case 'token':
      // kubectl reloads it about once a minute, so its renewal needs no signal.
      return { entry: { tokenFile: wanted.tokenFile }, secret: false }
    case 'exec':
    case 'device':
      return { entry: { exec: execEntry(wanted, process) }, secret: false }
  }
}

// With a user name and no password kubectl sends an empty password and does not prompt.
const ASKING = `kubectl prompts for user name and password with every command. To avoid that, replace {} with
"username" and "password"; \`countersign kubeconfig --password-file\` does that.`

type Asked<W extends AuthMethod> = Extract<AuthMethodRequest, { readonly authMethod: W }>

const passwordEntry = async ({ user, passwordFile }: Asked<'password'>): Promise<UserEntry> => {
  if (passwordFile === undefined) return { entry: {}, comment: ASKING, secret: false }
  if (user === undefined) throw usageError('--password-file requires --user')
  // RFC 7617 §2.
  if (/[:\p{Cc}]/u.test(user))
    throw usageError('a user name for HTTP Basic must not contain a colon or control characters')
  const password = (await contentOf(passwordFile)).toString('utf8').replace(/\r?\n$/, '')
  if (password === '' || hasControlCharacter(password)) {
    throw usageError(`${passwordFile} must contain one line with the password`)
  }
  return { entry: { username: user, password }, secret: true }
}

const certificateEntry = async ({
  certificate,
  key,
  embed,
}: Asked<'certificate'>): Promise<UserEntry> => {
  const [certificates, keys] = await Promise.all([contentOf(certificate), contentOf(key)])
  if (!certificateIn(certificate, certificates).checkPrivateKey(keyIn(key, keys))) {
    throw usageError(`${key} is not the key of ${certificate}`)
  }
  return embed
    ? {
        entry: {
          'client-certificate-data': certificates.toString('base64'),
          'client-key-data': keys.toString('base64'),
        },
        secret: true,
      }
    : { entry: { 'client-certificate': certificate, 'client-key': key }, secret: false }
}

const execEntry = (
  { authMethod, request, access, token, consent, command }: Asked<'exec' | 'device'>,
  process: CommandProcess,
): UserEntry['entry'] => {
  const [program, ...before] = command === undefined ? thisCommand(process) : [command]
  return {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: program,
    args: [
      ...before,
      'credential',
      ...wordsOf(request, access),
      ...(token === undefined ? [] : [`--token=${token}`]),
      ...(authMethod === 'device' ? ['--device'] : []),
      ...(consent ? [] : ['--no-consent']),
    ],
    // Without a terminal it uses the tokens of `countersign login`.
    interactiveMode: 'IfAvailable',
    provideClusterInfo: false,
    installHint:
      'Countersign is required to log in: see its documentation, "Log in from the command line".',
  }
}

/** The program of this command: its name when PATH contains it, else its path. */
const thisCommand = ({ argv, env }: CommandProcess): readonly string[] => {
  const script = realpathSync(argv[1] ?? '')
  const found = findProgramIn(env['PATH'] ?? '', 'countersign')
  return found !== undefined && realpathSync(found) === script
    ? ['countersign']
    : [process.execPath, script]
}

/** The first certificate in a file. */
export const certificateIn = (file: string, content: Buffer): X509Certificate => {
  try {
    return new X509Certificate(content)
  } catch (cause) {
    throw usageError(`${file} contains no certificate: ${describeError(cause)}`)
  }
}

const keyIn = (file: string, content: Buffer): KeyObject => {
  try {
    return createPrivateKey(content)
  } catch (cause) {
    throw usageError(
      `${file} contains no private key that kubectl can read: ${describeError(cause)}`,
    )
  }
}

/** @throws CountersignError `usage` */
export const contentOf = async (file: string): Promise<Buffer> => {
  try {
    return await readFile(file)
  } catch (cause) {
    throw usageError(`${file} cannot be read: ${describeError(cause)}`)
  }
}
