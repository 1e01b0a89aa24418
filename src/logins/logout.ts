// Ends logins: the session at the authorization server, its sessions on routes, and every token that is looked up when it is
// used. A JWT that a client has already is refused on routes when every login of the user was ended (`RevocationMarks`);
// elsewhere it is valid until it expires.

import type { BrowserSessions } from './browser-sessions.ts'
import { SESSION_CLIENT } from './session-client.ts'
import type { LoginStore, StoredLogin } from './login-store.ts'
import type { UpstreamLogout } from './upstream-logout.ts'
import type { LiveLogin } from './live-logins.ts'

/**
 * Notifies a client of a logout (OpenID Connect Back-Channel Logout 1.0 §2.5). Never rejects: a client that is unavailable
 * does not keep a login from ending.
 */
export type NotifyClient = (client: string, user: string, sid: string) => Promise<void>

/** What ending needs. */
export interface LogoutParts {
  readonly records: LoginStore
  readonly sessions: BrowserSessions
  /** Revokes what upstream IdPs issued with logins. */
  readonly upstreamLogout: Pick<UpstreamLogout, 'end'>
  readonly notify: NotifyClient
}

/** Ends logins. */
export class Logout {
  readonly #parts: LogoutParts

  constructor(parts: LogoutParts) {
    this.#parts = parts
  }

  /**
   * Ends a login and all of its sessions. A session that was ended alone would begin again without a question, while the
   * login is active.
   */
  async endOne({ uid, sessions: ids }: Pick<LiveLogin, 'uid' | 'sessions'>): Promise<void> {
    const { records, sessions, upstreamLogout } = this.#parts
    if (uid !== undefined) await upstreamLogout.end(uid)
    const ended = uid === undefined ? undefined : await records.end(uid)
    // Sessions whose login at the authorization server is over are found by its uid.
    if (uid !== undefined) await sessions.endByUid(uid)
    if (ended !== undefined) await this.#endSessions(ended)
    await Promise.all(ids.map(async (id) => await sessions.end(id)))
    if (ended !== undefined) await this.#notify([ended])
  }

  /** Ends every login of a user, and all tokens, those for offline access and of devices too. */
  async endAll(user: string): Promise<void> {
    const { records, sessions } = this.#parts
    await this.#endUpstream(await records.list(user))
    const ended = await records.endUser(user)
    await Promise.all(ended.map(async (login) => await this.#endSessions(login)))
    await sessions.endUser(user) // also of logins that are over
    await this.#notify(ended)
  }

  /** Ends every login, and all tokens, of all users. */
  async endEverybody(): Promise<void> {
    const { records, sessions } = this.#parts
    await this.#endUpstream(await records.list())
    const ended = await records.endEverybody()
    await Promise.all(ended.map(async (login) => await this.#endSessions(login)))
    const all = await sessions.list()
    await Promise.all(all.map(async ({ id }) => await sessions.end(id)))
    // Last: other processes receive it later, and do not find deleted records even before.
    await records.revokeEverything()
    await this.#notify(ended)
  }

  async #endUpstream(logins: readonly StoredLogin[]): Promise<void> {
    const { upstreamLogout } = this.#parts
    await Promise.all(logins.map(async ({ uid }) => await upstreamLogout.end(uid)))
  }

  /** Also those that began since they were listed, or are just beginning. */
  async #endSessions({ clients }: StoredLogin): Promise<void> {
    const sid = clients.get(SESSION_CLIENT)
    if (sid !== undefined) await this.#parts.sessions.endLogin(sid)
  }

  async #notify(logins: readonly StoredLogin[]): Promise<void> {
    const { notify } = this.#parts
    const calls = logins.flatMap(({ user, clients }) =>
      [...clients]
        .filter(([client]) => client !== SESSION_CLIENT) // this process, which needs no notification
        .map(async ([client, sid]) => await notify(client, user, sid)),
    )
    await Promise.all(calls)
  }
}
