// Sessions of browsers: who has logged in stays here, and the browser holds nothing but a long random
// text. So no group list can be too long for a cookie, and whatever ends here has ended.

import { randomBytes } from 'node:crypto'
import type { Claims } from '../../identity/identity.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { OpaqueKeys } from '../../state/opaque-keys.ts'
import type { RecordStore } from '../../state/record-store.ts'

/** Who has logged in, and where from. Instants are milliseconds since the epoch. */
export interface BrowserSession {
  /** Names the session, and is not what its cookie holds. */
  readonly id: string
  readonly user: string
  /** Of the ID token that the login ended with. */
  readonly claims: Claims
  /** The session at the authorization server (`sid`): when that ends, this does. */
  readonly login: string | undefined
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
  readonly #records: RecordStore
  readonly #keys: OpaqueKeys
  readonly #clock: Clock

  constructor(records: RecordStore, keys: OpaqueKeys, clock: Clock) {
    this.#records = records
    this.#keys = keys
    this.#clock = clock
  }

  /** Begins a session; what its cookie is to hold. */
  async begin(session: NewSession): Promise<string> {
    const text = randomBytes(BYTES).toString('base64url')
    const now = this.#clock.now()
    const id = this.#idOf(text)
    await this.#write({ ...session, id, began: now, used: now })
    return text
  }

  /**
   * The session of a cookie; `undefined` where it has ended, or never was.
   *
   * @throws CountersignError `unavailable` when it cannot be known
   */
  async find(text: string): Promise<BrowserSession | undefined> {
    if (!TEXT.test(text)) return undefined
    const key = keyOf(this.#idOf(text))
    const record = await this.#records.get(key)
    if (record === undefined) return undefined
    const session: BrowserSession = JSON.parse(record.text) // ours: `#write` wrote it
    const now = this.#clock.now()
    if (now >= session.ends) return undefined
    if (now - session.used >= session.idle / TOUCHES_PER_IDLE) {
      const touched = { ...session, used: now }
      // Whoever loses against another, or against the end of the session, has nothing to add.
      await this.#records.replace(key, record.text, recordOf(touched, now))
    }
    return session
  }

  /** Every session, or those of a user; the latest first. */
  async list(user?: string): Promise<readonly BrowserSession[]> {
    const keys = await this.#records.keysIn(user === undefined ? ALL : ofUser(user))
    const records = await Promise.all(keys.map((key) => this.#records.get(key)))
    return records
      .flatMap((record): readonly BrowserSession[] =>
        record === undefined ? [] : [JSON.parse(record.text)],
      )
      .toSorted((one, other) => other.began - one.began)
  }

  /** Ends the session of a cookie. */
  async endText(text: string): Promise<void> {
    if (TEXT.test(text)) await this.end(this.#idOf(text))
  }

  /** Ends a session by its id; whether there was one. */
  async end(id: string): Promise<boolean> {
    return (await this.#records.take(keyOf(id))) !== undefined
  }

  /** Ends all sessions of a user. How many there were. */
  async endUser(user: string): Promise<number> {
    return await this.#endAll(ofUser(user))
  }

  /** Ends all that began with a session at the authorization server. How many there were. */
  async endLogin(login: string): Promise<number> {
    return await this.#endAll(ofLogin(login))
  }

  async #endAll(index: string): Promise<number> {
    const keys = await this.#records.keysIn(index)
    await this.#records.remove(keys)
    return keys.length
  }

  async #write(session: BrowserSession): Promise<void> {
    const { id, user, login, began } = session
    const indexes = [ALL, ofUser(user), ...(login === undefined ? [] : [ofLogin(login)])]
    await this.#records.put(keyOf(id), recordOf(session, began), indexes)
  }

  /** A keyed hash: whoever can list sessions has no cookie by it. */
  #idOf(text: string): string {
    return this.#keys.of('browser-session', text)
  }
}

const ALL = 'browser-sessions'
const ofUser = (user: string): string => `browser-sessions of user ${user}`
const ofLogin = (login: string): string => `browser-sessions of login ${login}`
const keyOf = (id: string): string => `browser-session ${id}`

const recordOf = (session: BrowserSession, now: number) => ({
  text: JSON.stringify(session),
  lifetime: Math.max(1, Math.floor(Math.min(session.idle, session.ends - now))),
})
