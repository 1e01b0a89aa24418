// How many sessions there are, for metrics: counted by the store, which knows the sets and not what is in them.

import type { RecordStore } from '../state/record-store.ts'
import { BROWSER_SESSIONS } from './browser-sessions.ts'
import { DEVICE_CODES, GRANTS, LOGINS } from './login-store.ts'

/**
 * What is counted: sessions of browsers on routes (`browser`), sessions at the OpenID provider with a login (`login`), grants of
 * clients, each with its refresh tokens (`grant`), device codes that wait for their user (`device-code`).
 */
export const SESSION_KINDS = ['browser', 'login', 'grant', 'device-code'] as const

/** One of {@link SESSION_KINDS}. */
export type SessionKind = (typeof SESSION_KINDS)[number]

const SETS: Readonly<Record<SessionKind, string>> = {
  browser: BROWSER_SESSIONS,
  login: LOGINS,
  grant: GRANTS,
  'device-code': DEVICE_CODES,
}

/**
 * The number of each kind that has not ended; without those that the store does not permit to count.
 *
 * @throws CountersignError `unavailable` when the store does not answer
 */
export const countSessions = async (
  records: Pick<RecordStore, 'countIn'>,
): Promise<ReadonlyMap<SessionKind, number>> => {
  const counts = new Map<SessionKind, number>()
  for (const kind of SESSION_KINDS) {
    const count = await records.countIn(SETS[kind])
    if (count !== undefined) counts.set(kind, count)
  }
  return counts
}
