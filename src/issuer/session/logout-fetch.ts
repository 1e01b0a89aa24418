// How the authorization server tells clients of logouts (OpenID Connect Back-Channel Logout 1.0 §2.5).
// What is for our own routes stays here, since it is we who would be asked.

import type { BrowserSessions } from '../../logins/browser-sessions.ts'
import { claimsIn } from './login-return.ts'
import { BACKCHANNEL_PATH } from './session-client.ts'

/**
 * Without the provider's dispatcher, which breaks off connections to private addresses: the operator
 * wrote down where clients are told, and in a cluster all of them are there.
 */
const toAnywhere = (init: RequestInit = {}): RequestInit => {
  const { method, headers, body, signal } = init
  return {
    ...(method === undefined ? {} : { method }),
    ...(headers === undefined ? {} : { headers }),
    ...(body === undefined ? {} : { body }),
    ...(signal === undefined ? {} : { signal }),
    redirect: 'error',
  }
}

/** The `fetch` of the authorization server of that URL. */
export const logoutFetch = (
  issuer: string,
  sessions: Pick<BrowserSessions, 'endLogin'>,
): typeof globalThis.fetch => {
  const own = new URL(BACKCHANNEL_PATH, issuer).href
  return async (input, init) => {
    if (input !== own) return await globalThis.fetch(input, toAnywhere(init))
    const form = init?.body
    const token = form instanceof URLSearchParams ? (form.get('logout_token') ?? '') : ''
    const sid = claimsIn(token)?.['sid']
    if (typeof sid === 'string') await sessions.endLogin(sid)
    return new Response(null, { status: 200 })
  }
}
