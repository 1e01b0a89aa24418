// The session of a browser, by its cookie. Whoever shows none can log in; see check/login-redirect.ts.

import { textsIn } from '../runtime/json-object.ts'
import type { Facts } from '../identity/identity.ts'
import { cookiesNamed, OWN_COOKIES } from '../request/cookies.ts'
import { abandonable } from './abandonable.ts'
import type { Authentication, Authenticator } from './authenticator.ts'
import type { Carrier } from './carrier.ts'
import { fingerprintOf, type FactMemory } from './facts.ts'
import type { BrowserSession, BrowserSessions } from './session/browser-sessions.ts'

/** The cookie. */
export const SESSION_COOKIE = OWN_COOKIES

/** What a session authenticator needs. */
export interface SessionOptions {
  /** Its name in the configuration. */
  readonly name: string
  readonly sessions: Pick<BrowserSessions, 'find'>
  /** For how long a session that was looked up is not looked up again, in milliseconds. */
  readonly remember: number
  readonly memory: FactMemory
}

const CARRIER: Carrier = { kind: 'cookie', name: SESSION_COOKIE }

/** Makes an authenticator for the sessions of browsers. */
export const sessionAuthenticator = (options: SessionOptions): Authenticator => {
  const { name, memory, remember } = options
  return {
    name,
    // Browsers would ask for a password themselves; what they do instead, no challenge can say.
    challenges: [],
    carriers: [CARRIER],
    async authenticate(request, signal) {
      const shown = cookiesNamed(request.headers, SESSION_COOKIE)
      const [text] = shown
      if (text === undefined) return { outcome: 'not-applicable' }
      if (shown.length > 1) return { outcome: 'rejected', code: 'credential-malformed' }
      // A cookie is good on its own host only, whatever a proxy does with it.
      const key = memory.keyOf(request.host, text)
      const facts = memory.recall(key)
      if (facts !== undefined) return { outcome: 'authenticated', facts }
      signal.throwIfAborted()
      const proof = memory.proofOf(key, remember, () => find(options, request.host, text))
      return await abandonable(proof, signal)
    },
  }
}

const find = async (
  { sessions, memory }: SessionOptions,
  host: string,
  text: string,
): Promise<Authentication> => {
  const session = await sessions.find(text)
  if (session?.host !== host) return { outcome: 'rejected', code: 'session-ended' }
  return {
    outcome: 'authenticated',
    facts: factsOf(session, fingerprintOf(memory.keyOf(host, text))),
  }
}

const factsOf = ({ user, claims, ends }: BrowserSession, credential: string): Facts => {
  const { groups, amr, auth_time: time } = claims
  return {
    method: 'session',
    credential,
    user,
    groups: textsIn(groups),
    extra: {},
    claims,
    expires: ends,
    ...(typeof time === 'number' ? { authenticatedAt: time * 1_000 } : {}),
    ...(textsIn(amr).length > 0 ? { methods: textsIn(amr) } : {}),
  }
}
