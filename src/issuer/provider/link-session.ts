// A login becomes the login of a session at the authorization server, and what it is checked again by is kept.

import type { KoaContextWithOIDC } from 'oidc-provider'
import type { Clock } from '../../runtime/clock.ts'
import { loginOfBrowser, setLogin } from './login-fields.ts'
import type { ProvenLogins, NewProvenLogin } from '../../logins/proven-logins.ts'

/** What of a login is remembered beside who it was, in the result of its interaction. */
export interface LoginResult {
  /** The id of the login. */
  readonly loginId: string
  /** A {@link NewProvenLogin}, in JSON. */
  readonly held: string
}

/** Writes it. */
export const loginResult = (loginId: string, proven: NewProvenLogin): LoginResult => ({
  loginId,
  held: JSON.stringify(proven),
})

/** Told of every authorization; does something for one with a login that was just made. */
export type LinkSession = (ctx: KoaContextWithOIDC) => Promise<void>

/** Settles logins, before anything is given out by them. */
export const linksSessions =
  (provenLogins: ProvenLogins, clock: Clock): LinkSession =>
  async (ctx) => {
    const { result, session } = ctx.oidc
    const login = loginOfBrowser(ctx)
    if (result?.login === undefined || session === undefined || login === undefined) return
    setLogin(session, { login })
    const text = result['held']
    if (typeof text !== 'string') return
    const given: NewProvenLogin = JSON.parse(text) // ours: `loginResult` wrote it
    await provenLogins.put(login, { ...given, session: session.uid }, clock.now())
  }
