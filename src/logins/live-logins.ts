// The logins that are active now, with the sessions of each on routes. What is listed identifies a login and gives no
// access by it.

import type { BrowserSession, BrowserSessions } from './browser-sessions.ts'
import { SESSION_CLIENT } from './session-client.ts'
import type { DerivedKeys } from '../state/derived-keys.ts'
import type { LoginStore, StoredLogin } from './login-store.ts'

/** A login that lives. Instants are milliseconds since the epoch. */
export interface LiveLogin {
  /** Names it, and gives no access. */
  readonly id: string
  readonly user: string
  readonly began: number
  /** When it was last used on a route; absent without a session. */
  readonly used: number | undefined
  /** Of its latest session on a route, as is `userAgent`. */
  readonly source: string | undefined
  readonly userAgent: string | undefined
  /** The hosts of routes that it has sessions on. */
  readonly hosts: readonly string[]
  /** The clients that it was used for, without the session client. */
  readonly clients: readonly string[]
  /** The login at the authorization server; `undefined` where only sessions are left of it. */
  readonly uid: string | undefined
  /** The ids of its sessions on routes. */
  readonly sessions: readonly string[]
}

/** What listing needs. */
export interface ListingParts {
  readonly records: LoginStore
  readonly sessions: BrowserSessions
  readonly keys: DerivedKeys
}

/** The id of a login: a keyed hash, since the uid is what its forms are known by. */
export const loginId = (keys: DerivedKeys, uid: string): string => keys.of('login-id', uid)

/** The logins of a user, or all there are; the latest first. */
export const listLogins = async (
  { records, sessions, keys }: ListingParts,
  user?: string,
): Promise<readonly LiveLogin[]> => {
  const [stored, browsers] = await Promise.all([records.list(user), sessions.list(user)])
  const sids = new Set(stored.map(({ clients }) => clients.get(SESSION_CLIENT)))
  const left = browsers.filter(({ login }) => login === undefined || !sids.has(login))
  const leftByLogin = Map.groupBy(left, ({ id, login }) => login ?? id)
  return [
    ...stored.map((login) => liveOf(login, browsers, keys)),
    ...leftByLogin.values().map(remainderOf),
  ].toSorted((one, other) => other.began - one.began)
}

const liveOf = (
  { uid, user, at, clients }: StoredLogin,
  browsers: readonly BrowserSession[],
  keys: DerivedKeys,
): LiveLogin => {
  const sid = clients.get(SESSION_CLIENT)
  const own = browsers.filter(({ login }) => login !== undefined && login === sid)
  return {
    ...seenOn(own),
    id: loginId(keys, uid),
    user,
    began: at * 1_000,
    clients: [...clients.keys()].filter((client) => client !== SESSION_CLIENT),
    uid,
  }
}

/** Sessions whose login is over: unused for too long, while they were used. */
const remainderOf = (own: readonly BrowserSession[]): LiveLogin => {
  const [first] = own
  if (first === undefined) throw new Error('a group of nothing')
  const { id, user } = first
  const began = Math.min(...own.map((session) => session.began))
  return { ...seenOn(own), id, user, began, clients: [], uid: undefined }
}

type Seen = Pick<LiveLogin, 'used' | 'source' | 'userAgent' | 'hosts' | 'sessions'>

const seenOn = (own: readonly BrowserSession[]): Seen => {
  const [latest] = own.toSorted((one, other) => other.used - one.used)
  return {
    used: latest?.used,
    source: latest?.source,
    userAgent: latest?.userAgent,
    hosts: [...new Set(own.map(({ host }) => host))].toSorted(),
    sessions: own.map(({ id }) => id),
  }
}
