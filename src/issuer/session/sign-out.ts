// Ending logins for good: the session of the browser at the authorization server, its sessions on our
// routes, and every token that is looked up before it is good. A JWT that a client has already is refused
// on our own routes where everything of the person ended (`SignOuts`), and good until it expires elsewhere.

import type { BrowserSessions } from '../../logins/browser-sessions.ts'
import { SESSION_CLIENT } from '../../check/answer/login-redirect.ts'
import type { LoginRecords, StoredLogin } from '../authorization/login-records.ts'
import type { Farewell } from '../login/provider/farewell.ts'
import type { LiveLogin } from './logins.ts'

/**
 * Tells a client that somebody has logged out (OpenID Connect Back-Channel Logout 1.0 §2.5). Never
 * rejects: a client that cannot be told keeps nobody logged in here.
 */
export type TellClient = (client: string, user: string, sid: string) => Promise<void>

/** What ending needs. */
export interface SignOutParts {
  readonly records: LoginRecords
  readonly sessions: BrowserSessions
  /** Ends what providers of others gave with logins. */
  readonly farewell: Pick<Farewell, 'end'>
  readonly tell: TellClient
}

/** Signs people out. */
export class SignOut {
  readonly #parts: SignOutParts

  constructor(parts: SignOutParts) {
    this.#parts = parts
  }

  /**
   * Ends a login and its sessions. All of them: a session that was ended alone would be back without a
   * question, while the login lives.
   */
  async endOne({ uid, sessions: ids }: Pick<LiveLogin, 'uid' | 'sessions'>): Promise<void> {
    const { records, sessions, farewell } = this.#parts
    if (uid !== undefined) await farewell.end(uid)
    const ended = uid === undefined ? undefined : await records.end(uid)
    // Those whose login at the authorization server is over are found by who vouched for it.
    if (uid !== undefined) await sessions.endVouched(uid)
    if (ended !== undefined) await this.#endSessions(ended)
    await Promise.all(ids.map(async (id) => await sessions.end(id)))
    if (ended !== undefined) await this.#tell([ended])
  }

  /** Ends every login of a user, and all tokens, those for offline access and of devices too. */
  async endAll(user: string): Promise<void> {
    const { records, sessions } = this.#parts
    await this.#sayFarewell(await records.list(user))
    const ended = await records.endUser(user)
    await Promise.all(ended.map(async (login) => await this.#endSessions(login)))
    await sessions.endUser(user) // also of logins that are over
    await this.#tell(ended)
  }

  /** Ends every login, and all tokens, of everybody. */
  async endEverybody(): Promise<void> {
    const { records, sessions } = this.#parts
    await this.#sayFarewell(await records.list())
    const ended = await records.endEverybody()
    await Promise.all(ended.map(async (login) => await this.#endSessions(login)))
    const all = await sessions.list()
    await Promise.all(all.map(async ({ id }) => await sessions.end(id)))
    // Last: other processes learn of it a moment later, and what is not there they do not find at once.
    await records.revokeEverything()
    await this.#tell(ended)
  }

  async #sayFarewell(logins: readonly StoredLogin[]): Promise<void> {
    const { farewell } = this.#parts
    await Promise.all(logins.map(async ({ uid }) => await farewell.end(uid)))
  }

  /** Also those that began since they were listed, or are just beginning. */
  async #endSessions({ clients }: StoredLogin): Promise<void> {
    const sid = clients.get(SESSION_CLIENT)
    if (sid !== undefined) await this.#parts.sessions.endLogin(sid)
  }

  async #tell(logins: readonly StoredLogin[]): Promise<void> {
    const { tell } = this.#parts
    const calls = logins.flatMap(({ user, clients }) =>
      [...clients]
        .filter(([client]) => client !== SESSION_CLIENT) // we, who know already
        .map(async ([client, sid]) => await tell(client, user, sid)),
    )
    await Promise.all(calls)
  }
}
