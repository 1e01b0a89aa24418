// `countersign sessions`: who is logged in, and ending it, in the state that a running authz uses too. It
// never shows by what anybody could be taken for somebody else.

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
import { counted } from './counted.ts'
import { configOption } from './options.ts'
import { printable, printableJson } from './printable.ts'
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
A login is that of one browser: at the authorization server, with the sessions that it has on routes by
it. It is listed by an id that is good for nothing but ending it.

The state of the configuration is opened beside the authz that runs: a SQLite file, by a user who may
write it, or Redis. State in memory is inside of the process.`

const ENDING = `
At once, also in every authz that shares the state: the login, its sessions, and its refresh tokens; with
--user and --all also the tokens for offline access and of devices. authz may remember a session that it
has just looked up for as long as "cacheTtl" of the authenticator says. Access tokens that are JWTs: with
--user and --all authz refuses those from before within 5 s, other services know nothing of it; with --id
they are good until they expire. The authz that runs, or the next one that starts within a day, tells
clients with "backchannelLogout" and writes the audit event, some seconds later. Nobody is kept from logging
in again: for that, disable the user where the password is kept, first.`

/** The command. */
export const sessionsCommand = (): Command =>
  new Command('sessions')
    .description('show who is logged in, and end it')
    .addHelpText('after', ABOUT)
    .addCommand(listCommand())
    .addCommand(endCommand())

const listCommand = (): Command =>
  new Command('list')
    .description('list the logins of people, the latest first')
    .addOption(configOption())
    .option('-u, --user <name>', 'only this user’s', parseName)
    .option('--json', 'as JSON, one login a line')
    .addHelpText('after', ABOUT)
    .action(async ({ config, user, json }: ListOptions) => {
      await using opened = await open(config)
      const logins = await listLogins(opened.logins, user)
      if (json === true) {
        for (const login of logins) console.log(printableJson(shownOf(login)))
        return
      }
      for (const line of tableOf(logins)) console.log(printable(line))
      console.error(counted(logins.length, 'login'))
    })

const endCommand = (): Command =>
  new Command('end')
    .description('end logins for good')
    .addOption(configOption())
    .addOption(
      new Option('-u, --user <name>', 'all of a user’s')
        .argParser(parseName)
        .conflicts(['id', 'all']),
    )
    .addOption(
      new Option('--id <id>', 'this one, as `list` shows it').argParser(parseName).conflicts('all'),
    )
    .option('--all', 'everybody’s')
    .addHelpText('after', ENDING)
    .action(async ({ config, user, id, all }: EndOptions) => {
      if (user === undefined && id === undefined && all === undefined) {
        throw usageError('say which: --user NAME, --id ID, or --all')
      }
      await using opened = await open(config)
      const count = await end(opened, user, id)
      console.error(`${counted(count, 'login')} ended`)
    })

/** How many there were. The rest is left to the authz that runs, which can sign and has the log. */
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
    if (login === undefined) throw usageError(`there is no login of the id "${id}"`)
    await logout.endOne(login)
    await notes.leave({ user: login.user, which: 'one' }, clients, tokens)
    return 1
  }
  // Also where there is no login: tokens can outlive the one that they are from.
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
  'without "state" logins are in the memory of authz alone, where nobody else sees them: a restart of authz ends all of them, and people end theirs at /account of "issuer.url"; with "state: { sqlite: FILE }" or Redis they can be listed'

const time = (instant: number): string => new Date(instant).toISOString()

/** What is told of a login; its uid is not, since forms are known by it. */
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
  const all = [HEADINGS, ...rows]
  const widths = HEADINGS.map((_, column) =>
    Math.max(...all.map((row) => (row[column] ?? '').length)),
  )
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

const minute = (instant: number): string => `${time(instant).slice(0, 'YYYY-MM-DDTHH:MM'.length)}Z`

function parseName(text: string): string {
  if (text === '') throw new InvalidArgumentError('must not be empty')
  return text
}
