// What is kept of a login until it ends: by it the login is checked again, at the upstream IdP that vouched for
// it, or where the user was proven here. It never leaves the issuer.

import type { ProvenAccount } from '../../../authenticate/authenticator.ts'
import type { RecordStore } from '../../../state/record-store.ts'
import { artifactIndexes } from '../../authorization/login-records.ts'
import type { ProviderStatement } from './foreign-provider.ts'

/** What every login has. Instants are milliseconds since the epoch. */
interface Login {
  /** The session at the authorization server that it was made in, by its uid. */
  readonly session: string
  /** Who it is here: `sub` of our tokens. */
  readonly user: string
  /** Absent where the login is not checked again: then it is good until it ends. */
  readonly renewal?: CheckTimes
  /** When the login ends in any case. */
  readonly ends: number
  /** Whether it is over already: then nothing that was given out by it is good any more. */
  readonly ended?: true
}

/** A login at an upstream IdP. */
export interface UpstreamLogin extends Login {
  /** The provider, by its id. */
  readonly provider: string
  /** Of its latest ID token. */
  readonly signed: ProviderStatement['signed']
  /** Says there who logs out (`id_token_hint`). */
  readonly idToken: string
  readonly renewal?: Renewal
}

/** A login that was proven by an authenticator here. */
export interface LocalLogin extends Login {
  /** The authenticator, by its name in the configuration. */
  readonly authenticator: string
  readonly way: 'password' | 'certificate'
  /** What is checked again. Absent where it cannot be, and once the login has ended. */
  readonly proven?: ProvenAccount | ProvenCertificate
}

/** A certificate that was shown at the login page. */
interface ProvenCertificate {
  /** With its chain, as Envoy said it: URL-encoded PEM. */
  readonly certificate: string
}

/** A login. */
export type HeldLogin = UpstreamLogin | LocalLogin

/** A login that has no session yet. */
export type NewHeldLogin = Omit<UpstreamLogin, 'session'> | Omit<LocalLogin, 'session'>

/** A login before it is settled who that is here. */
export type ProvenLogin =
  | Omit<UpstreamLogin, 'session' | 'user'>
  | Omit<LocalLogin, 'session' | 'user'>

/** When a login is checked again. */
export interface CheckTimes {
  /** From here on. */
  readonly from: number
  /** Until here, or it is not known whether the login is still good. */
  readonly by: number
}

/** Whether a login is one at an upstream IdP. */
export const isUpstream = (held: HeldLogin): held is UpstreamLogin => 'provider' in held

/** When, and with what, an upstream IdP is asked again. */
export interface Renewal extends CheckTimes {
  readonly refreshToken: string
}

/** A login as it stands. */
export interface StandingLogin<Held extends HeldLogin = HeldLogin> {
  readonly held: Held
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
    await this.#records.put(keyOf(login), { ...recordOf(held, now), kind: 'login' }, [
      ...artifactIndexes(held.user),
      inSession(held.session),
      ...(isUpstream(held) ? indexesOf(held) : []),
    ])
  }

  async find(login: string): Promise<StandingLogin | undefined> {
    const record = await this.#records.get(keyOf(login))
    if (record === undefined) return undefined
    const held: HeldLogin = JSON.parse(record.text) // ours: `put` or `replace` wrote it
    return { held, text: record.text }
  }

  /** Writes in place of what it was, if it is that still. */
  async replace<Held extends HeldLogin>(
    login: string,
    { text }: StandingLogin,
    held: Held,
    now: number,
  ): Promise<StandingLogin<Held> | undefined> {
    const record = recordOf(held, now)
    const done = await this.#records.replace(keyOf(login), text, record)
    return done ? { held, text: record.text } : undefined
  }

  /** What is held of the latest login at an upstream IdP in a session. */
  async latestIn(uid: string): Promise<UpstreamLogin | undefined> {
    const logins = await this.#idsIn(inSession(uid))
    const found = await Promise.all(logins.map(async (login) => (await this.find(login))?.held))
    return upstreamAmong(found)[0]
  }

  /**
   * Ends what is held of every login in a session, for good, and keeps no token of it. What those at
   * upstream IdPs were, the latest first; nothing of what had ended already.
   */
  async end(uid: string, now: number): Promise<readonly UpstreamLogin[]> {
    const logins = await this.#idsIn(inSession(uid))
    return upstreamAmong(
      await Promise.all(logins.map(async (login) => await this.#endOne(login, now))),
    )
  }

  async #endOne(login: string, now: number): Promise<HeldLogin | undefined> {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const standing = await this.find(login)
      if (standing === undefined || standing.held.ended === true) return undefined
      const { held } = standing
      if ((await this.replace(login, standing, endedOf(held), now)) !== undefined) return held
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

const upstreamAmong = (logins: readonly (HeldLogin | undefined)[]): readonly UpstreamLogin[] =>
  logins
    .filter((held) => held !== undefined)
    .filter(isUpstream)
    .toSorted((one, other) => other.ends - one.ends)

/** What is left of a login that has ended: nothing that it could be checked by. */
const endedOf = (held: HeldLogin): HeldLogin => {
  const { renewal: _renewal, ...rest } = held
  if ('provider' in rest) return { ...rest, idToken: '', ended: true }
  const { proven: _proven, ...local } = rest
  return { ...local, ended: true }
}

const indexesOf = ({ provider, signed: { sub, sid } }: UpstreamLogin): readonly string[] => [
  ofSubject(provider, sub),
  ...(typeof sid === 'string' ? [ofSession(provider, sid)] : []),
]

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
