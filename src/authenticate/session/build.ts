// The `session` section, built.

import type { Authenticator } from '../authenticator.ts'
import { SESSION_LOCATION, sessionAuthenticator } from './authenticator.ts'
import { sameOriginOnly } from './same-origin.ts'
import { BrowserSessions } from '../../logins/browser-sessions.ts'
import { sessionSchema, type SessionConfig } from './schema.ts'
import type { AuthenticatorKind } from '../kind.ts'
import type { AuthenticatorParts } from '../parts.ts'

/** Builds an authenticator for the sessions of browsers. */
const buildSession = (
  name: string,
  { cacheTtl, maxStreamDuration, origins }: SessionConfig,
  { credentialCache: cache, state, loginStatus, clock }: AuthenticatorParts,
): Authenticator => {
  const sessions = new BrowserSessions(state.records, state.keys, clock)
  const { login: statusOf } = loginStatus
  const options = {
    name,
    sessions,
    cacheTtl,
    stream: maxStreamDuration,
    cache,
    statusOf,
    clock,
  }
  return sameOriginOnly(sessionAuthenticator(options), new Set(origins))
}

/** The kind `session`. */
export const session = {
  schema: sessionSchema,
  subject: 'claims',
  method: 'session',
  proves: ['claims'],
  locations: () => [SESSION_LOCATION],
  build: buildSession,
} as const satisfies AuthenticatorKind<SessionConfig>
