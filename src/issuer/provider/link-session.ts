// Links a login to the session at the authorization server, and stores what its recheck needs.

import type { KoaContextWithOIDC } from 'oidc-provider'
import type { Clock } from '../../runtime/clock.ts'
import { loginOfBrowser, setLogin } from './login-fields.ts'
import type { ProvenLogins, NewProvenLogin } from '../../logins/proven-logins.ts'
import { parseJson } from '../../runtime/strict-json.ts'

/** What the result of an interaction has in addition to the account. */
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

/** Called for every authorization; links a login that was just made. */
export type LinkSession = (ctx: KoaContextWithOIDC) => Promise<void>

/** Links logins to sessions, before anything is issued in them. */
export const linksSessions =
  (provenLogins: ProvenLogins, clock: Clock): LinkSession =>
  async (ctx) => {
    const { result, session } = ctx.oidc
    const login = loginOfBrowser(ctx)
    if (result?.login === undefined || session === undefined || login === undefined) return
    setLogin(session, { login })
    const text = result['held']
    if (typeof text !== 'string') return
    const given: NewProvenLogin = parseJson(text) // written by this process: `loginResult` wrote it
    await provenLogins.put(login, { ...given, session: session.uid }, clock.now())
  }
