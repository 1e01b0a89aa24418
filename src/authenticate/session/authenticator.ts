// The session of a browser, by its cookie. A browser without one is redirected to log in (check/answer/login-redirect.ts).

import { textsIn } from '../../runtime/json-object.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { ProvenCredential } from '../../identity/identity.ts'
import { presentedId } from '../../identity/presented-credential.ts'
import { cookiesNamed, OWN_COOKIES } from '../../request/cookies.ts'
import { shared } from '../../runtime/shared.ts'
import type { Authentication, Authenticator } from '../authenticator.ts'
import type { CredentialLocation } from '../../request/credential-location.ts'
import { fingerprintOf, type CredentialCache } from '../credential-cache.ts'
import type { BrowserSession, BrowserSessions } from '../../logins/browser-sessions.ts'
import type { LoginStatusLookup } from '../../logins/status.ts'

/** The cookie. */
export const SESSION_COOKIE = OWN_COOKIES

/** The options of a session authenticator. */
export interface SessionOptions {
  /** Its name in the configuration. */
  readonly name: string
  readonly sessions: Pick<BrowserSessions, 'find'>
  /** For how long a session is not looked up again, in milliseconds. */
  readonly cacheTtl: number
  /** How long one request by a session may last, in milliseconds. */
  readonly stream: number
  readonly cache: CredentialCache
  readonly statusOf: LoginStatusLookup
  readonly clock: Clock
}

/** The cookie of a session. */
export const SESSION_LOCATION: CredentialLocation = { kind: 'cookie', name: SESSION_COOKIE }

/** Makes an authenticator for the sessions of browsers. */
export const sessionAuthenticator = (options: SessionOptions): Authenticator => {
  const { name, cache, cacheTtl } = options
  return {
    name,
    // A challenge would make browsers prompt for a password; the redirect to the login page is not a challenge.
    challenges: [],
    locations: [SESSION_LOCATION],
    authenticate(request, signal) {
      const presented = cookiesNamed(request.headers, SESSION_COOKIE)
      const [text] = presented
      if (text === undefined) return { outcome: 'not-applicable' }
      if (presented.length > 1) return { outcome: 'rejected', code: 'credential-malformed' }
      // A cookie is valid on its own host only, whatever a proxy does with it.
      const key = cache.keyOf(request.host, text)
      const credential = cache.get(key)
      if (credential !== undefined) return { outcome: 'authenticated', credential }
      return shared(
        () => cache.getOrVerify(key, cacheTtl, () => find(options, request.host, text)),
        signal,
      )
    },
  }
}

const find = async (
  options: SessionOptions,
  host: string,
  text: string,
): Promise<Authentication> => {
  const { cache } = options
  const session = await activeSession(options, host, text)
  if (session === undefined) return { outcome: 'rejected', code: 'session-ended' }
  return {
    outcome: 'authenticated',
    credential: credentialOf(session, fingerprintOf(cache.keyOf(host, text)), options.stream),
  }
}

/** The session on that host, if its login is active; a login whose recheck is due is checked first. */
const activeSession = async (
  { sessions, statusOf, clock }: SessionOptions,
  host: string,
  text: string,
): Promise<BrowserSession | undefined> => {
  const session = await sessions.find(text)
  if (session?.host !== host) return undefined
  const { renewal } = session
  if (renewal === undefined || clock.now() < renewal.from) return session
  if ((await statusOf(renewal.login)) === 'ended') return undefined
  if (clock.now() < renewal.by) return session
  // The recheck may have changed the session.
  const renewed = await sessions.find(text)
  return renewed?.renewal !== undefined && clock.now() < renewed.renewal.by ? renewed : undefined
}

const credentialOf = (
  { id, loginId, user, claims, ends }: BrowserSession,
  digest: string,
  requestLimit: number,
): ProvenCredential => {
  const { groups, amr, auth_time: time } = claims
  return {
    method: 'session',
    digest,
    user,
    groups: textsIn(groups),
    extra: {},
    claims,
    presented: { ...presentedId(id, true), ...(loginId === undefined ? {} : { login: loginId }) },
    expires: ends,
    requestLimit,
    ...(typeof time === 'number' ? { authenticatedAt: time * 1_000 } : {}),
    ...(textsIn(amr).length > 0 ? { methods: textsIn(amr) } : {}),
  }
}
