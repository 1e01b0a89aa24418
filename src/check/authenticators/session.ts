// The `session` section, built.

import type { Authenticator } from '../../authenticate/authenticator.ts'
import { sessionAuthenticator } from '../../authenticate/session.ts'
import { BrowserSessions } from '../../authenticate/session/browser-sessions.ts'
import type { SessionConfig } from '../../config/session-schema.ts'
import type { AuthenticatorParts } from './parts.ts'

/** Builds an authenticator for the sessions of browsers. */
export const buildSession = (
  name: string,
  { remember }: SessionConfig,
  { memory, state, clock }: AuthenticatorParts,
): Authenticator => {
  const sessions = new BrowserSessions(state.records, state.keys, clock)
  return sessionAuthenticator({ name, sessions, remember, memory })
}
