// Sessions of browsers, kept in `state`. The cookie is a long random text alone: a list of groups cannot be too long for
// it, and a session that is ended here has ended.

import { randomBytes } from 'node:crypto'
import type { Claims } from '../identity/claims.ts'
import type { Clock } from '../runtime/clock.ts'
import type { DerivedKeys } from '../state/derived-keys.ts'
import type { RevocableRecords } from '../state/record-store.ts'
import { revocationName } from './revocation-marks.ts'
import { parseJson } from '../runtime/strict-json.ts'

/** The session of a browser on the host of a route. Instants are milliseconds since the epoch. */
export interface BrowserSession {
  /** Names the session, and is not what its cookie holds. */
  readonly id: string
  readonly user: string
  /** Of the ID token that the login ended with. */
  readonly claims: Claims
  /** The session at the authorization server (`sid`): when that ends, this does. */
  readonly login: string | undefined
  /** The login, as the audit log names it. */
  readonly loginId?: string
  /** The host whose cookie it is. */
  readonly host: string
  readonly source: string
  readonly userAgent: string
  readonly began: number
  /** The last time that it was used; some minutes less exact than that sounds. */
  readonly used: number
  /** When it ends however much it is used. */
  readonly ends: number
  /** For how long it may be unused, in milliseconds. */
  readonly idle: number
  /** Absent where its login is not checked again. */
  readonly renewal?: SessionRenewal
}

/** When the login of a session is checked again. Instants as in the session. */
export interface SessionRenewal {
  /** The session at the authorization server. */
  readonly uid: string
  /** The login in that session. */
  readonly login: string
  /** From here on. */
  readonly from: number
  /** Until here; afterwards the session is valid only once the login was checked. */
  readonly by: number
}

/** What a check of the login changes. */
export type RenewedSession = Pick<BrowserSession, 'claims'> & {
  readonly renewal: SessionRenewal
}

/** What a session begins with. */
export type NewSession = Omit<BrowserSession, 'id' | 'began' | 'used'>

// 256 bits, base64url.
const BYTES = 32
const TEXT = /^[A-Za-z0-9_-]{43}$/

// How often it is written down that a session is used: the idle time is so much shorter at worst.
const TOUCHES_PER_IDLE = 20

/** All sessions there are. */
export class BrowserSessions {
  readonly #records: RevocableRecords
  readonly #keys: DerivedKeys
  readonly #clock: Clock

  constructor(records: RevocableRecords, keys: DerivedKeys, clock: Clock) {
    this.#records = records
    this.#keys = keys
    this.#clock = clock
  }

