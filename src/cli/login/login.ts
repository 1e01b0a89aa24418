// `countersign login`: obtains tokens of a user from an OpenID provider, and stores them for
// `countersign credential`. It never prints a token.

import { Command } from 'commander'
import type { CommandContext } from '../context.ts'
import { printable, printableJson } from '../printable.ts'
import { surroundings, tokenFolder } from './cache/place.ts'
import { TokenCache } from './cache/token-cache.ts'
import { ending } from './ending.ts'
import { timestamp } from './exec-credential.ts'
import { heedingInterruption } from './interruption.ts'
import { logIn, type LoginFlow, type Person } from './log-in.ts'
import { tokenOf, usualKind, type Login } from './login-record.ts'
import type { LoginRequest, ProviderAccess } from './login-request.ts'
import {
  accessIn,
  caOption,
  issuerOption,
  requestIn,
  requestOptions,
  flowIn,
  wayOptions,
  withOptions,
  type RequestOptions,
  type WayOptions,
} from './options.ts'
import { atTerminal } from './terminal.ts'

interface Options extends RequestOptions, WayOptions {
  readonly json?: true
}

const HELP = `
A browser on this machine opens, and its response returns to a port on 127.0.0.1 (RFC 8252; the client
needs the redirection URI http://127.0.0.1/callback, with any port or with that of --port). Without a
browser the login takes place on another device, with a code.

Tokens are stored in $XDG_STATE_HOME/countersign/tokens (~/.local/state; on macOS ~/Library/Application
Support; on Windows %LOCALAPPDATA%), a file for each issuer, client, scope, resource and audience, with
mode 0600 in a folder with mode 0700. Files with wider access are refused.

Examples:
  countersign login --issuer https://id.example.org
  countersign login --issuer https://id.example.org --resource https://kube.example.org
  countersign login --issuer https://login.example.org/realms/staff --client-id kubernetes --device`

/** The command. */
export const loginCommand = (context: CommandContext): Command => {
  const command = new Command('login').description(
    'log in at an OpenID provider, of Countersign or any other, for `countersign credential`',
  )
  withOptions(command, [
    issuerOption().makeOptionMandatory(),
    ...requestOptions(),
    caOption(),
    ...wayOptions(),
  ])
  return command
    .option('--json', 'print who is logged in as JSON')
    .addHelpText('after', HELP)
    .action(async (options: Options) => {
      await ending(context, async () => {
        const { process } = context
        const cache = new TokenCache(tokenFolder(surroundings(process.env)))
        const flow = flowIn(options)
        const login = await logInAndKeep(
          cache,
          requestIn(options),
          accessIn(options),
          flow,
          atTerminal(context),
        )
        process.stdout.write(options.json === true ? asJson(login) : asText(login))
      })
    })
}

const LOCK_WAIT_MS = 75_000

/**
 * Logs a user in and stores the tokens.
 *
 * @throws CountersignError `login-failed`, `unavailable`, `listen-failed`, `file-unreadable`
 */
export const logInAndKeep = async (
  cache: TokenCache,
  request: LoginRequest,
  access: ProviderAccess,
  flow: LoginFlow,
  person: Person,
): Promise<Login> => {
  // The folder is checked before the user logs in.
  await cache.prepare()
  const { openProvider } = await import('./provider/provider.ts')
  const tokens = await heedingInterruption(async (signal) => {
    const provider = await openProvider(request, access)
    return await logIn(provider, flow, person, signal)
  })
  const login: Login = { ...request, ...access, ...tokens }
  await heedingInterruption(async (signal) => {
    // A process that is renewing the previous tokens must not overwrite these.
    await using _ = await cache.lock(request, { wait: LOCK_WAIT_MS, signal })
    await cache.write(login)
  })
  return login
}

/** Who is logged in, and until when. */
export const asText = (login: Login): string => {
  const { expires } = tokenOf(login, usualKind(login))
  const until = expires === undefined ? '' : ` until ${timestamp(expires)}`
  const then = login.refreshToken === undefined ? '' : ', renewed as long as the provider allows'
  return printable(`Logged in at ${login.issuer} as ${login.user}${until}${then}.`) + '\n'
}

const asJson = (login: Login): string => {
  const { issuer, clientId, scope, resource, audience, subject, user, refreshToken } = login
  const { expires } = tokenOf(login, usualKind(login))
  const shown = {
    issuer,
    clientId,
    scope,
    resource,
    audience,
    subject,
    user,
    expires: expires === undefined ? undefined : timestamp(expires),
    renewable: refreshToken !== undefined,
  }
  return `${printableJson(shown, 2)}\n`
}
