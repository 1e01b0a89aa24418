// `countersign logout`: ends logins. A refresh token is revoked at its provider, so that copies of it are
// useless; the local tokens are removed in any case.

import { Command, Option } from 'commander'
import { CountersignError } from '../../runtime/errors.ts'
import type { CommandContext } from '../context.ts'
import { counted } from '../format.ts'
import { printable, printableJson } from '../printable.ts'
import { usageError } from '../usage-error.ts'
import { surroundings, tokenFolder } from './cache/place.ts'
import { TokenCache, type CacheEntry } from './cache/token-cache.ts'
import { ending } from './ending.ts'
import { heedingInterruption } from './interruption.ts'
import type { Login } from './login-record.ts'
import type { LoginRequest, ProviderAccess } from './login-request.ts'
import { accessIn, caOption, issuerOption, requestOptions, withOptions } from './options.ts'
import type { Revocation } from './provider/provider.ts'

interface Options extends ProviderAccess, Partial<LoginRequest> {
  readonly all?: true
  readonly json?: true
}

const HELP = `
Without options it ends the login when there is one, and lists them when there are several. Where a
token cannot be revoked, the local copy is removed, and the token expires by itself.

Examples:
  countersign logout
  countersign logout --issuer https://id.example.org
  countersign logout --issuer https://id.example.org --resource https://kube.example.org
  countersign logout --all

With --issuer it ends the logins there; with further options of "countersign login", those that had the same.`

/** The command. */
export const logoutCommand = (context: CommandContext): Command => {
  const command = new Command('logout').description(
    'revoke the tokens of a login at the provider (RFC 7009) and forget them',
  )
  withOptions(command, [
    issuerOption().conflicts('all'),
    ...selectingOptions(),
    new Option('--all', 'all logins, and files that no longer contain one'),
    caOption(),
  ])
  return command
    .option('--json', 'print what was done as a JSON array')
    .addHelpText('after', HELP)
    .action(async (options: Options) => {
      await ending(context, async () => {
        const { process } = context
        const cache = new TokenCache(tokenFolder(surroundings(process.env)))
        const entries = chosen(await cache.list(), options)
        const access = accessIn(options)
        const done = await heedingInterruption(
          async (signal) =>
            await Promise.all(entries.map((entry) => end(cache, entry, access, signal))),
        )
        process.stdout.write(options.json === true ? `${printableJson(done, 2)}\n` : asText(done))
        if (done.some(({ outcome }) => outcome === 'failed')) process.exitCode = 1
      })
    })
}

/** The options of `login` that identify its request, without defaults: only logins that had the same. */
const selectingOptions = (): readonly Option[] =>
  requestOptions().map((option) =>
    option.attributeName() === 'clientSecretFile'
      ? option
      : option.default(undefined).conflicts('all'),
  )

const chosen = (
  entries: readonly CacheEntry[],
  { issuer, clientId, scope, resource, audience, all }: Options,
): readonly CacheEntry[] => {
  if (all === true) return entries
  const wanted: readonly [keyof LoginRequest, string | undefined][] = [
    ['issuer', issuer],
    ['clientId', clientId],
    ['scope', scope],
    ['resource', resource],
    ['audience', audience],
  ]
  const meant = entries.filter(
    (entry) =>
      entry.outcome === 'login' &&
      wanted.every(
        ([name, value]) => value === undefined || isEqual(name, entry.login[name], value),
      ),
  )
  if (issuer === undefined && meant.length > 1) {
    const issuers = [
      ...new Set(meant.flatMap((entry) => (entry.outcome === 'login' ? [entry.login.issuer] : []))),
    ]
    throw usageError(
      `there are ${counted(meant.length, 'login')}: say --all, or --issuer with one of ${printable(issuers.join(', '))}`,
    )
  }
  return meant
}

/** Scopes in another order are the same login. */
const isEqual = (name: keyof LoginRequest, one: string | undefined, other: string): boolean =>
  name === 'scope'
    ? one?.split(' ').toSorted().join(' ') === other.split(' ').toSorted().join(' ')
    : one === other

/** What was done about one login. */
type Ending = {
  readonly issuer?: string
  readonly user?: string
  readonly outcome: 'revoked' | 'forgotten' | 'failed'
  readonly why?: string
}

// Longer than a renewal by another process may take.
const WAIT_MS = 75_000

const end = async (
  cache: TokenCache,
  entry: CacheEntry,
  access: ProviderAccess,
  signal: AbortSignal,
): Promise<Ending> => {
  if (entry.outcome === 'unusable') {
    await cache.remove(entry)
    return { outcome: 'failed', why: `${entry.why}. It was removed, and nothing was revoked` }
  }
  const { issuer, user } = entry.login
  await using _ = await cache.lock(entry.login, { wait: WAIT_MS, signal })
  if (signal.aborted) return { issuer, user, outcome: 'failed', why: 'interrupted' }
  // The previous holder of the lock may have written another refresh token.
  const login = await cache.read(entry.login)
  if (login === undefined) {
    return { issuer, user, outcome: 'forgotten', why: 'another process logged out' }
  }
  const revocation = await revoke(login, access)
  await cache.remove(entry)
  switch (revocation.kind) {
    case 'revoked':
      return { issuer, user, outcome: 'revoked' }
    case 'not-offered':
      return { issuer, user, outcome: 'forgotten', why: 'the provider does not support revocation' }
    case 'unavailable':
    case 'refused':
    case 'unsound':
      return { issuer, user, outcome: 'failed', why: revocation.why }
  }
}

const revoke = async (login: Login, access: ProviderAccess): Promise<Revocation> => {
  const { openProvider } = await import('./provider/provider.ts')
  try {
    const provider = await openProvider(login, { ...accessIn(login), ...access })
    // RFC 7009 §2.1: its access tokens end with it.
    return login.refreshToken === undefined
      ? await provider.revoke(login.accessToken.value, 'access_token')
      : await provider.revoke(login.refreshToken, 'refresh_token')
  } catch (cause) {
    if (cause instanceof CountersignError) return { kind: 'unavailable', why: cause.message }
    throw cause
  }
}

const asText = (done: readonly Ending[]): string => {
  if (done.length === 0) return 'There are no logins.\n'
  return done.map((ended) => `${printable(line(ended))}\n`).join('')
}

const line = ({ issuer = '', user = '', outcome, why = '' }: Ending): string => {
  switch (outcome) {
    case 'revoked':
      return `Logged out at ${issuer} (${user}): revoked there, removed here.`
    case 'forgotten':
      return `Logged out at ${issuer} (${user}): removed here; ${why}.`
    case 'failed':
      return issuer === ''
        ? `${why}.`
        : `Logged out at ${issuer} (${user}): removed here, but not revoked: ${why}.`
  }
}