  /**
   * Begins a session; returns the text of its cookie. `undefined` where its login has just been ended: that request may
   * have listed the sessions before this one began.
   */
  async begin(session: NewSession): Promise<string | undefined> {
    const text = randomBytes(BYTES).toString('base64url')
    const now = this.#clock.now()
    const id = this.#idOf(text)
    await this.#write({ ...session, id, began: now, used: now })
    // After writing: a request that ends a login marks it before it lists sessions.
    if (!(await this.#isEnded(session))) return text
    await this.end(id)
    return undefined
  }

  /**
   * The session of a cookie; `undefined` where it has ended, or never was.
   *
   * @throws CountersignError `unavailable` when it is undetermined
   */
  async find(text: string): Promise<BrowserSession | undefined> {
    if (!TEXT.test(text)) return undefined
    const key = keyOf(this.#idOf(text))
    const record = await this.#records.get(key)
    if (record === undefined) return undefined
    const session: BrowserSession = parseJson(record.text) // written by this process: `#write` wrote it
    const now = this.#clock.now()
    // Not by the lifetime of the record alone: who can write the store can make that longer.
    if (now >= Math.min(session.ends, session.used + session.idle)) return undefined
    if (this.#isRevoked(session)) return undefined
    if (now - session.used >= session.idle / TOUCHES_PER_IDLE) {
      const touched = { ...session, used: now }
      // When another request replaced or ended the session first, nothing is to be added.
      await this.#records.replace(key, record.text, recordOf(touched, now))
    }
    return session
  }

  /** Every session, or those of a user; the latest first. */
  async list(user?: string): Promise<readonly BrowserSession[]> {
    const keys = await this.#records.keysIn(user === undefined ? BROWSER_SESSIONS : ofUser(user))
    const records = await Promise.all(keys.map((key) => this.#records.get(key)))
    return records
      .flatMap((record): readonly BrowserSession[] =>
        record === undefined ? [] : [parseJson(record.text)],
      )
      .toSorted((one, other) => other.began - one.began)
  }

  /** Ends the session of a cookie. */
  async endText(text: string): Promise<void> {
    if (TEXT.test(text)) await this.end(this.#idOf(text))
  }

  /** Ends a session by its id; whether there was one. */
  async end(id: string): Promise<boolean> {
    const key = keyOf(id)
    // What never was is not revoked: a browser can show any text.
    if ((await this.#records.get(key)) === undefined) return false
    await this.#records.revoke([key])
    return true
  }

  /** Ends all sessions of a user. How many there were. */
  async endUser(user: string): Promise<number> {
    return await this.#endAll(ofUser(user))
  }

  /** Ends all that began with a session at the authorization server. How many there were. */
  async endLogin(login: string): Promise<number> {
    return await this.#endForGood(ofLogin(login))
  }

  /** Ends all sessions of a login that has ended, by its uid. Returns their number. */
  async endByUid(uid: string): Promise<number> {
    return await this.#endForGood(vouchedBy(uid))
  }

  /** Changes all of a login. */
  async renew(
    { uid, login }: Pick<SessionRenewal, 'uid' | 'login'>,
    renewed: (session: BrowserSession) => RenewedSession,
  ): Promise<void> {
    const keys = await this.#records.keysIn(vouchedBy(uid))
    await Promise.all(keys.map(async (key) => await this.#change(key, login, renewed)))
  }

  /** Again where it was used meanwhile, which changes it too. */
  async #change(
    key: string,
    login: string,
    renewed: (session: BrowserSession) => RenewedSession,
  ): Promise<void> {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const record = await this.#records.get(key)
      if (record === undefined) return
      const session: BrowserSession = parseJson(record.text) // written by this process: `#write` wrote it
      if (session.renewal?.login !== login) return
      const text = JSON.stringify({ ...session, ...renewed(session) })
      const { lifetime } = record
      if (await this.#records.replace(key, record.text, { text, lifetime })) return
    }
    await this.#records.revoke([key]) // no session is better than an outdated one
  }

  /** Whether it was ended with its user or its login, also when its record was hidden in the store meanwhile. */
  #isRevoked(session: BrowserSession): boolean {
    const { user, began } = session
    const signedOut = this.#records.revokedAt(revocationName(user)) ?? 0
    if (began <= signedOut) return true
    return basesOf(session).some((index) => this.#records.revokedAt(index) !== undefined)
  }

  async #endForGood(index: string): Promise<number> {
    await this.#records.revoke([index])
    await this.#records.put(endedKey(index), { text: '', kind: 'decisive', lifetime: ENDED_MS })
    return await this.#endAll(index)
  }

  async #isEnded(session: NewSession): Promise<boolean> {
    const marks = await Promise.all(
      basesOf(session).map(async (index) => await this.#records.get(endedKey(index))),
    )
    return marks.some((mark) => mark !== undefined)
  }

  async #endAll(index: string): Promise<number> {
    const keys = await this.#records.keysIn(index)
    await this.#records.revoke(keys)
    return keys.length
  }

  async #write(session: BrowserSession): Promise<void> {
    const { id, user, began } = session
    const indexes = [BROWSER_SESSIONS, ofUser(user), ...basesOf(session)]
    await this.#records.put(keyOf(id), { ...recordOf(session, began), kind: 'login' }, indexes)
  }

  /** A keyed hash: a list of sessions reveals no cookie. */
  #idOf(text: string): string {
    return this.#keys.of('browser-session', text)
  }
}

const MOST_TRIES = 5

/** The set of all browser sessions. */
export const BROWSER_SESSIONS = 'browser-sessions'
const ofUser = (user: string): string => `browser-sessions of user ${user}`
const ofLogin = (login: string): string => `browser-sessions of login ${login}`
const vouchedBy = (uid: string): string => `browser-sessions that are renewed by ${uid}`
const keyOf = (id: string): string => `browser-session ${id}`
const endedKey = (index: string): string => `ended: ${index}`

// Longer than it takes to come back from a login.
const ENDED_MS = 600_000

/** What a session ends with, as the set of all that do. */
const basesOf = ({ login, renewal }: Pick<NewSession, 'login' | 'renewal'>): readonly string[] => [
  ...(login === undefined ? [] : [ofLogin(login)]),
  ...(renewal === undefined ? [] : [vouchedBy(renewal.uid)]),
]

const recordOf = (session: BrowserSession, now: number) => ({
  text: JSON.stringify(session),
  lifetime: Math.max(1, Math.floor(Math.min(session.idle, session.ends - now))),
})
