// How the provider sends logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.5). Those for the session client end
// sessions in this process and leave it through no socket.

import { withoutQuery } from '../../runtime/request-durations.ts'
import { tracedRequest } from '../../runtime/tracing/span.ts'
import type { BrowserSessions } from '../../logins/browser-sessions.ts'
import { idTokenClaims } from '../http/id-token-claims.ts'
import { BACKCHANNEL_PATH } from './session-client.ts'

/**
 * The global `fetch`, without the provider's dispatcher, which closes connections to private addresses. The operator
 * configures where clients are notified, and in a cluster all of them have private addresses.
 */
export const directFetch: typeof globalThis.fetch = async (input, init = {}) => {
  const { method, headers, body, signal } = init
  const request = {
    ...(method === undefined ? {} : { method }),
    ...(headers === undefined ? {} : { headers }),
    ...(body === undefined ? {} : { body }),
    ...(signal === undefined ? {} : { signal }),
    redirect: 'error',
  } as const
  const url = input instanceof Request ? input.url : String(input)
  return await tracedRequest(
    'client',
    { 'countersign.server': withoutQuery(url) },
    async () => await globalThis.fetch(input, request),
  )
}

/** The `fetch` of the authorization server of that URL. */
export const logoutFetch = (
  issuer: string,
  sessions: Pick<BrowserSessions, 'endLogin'>,
): typeof globalThis.fetch => {
  const own = new URL(BACKCHANNEL_PATH, issuer).href
  return async (input, init) => {
    if (input !== own) return await directFetch(input, init)
    const form = init?.body
    const token = form instanceof URLSearchParams ? (form.get('logout_token') ?? '') : ''
    const sid = idTokenClaims(token)?.['sid']
    if (typeof sid === 'string') await sessions.endLogin(sid)
    return new Response(null, { status: 200 })
  }
}
