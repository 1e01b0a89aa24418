// What providers of others gave us with the logins of our people: by it we ask them again, say there who
// logs out, and know whom they mean. Nobody else ever sees it.

import type { RecordStore } from '../../../state/record-store.ts'
import { artifactIndexes } from '../../authorization/login-records.ts'
import type { ProviderStatement } from './foreign-provider.ts'

/** A login that a provider stands by. Instants are milliseconds since the epoch. */
export interface HeldLogin {
  /** The provider, by its id. */
  readonly provider: string
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

/** They stand by the uid of the session at the authorization server. */
export class HeldLogins {
  readonly #records: RecordStore

  constructor(records: RecordStore) {
    this.#records = records
  }

  /** Writes in place of what was held of that session. */
  async put(uid: string, held: HeldLogin, now: number): Promise<void> {
    const { provider, signed, user } = held
    const { sub, sid } = signed
    await this.#records.put(keyOf(uid), { ...recordOf(held, now), kind: 'login' }, [
      ...artifactIndexes(user),
      ofSubject(provider, sub),
      ...(typeof sid === 'string' ? [ofSession(provider, sid)] : []),
    ])
  }

  async find(uid: string): Promise<StandingLogin | undefined> {
    const record = await this.#records.get(keyOf(uid))
    if (record === undefined) return undefined
    const held: HeldLogin = JSON.parse(record.text) // ours: `put` or `replace` wrote it
    return { held, text: record.text }
  }

  /** Writes in place of what it was, if it is that still. */
  async replace(
    uid: string,
    { text }: StandingLogin,
    held: HeldLogin,
    now: number,
  ): Promise<StandingLogin | undefined> {
    const record = recordOf(held, now)
    const done = await this.#records.replace(keyOf(uid), text, record)
    return done ? { held, text: record.text } : undefined
  }

  /** Whatever was held of that session is of a login before. */
  async forget(uid: string): Promise<void> {
    await this.#records.remove([keyOf(uid)])
  }

  /** Ends what is held, for good, and keeps no token of it. What it was; `undefined` for nothing that lived. */
  async end(uid: string, now: number): Promise<HeldLogin | undefined> {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      // oxlint-disable-next-line no-await-in-loop -- against whoever renews it at the same time
      const standing = await this.find(uid)
      if (standing === undefined || standing.held.ended === true) return undefined
      const { renewal: _renewal, ...rest } = standing.held
      const over = { ...rest, idToken: '', ended: true } as const
      // oxlint-disable-next-line no-await-in-loop -- as above
      if ((await this.replace(uid, standing, over, now)) !== undefined) return standing.held
    }
    await this.forget(uid) // it is written again and again: nothing of ours does that
    return undefined
  }

  /** The sessions at the authorization server of a session there. */
  async uidsOfSession(provider: string, session: string): Promise<readonly string[]> {
    return await this.#uidsIn(ofSession(provider, session))
  }

  /** Those of a person there. */
  async uidsOfSubject(provider: string, subject: string): Promise<readonly string[]> {
    return await this.#uidsIn(ofSubject(provider, subject))
  }

  async #uidsIn(index: string): Promise<readonly string[]> {
    return (await this.#records.keysIn(index)).map((key) => key.slice(PREFIX.length))
  }
}

const MOST_TRIES = 5

const PREFIX = 'login-held:'

const keyOf = (uid: string): string => `${PREFIX}${uid}`
const ofSubject = (provider: string, subject: string): string =>
  `logins of ${JSON.stringify([provider, 'sub', subject])}`
const ofSession = (provider: string, session: string): string =>
  `logins of ${JSON.stringify([provider, 'sid', session])}`

const recordOf = (held: HeldLogin, now: number) => ({
  text: JSON.stringify(held),
  lifetime: Math.max(1, Math.floor(held.ends - now)),
})
