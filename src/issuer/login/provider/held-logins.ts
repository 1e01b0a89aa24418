// What providers of others gave us with the logins of our people: by it we ask them again, say there who
// logs out, and know whom they mean. Nobody else ever sees it.

import type { RecordStore } from '../../../state/record-store.ts'
import { artifactIndexes } from '../../authorization/login-records.ts'
import type { ProviderStatement } from './foreign-provider.ts'

/** A login that a provider stands by. Instants are milliseconds since the epoch. */
export interface HeldLogin {
  /** The provider, by its id. */
  readonly provider: string
  /** The session at the authorization server that it was made in, by its uid. */
  readonly session: string
  /** Who it is here: `sub` of our tokens. */
  readonly user: string
  /** Of its latest ID token. */
  readonly signed: ProviderStatement['signed']
  /** Says there who logs out (`id_token_hint`). */
  readonly idToken: string
  /** Absent where the provider is not asked again: it stands by the login until that ends. */
  readonly renewal?: Renewal
  /** When the login ends in any case. */
  readonly ends: number
  /** Whether it is over already: then nothing that was given out by it is good any more. */
  readonly ended?: true
}

/** A login that has no session yet. */
export type NewHeldLogin = Omit<HeldLogin, 'session'>

/** When, and with what, a provider is asked again. */
export interface Renewal {
  readonly refreshToken: string
  /** From here on. */
  readonly from: number
  /** Until here, or nobody knows whether it still stands by the login. */
  readonly by: number
}

/** A login as it stands. */
export interface StandingLogin {
  readonly held: HeldLogin
  /** What {@link HeldLogins.replace} compares. */
  readonly text: string
}

/** They are kept by the id of the login (`login-fields.ts`): a session can see several. */
export class HeldLogins {
  readonly #records: RecordStore

  constructor(records: RecordStore) {
    this.#records = records
  }

  /** Writes what is held of a login. */
  async put(login: string, held: HeldLogin, now: number): Promise<void> {
    const { provider, session, signed, user } = held
    const { sub, sid } = signed
    await this.#records.put(keyOf(login), { ...recordOf(held, now), kind: 'login' }, [
      ...artifactIndexes(user),
      inSession(session),
      ofSubject(provider, sub),
      ...(typeof sid === 'string' ? [ofSession(provider, sid)] : []),
    ])
  }

  async find(login: string): Promise<StandingLogin | undefined> {
    const record = await this.#records.get(keyOf(login))
    if (record === undefined) return undefined
    const held: HeldLogin = JSON.parse(record.text) // ours: `put` or `replace` wrote it
    return { held, text: record.text }
  }

  /** Writes in place of what it was, if it is that still. */
  async replace(
    login: string,
    { text }: StandingLogin,
    held: HeldLogin,
    now: number,
  ): Promise<StandingLogin | undefined> {
    const record = recordOf(held, now)
    const done = await this.#records.replace(keyOf(login), text, record)
    return done ? { held, text: record.text } : undefined
  }

  /** What is held of the latest login in a session. */
  async latestIn(uid: string): Promise<HeldLogin | undefined> {
    const logins = await this.#idsIn(inSession(uid))
    const found = await Promise.all(logins.map(async (login) => (await this.find(login))?.held))
    return found.filter((held) => held !== undefined).toSorted(latestFirst)[0]
  }

  /**
   * Ends what is held of every login in a session, for good, and keeps no token of it. What it was, the
   * latest first; nothing of what had ended already.
   */
  async end(uid: string, now: number): Promise<readonly HeldLogin[]> {
    const logins = await this.#idsIn(inSession(uid))
    const ended = await Promise.all(logins.map(async (login) => await this.#endOne(login, now)))
    return ended.filter((held) => held !== undefined).toSorted(latestFirst)
  }

  async #endOne(login: string, now: number): Promise<HeldLogin | undefined> {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      // oxlint-disable-next-line no-await-in-loop -- against whoever renews it at the same time
      const standing = await this.find(login)
      if (standing === undefined || standing.held.ended === true) return undefined
      const { renewal: _renewal, ...rest } = standing.held
      const over = { ...rest, idToken: '', ended: true } as const
      // oxlint-disable-next-line no-await-in-loop -- as above
      if ((await this.replace(login, standing, over, now)) !== undefined) return standing.held
    }
    await this.#records.remove([keyOf(login)]) // it is written again and again: nothing of ours does that
    return undefined
  }

  /** The logins of a session at the provider. */
  async loginsOfSession(provider: string, session: string): Promise<readonly string[]> {
    return await this.#idsIn(ofSession(provider, session))
  }

  /** Those of a subject there. */
  async loginsOfSubject(provider: string, subject: string): Promise<readonly string[]> {
    return await this.#idsIn(ofSubject(provider, subject))
  }

  async #idsIn(index: string): Promise<readonly string[]> {
    return (await this.#records.keysIn(index)).map((key) => key.slice(PREFIX.length))
  }
}

const MOST_TRIES = 5

const PREFIX = 'login-held:'

const latestFirst = (one: HeldLogin, other: HeldLogin): number => other.ends - one.ends

const keyOf = (login: string): string => `${PREFIX}${login}`
const inSession = (uid: string): string => `logins in session ${uid}`
const ofSubject = (provider: string, subject: string): string =>
  `logins of ${JSON.stringify([provider, 'sub', subject])}`
const ofSession = (provider: string, session: string): string =>
  `logins of ${JSON.stringify([provider, 'sid', session])}`

const recordOf = (held: HeldLogin, now: number) => ({
  text: JSON.stringify(held),
  lifetime: Math.max(1, Math.floor(held.ends - now)),
})
