// The options that identify the request of a login.

import { resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { CountersignError } from '../../runtime/errors.ts'
import { usageError } from '../usage-error.ts'
import { issuerOf, type LoginRequest, type ProviderAccess } from './login-request.ts'
import type { LoginFlow } from './log-in.ts'
import { hasControlCharacter } from '../../runtime/text.ts'

/** What the options of a request and of its provider come to. */
export interface RequestOptions extends ProviderAccess {
  readonly issuer: string
  readonly clientId: string
  readonly scope?: string
  readonly resource?: string
  readonly audience?: string
}

/** What the options of a way to log in come to. */
export interface WayOptions {
  readonly device?: true
  readonly browser: boolean
  readonly port: number
  readonly consent: boolean
}

/** The default client at a provider. */
const DEFAULT_CLIENT = 'countersign-cli'

/** The options of a request; the issuer is `issuerOption`. */
export const requestOptions = (): readonly Option[] => [
  new Option(
    '--client-id <id>',
    'client id at the provider: a public client for native applications',
  ).default(DEFAULT_CLIENT),
  new Option(
    '--scope <scopes>',
    'scopes, separated by spaces or commas, including "openid"; default: openid, and profile, email, groups and offline_access where the provider supports them',
  ).argParser(parseScope),
  new Option('--resource <uri>', 'the audience of the access token (RFC 8707)').argParser(
    parseResource,
  ),
  new Option('--audience <name>', 'the same, at providers without `resource`').argParser(parseText),
  new Option(
    '--client-secret-file <file>',
    'a file with the client secret, at providers that issue one to native applications',
  ).argParser((file) => resolve(file)),
]

/** `--issuer URL`. */
export const issuerOption = (): Option =>
  new Option('--issuer <url>', 'the OpenID provider').argParser(parseIssuer)

/** `--ca FILE`: of the provider. */
export const caOption = (): Option =>
  new Option(
    '--ca <file>',
    'PEM: the only certificate authorities to trust for the provider',
  ).argParser((file) => resolve(file))

/** The options of the login itself. */
export const wayOptions = (): readonly Option[] => [
  new Option(
    '--device',
    'log in on another device, with a code (RFC 8628); default without a browser on this machine',
  ).conflicts(['port']),
  new Option('--no-browser', 'print the URL without opening a browser'),
  new Option(
    '--port <port>',
    'the port for the response of the browser, when the provider requires one',
  )
    .argParser(parsePort)
    .default(0, 'any'),
  new Option(
    '--no-consent',
    'do not request consent: for providers that issue refresh tokens without it',
  ),
]

/** Adds options to a command. */
export const withOptions = (command: Command, options: readonly Option[]): Command => {
  for (const option of options) command.addOption(option)
  return command
}

/** The request alone. */
export const requestIn = (options: RequestOptions): LoginRequest => {
  const { issuer, clientId, scope, resource, audience } = options
  return {
    issuer,
    clientId,
    ...(scope === undefined ? {} : { scope }),
    ...(resource === undefined ? {} : { resource }),
    ...(audience === undefined ? {} : { audience }),
  }
}

/** How to reach the provider. */
export const accessIn = ({ ca, clientSecretFile }: ProviderAccess): ProviderAccess => ({
  ...(ca === undefined ? {} : { ca }),
  ...(clientSecretFile === undefined ? {} : { clientSecretFile }),
})

/** @throws CountersignError `usage` */
export const flowIn = ({ device, browser, port, consent }: WayOptions): LoginFlow => {
  if (device === true && !browser) throw usageError('--device opens no browser: omit --no-browser')
  return { ...(device === undefined ? {} : { device }), browser, port, consent }
}

/** The options of a request as words of a command line, without defaults. */
export const wordsOf = (
  request: LoginRequest,
  { ca, clientSecretFile }: ProviderAccess,
): readonly string[] => {
  const { issuer, clientId, scope, resource, audience } = request
  const named = {
    '--issuer': issuer,
    '--client-id': clientId === DEFAULT_CLIENT ? undefined : clientId,
    '--scope': scope,
    '--resource': resource,
    '--audience': audience,
    '--ca': ca,
    '--client-secret-file': clientSecretFile,
  }
  return Object.entries(named).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  )
}

/** The words, quoted for a shell. */
export const typed = (words: readonly string[]): string =>
  words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ')

function parseIssuer(text: string): string {
  try {
    return issuerOf(text)
  } catch (cause) {
    if (cause instanceof CountersignError) throw new InvalidArgumentError(cause.message)
    throw cause
  }
}

// RFC 6749 §3.3.
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/

function parseScope(text: string): string {
  const names = [...new Set(text.split(/[\s,]+/).filter((name) => name !== ''))]
  if (!names.every((name) => SCOPE.test(name)))
    throw new InvalidArgumentError('must consist of scope names (RFC 6749 §3.3)')
  if (!names.includes('openid')) {
    throw new InvalidArgumentError('must include "openid": without it there is no ID token')
  }
  return names.join(' ')
}

function parseResource(text: string): string {
  // RFC 8707 §2.
  if (URL.canParse(text) && !text.includes('#')) return text
  throw new InvalidArgumentError('must be an absolute URI without a fragment')
}

function parseText(text: string): string {
  if (text === '' || hasControlCharacter(text))
    throw new InvalidArgumentError('must be text without control characters')
  return text
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port >= 1 && port <= 65_535) return port
  throw new InvalidArgumentError('must be a port from 1 to 65535')
}
