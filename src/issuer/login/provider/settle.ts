// A login becomes the login of a session at the authorization server, and what it is checked again by is kept.

import type { KoaContextWithOIDC } from 'oidc-provider'
import type { Clock } from '../../../runtime/clock.ts'
import { loginOfBrowser, setLogin } from '../../authorization/login-fields.ts'
import type { HeldLogins, NewHeldLogin } from './held-logins.ts'

/** What of a login is remembered beside who it was, in the result of its interaction. */
export interface LoginResult {
  /** The id of the login. */
  readonly loginId: string
  /** A {@link NewHeldLogin}, in JSON. */
  readonly held: string
}

/** Writes it. */
export const loginResult = (loginId: string, held: NewHeldLogin): LoginResult => ({
  loginId,
  held: JSON.stringify(held),
})

/** Told of every authorization; does something for one with a login that was just made. */
export type SettleLogin = (ctx: KoaContextWithOIDC) => Promise<void>

/** Settles logins, before anything is given out by them. */
export const settlesLogins =
  (held: HeldLogins, clock: Clock): SettleLogin =>
  async (ctx) => {
    const { result, session } = ctx.oidc
    const login = loginOfBrowser(ctx)
    if (result?.login === undefined || session === undefined || login === undefined) return
    setLogin(session, { login })
    const text = result['held']
    if (typeof text !== 'string') return
    const given: NewHeldLogin = JSON.parse(text) // ours: `loginResult` wrote it
    await held.put(login, { ...given, session: session.uid }, clock.now())
  }
