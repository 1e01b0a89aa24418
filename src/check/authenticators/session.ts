// The `session` section, built.

import type { Authenticator } from '../../authenticate/authenticator.ts'
import { sessionAuthenticator } from '../../authenticate/session.ts'
import { ownPagesOnly } from '../../authenticate/session/own-pages.ts'
import { BrowserSessions } from '../../authenticate/session/browser-sessions.ts'
import type { SessionConfig } from '../../config/session-schema.ts'
import type { AuthenticatorParts } from './parts.ts'

/** Builds an authenticator for the sessions of browsers. */
export const buildSession = (
  name: string,
  { remember, stream, origins }: SessionConfig,
  { memory, state, standings, clock }: AuthenticatorParts,
): Authenticator => {
  const sessions = new BrowserSessions(state.records, state.keys, clock)
  const { login: askStanding } = standings
  const options = { name, sessions, remember, stream, memory, askStanding, clock }
  return ownPagesOnly(sessionAuthenticator(options), new Set(origins))
}
