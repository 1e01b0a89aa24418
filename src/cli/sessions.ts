// `countersign sessions`: lists and ends logins, in the state that a running authz uses too. It never shows
// a value that authenticates a user.

import { Command, InvalidArgumentError, Option } from 'commander'
import { BrowserSessions } from '../logins/browser-sessions.ts'
import { openConfiguredState } from '../check/configured-state.ts'
import { LoginStore } from '../logins/login-store.ts'
import { ProvenLogins } from '../logins/proven-logins.ts'
import { listLogins, type LiveLogin, type ListingParts } from '../logins/live-logins.ts'
import { LogoutOutbox, type ClientOfLogin, type TokenOfProvider } from '../logins/outbox.ts'
import { Logout, type NotifyClient } from '../logins/logout.ts'
import { systemClock } from '../runtime/clock.ts'
import { createLogger } from '../runtime/logger.ts'
import type { CommandContext } from './context.ts'
import { counted, linesAsText, tableAsLines } from './format.ts'
import { configOption } from './options.ts'
import { printableJson } from './printable.ts'
import { usageError } from './usage-error.ts'

interface ListOptions {
  readonly config: string
  readonly user?: string
  readonly json?: true
}

interface EndOptions {
  readonly config: string
  readonly user?: string
  readonly id?: string
  readonly all?: true
}

const ABOUT = `
A login belongs to one browser: at the authorization server, with its sessions on routes. Its id in the
list can only be used to end it.

The command opens the state of the configuration while authz runs: a SQLite file that the user may
write, or Redis. State in memory is not accessible.`

const ENDING = `
Ends at once, in every authz that shares the state: the login, its sessions and its refresh tokens; with
--user and --all also tokens for offline access and of devices. authz may cache a session for the time
"cacheTtl" of its authenticator. JWT access tokens: with --user and --all authz refuses earlier ones
within 5 s, other services accept them; with --id they are valid until they expire. A running authz, or
the next one that starts within a day, notifies clients with "backchannelLogout" and writes the audit
event, some seconds later. Users can log in again: to prevent that, disable the user in the directory or
users file first.`

/** The command. */
export const sessionsCommand = (context: CommandContext): Command =>
  new Command('sessions')
    .description('list and end logins')
    .addHelpText('after', ABOUT)
    .addCommand(listCommand(context))
    .addCommand(endCommand(context))

const listCommand = ({ process, console }: CommandContext): Command =>
  new Command('list')
    .description('list logins, latest first')
    .addOption(configOption())
    .option('-u, --user <name>', 'only logins of this user', parseName)
    .option('--json', 'print JSON, one login per line')
    .addHelpText('after', ABOUT)
    .action(async ({ config, user, json }: ListOptions) => {
      await using opened = await open(config)
      const logins = await listLogins(opened.logins, user)
      if (json === true) {
        for (const login of logins) console.log(printableJson(shownOf(login)))
        return
      }
      process.stdout.write(linesAsText(tableOf(logins)))
      console.error(counted(logins.length, 'login'))
    })

const endCommand = ({ console }: CommandContext): Command =>
  new Command('end')
    .description('end logins')
    .addOption(configOption())
    .addOption(
      new Option('-u, --user <name>', 'all logins of a user')
        .argParser(parseName)
        .conflicts(['id', 'all']),
    )
    .addOption(
      new Option('--id <id>', 'one login, by its id in `list`')
        .argParser(parseName)
        .conflicts('all'),
    )
    .option('--all', 'all logins of all users')
    .addHelpText('after', ENDING)
    .action(async ({ config, user, id, all }: EndOptions) => {
      if (user === undefined && id === undefined && all === undefined) {
        throw usageError('give --user NAME, --id ID, or --all')
      }
      await using opened = await open(config)
      const count = await end(opened, user, id)
      console.error(`${counted(count, 'login')} ended`)
    })

/** The number of ended logins. A running authz does the rest, since it can sign and has the audit log. */
const end = async (
  { logins: parts, provenLogins, notes }: Opened,
  user: string | undefined,
  id: string | undefined,
): Promise<number> => {
  const logins = await listLogins(parts, user)
  const clients: ClientOfLogin[] = []
  const notify: NotifyClient = async (client, of, sid) =>
    void clients.push({ client, user: of, sid })
  const tokens: TokenOfProvider[] = []
  const upstreamLogout = {
    async end(uid: string) {
      const ended = await provenLogins.end(uid, systemClock.now())
      for (const { provider, renewal } of ended) {
        if (renewal !== undefined) tokens.push({ provider, refreshToken: renewal.refreshToken })
      }
      return ended[0]
    },
  }
  const logout = new Logout({ ...parts, upstreamLogout, notify })
  if (id !== undefined) {
    const login = logins.find((one) => one.id === id)
    if (login === undefined) throw usageError(`there is no login with the id "${id}"`)
    await logout.endOne(login)
    await notes.leave({ user: login.user, which: 'one' }, clients, tokens)
    return 1
  }
  // Also without a login: tokens can outlive it.
  if (user === undefined) await logout.endEverybody()
  else await logout.endAll(user)
  await notes.leave({ user, which: user === undefined ? 'all-users' : 'all' }, clients, tokens)
  return logins.length
}

interface Opened extends AsyncDisposable {
  readonly logins: ListingParts
  readonly provenLogins: ProvenLogins
  readonly notes: LogoutOutbox
}

/** @throws CountersignError `usage` where the state is in memory */
const open = async (file: string): Promise<Opened> => {
  const logger = createLogger('error').child({ component: 'sessions' })
  await using stack = new AsyncDisposableStack()
  const { state, store } = stack.use(
    await openConfiguredState(file, { clock: systemClock, logger }),
  )
  if (store.kind === 'memory') throw usageError(`${file}: ${IN_MEMORY}`)
  const { records, keys } = state
  const running = stack.move()
  return {
    logins: {
      records: new LoginStore(records),
      sessions: new BrowserSessions(records, keys, systemClock),
      keys,
    },
    provenLogins: new ProvenLogins(records),
    notes: new LogoutOutbox(records),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

const IN_MEMORY =
  'without "state" logins are in the memory of authz: a restart of authz ends all of them, and users end their own at /account of "issuer.url". Set "state: { sqlite: FILE }" or Redis to list them'

const time = (instant: number): string => new Date(instant).toISOString()

/** The output for a login, without its uid, which protects forms. */
const shownOf = ({ id, user, began, used, source, userAgent, hosts, clients }: LiveLogin) => ({
  id,
  user,
  began: time(began),
  ...(used === undefined ? {} : { used: time(used) }),
  ...(source === undefined ? {} : { source }),
  ...(userAgent === undefined ? {} : { userAgent }),
  hosts,
  clients,
})

const HEADINGS = ['ID', 'USER', 'BEGAN', 'USED', 'FROM', 'HOSTS AND CLIENTS'] as const

const tableOf = (logins: readonly LiveLogin[]): readonly string[] => {
  if (logins.length === 0) return []
  const rows = logins.map(({ id, user, began, used, source, hosts, clients }) => [
    id,
    user,
    minute(began),
    used === undefined ? '-' : minute(used),
    source ?? '-',
    [...hosts, ...clients].join(' ') || '-',
  ])
  return tableAsLines([HEADINGS, ...rows])
}

const minute = (instant: number): string => `${time(instant).slice(0, 'YYYY-MM-DDTHH:MM'.length)}Z`

function parseName(text: string): string {
  if (text === '') throw new InvalidArgumentError('must not be empty')
  return text
}
