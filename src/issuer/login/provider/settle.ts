// A login becomes a session at the authorization server: from here on what a provider of others gave us
// with it is found by that session.

import type { KoaContextWithOIDC } from 'oidc-provider'
import type { Clock } from '../../../runtime/clock.ts'
import type { HeldLogin, HeldLogins } from './held-logins.ts'

/** What of a login is remembered beside who it was, in the result of its interaction. */
export interface HeldResult {
  /** A {@link HeldLogin}, in JSON. */
  readonly held?: string
}

/** Writes it. */
export const heldResult = (login: HeldLogin | undefined): HeldResult =>
  login === undefined ? {} : { held: JSON.stringify(login) }

/** Told of every authorization; does something for one with a login that was just made. */
export type SettleLogin = (ctx: KoaContextWithOIDC) => Promise<void>

/** Settles logins, before anything is given out by them. */
export const settlesLogins =
  (held: HeldLogins, clock: Clock): SettleLogin =>
  async ({ oidc: { result, session } }) => {
    if (result?.login === undefined || session === undefined) return
    const text = result['held']
    // Nothing vouches for a login by a password, whatever the browser had before.
    if (typeof text !== 'string') return await held.forget(session.uid)
    const login: HeldLogin = JSON.parse(text) // ours: `heldResult` wrote it
    await held.put(session.uid, login, clock.now())
  }
