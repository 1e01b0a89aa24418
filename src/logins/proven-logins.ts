// What is stored of a login until it ends, and what its recheck needs: the tokens of the upstream IdP, or what an
// authenticator proved. It never leaves the process and its state.

import type { ProvenCredential } from '../identity/identity.ts'
import type { RecordStore } from '../state/record-store.ts'
import { artifactIndexes } from './login-store.ts'
import type { UpstreamTokens } from './upstream-idp/upstream-idp.ts'
import { parseJson } from '../runtime/strict-json.ts'

/** What every login has. Instants are milliseconds since the epoch. */
interface Login {
  /** The session at the authorization server that it was made in, by its uid. */
  readonly session: string
  /** `sub` of this issuer's tokens. */
  readonly user: string
  /** Absent where the login is not checked again: then it is valid until `ends`. */
  readonly renewal?: CheckTimes
  /** When the login ends in any case. */
  readonly ends: number
  /** Whether it has ended: then nothing that was issued in it is valid. */
  readonly ended?: true
}

/** A login at an upstream IdP. */
export interface FederatedLogin extends Login {
  /** The provider, by its id. */
  readonly provider: string
  /** Of its latest ID token. */
  readonly signed: UpstreamTokens['signed']
  /** Its latest ID token: the hint of an upstream logout (`id_token_hint`). */
  readonly idToken: string
  readonly renewal?: Renewal
}

/** A login that was proven by an authenticator here. */
export interface LocalLogin extends Login {
  /** The authenticator, by its name in the configuration. */
  readonly authenticator: string
  readonly method: 'password' | 'certificate'
  /** What is checked again. Absent where it cannot be, and once the login has ended. */
  readonly proven?: ProvenAccount | ProvenCertificate
}

/** What is stored to look an account up again: plain data, without a secret. */
export type ProvenAccount = Pick<ProvenCredential, 'authenticatedAt' | 'methods'> & {
  /** `ProvenCredential.digest` of the password. */
  readonly credential: string
  /** See `PasswordVerifier.lookup`. */
  readonly account: string
}

/** A certificate that was presented at the login page. */
interface ProvenCertificate {
  /** With its chain, as Envoy sent it: URL-encoded PEM. */
  readonly certificate: string
}

/** A login. */
export type ProvenLogin = FederatedLogin | LocalLogin

/** A login that has no session yet. */
export type NewProvenLogin = Omit<FederatedLogin, 'session'> | Omit<LocalLogin, 'session'>

/** A login before its identity is mapped to a user. */
export type UnmappedLogin =
  | Omit<FederatedLogin, 'session' | 'user'>
  | Omit<LocalLogin, 'session' | 'user'>

/** When a login is checked again. */
export interface CheckTimes {
  /** From here on. */
  readonly from: number
  /** Until here; afterwards the status is undetermined until it is checked. */
  readonly by: number
}

/** Whether a login is one at an upstream IdP. */
export const isFederated = (proven: ProvenLogin): proven is FederatedLogin => 'provider' in proven

/** When, and by which token, a login is checked at the upstream IdP. */
export interface Renewal extends CheckTimes {
  readonly refreshToken: string
}

/** A login as it is stored. */
export interface ProvenLoginRecord<Proven extends ProvenLogin = ProvenLogin> {
  readonly proven: Proven
  /** What {@link ProvenLogins.replace} compares. */
  readonly text: string
}

/** Stored by the id of the login: one session can have several. */
export class ProvenLogins {
  readonly #records: RecordStore

  constructor(records: RecordStore) {
    this.#records = records
  }

  /** Stores a login. */
  async put(login: string, proven: ProvenLogin, now: number): Promise<void> {
    await this.#records.put(keyOf(login), { ...recordOf(proven, now), kind: 'login' }, [
      ...artifactIndexes(proven.user),
      inSession(proven.session),
      ...(isFederated(proven) ? indexesOf(proven) : []),
    ])
  }

  async find(login: string): Promise<ProvenLoginRecord | undefined> {
    const record = await this.#records.get(keyOf(login))
    if (record === undefined) return undefined
    const proven: ProvenLogin = parseJson(record.text) // written by this process: `put` or `replace` wrote it
    return { proven, text: record.text }
  }

  /** Replaces a login, if it is still as the record has it. */
  async replace<Proven extends ProvenLogin>(
    login: string,
    { text }: ProvenLoginRecord,
    proven: Proven,
    now: number,
  ): Promise<ProvenLoginRecord<Proven> | undefined> {
    const record = recordOf(proven, now)
    const done = await this.#records.replace(keyOf(login), text, record)
    return done ? { proven, text: record.text } : undefined
  }

  /** The latest federated login of a session. */
  async latestIn(uid: string): Promise<FederatedLogin | undefined> {
    const logins = await this.#idsIn(inSession(uid))
    const found = await Promise.all(logins.map(async (login) => (await this.find(login))?.proven))
    return upstreamAmong(found)[0]
  }

  /**
   * Ends every login of a session, and keeps no token of it. Returns the federated ones that were active, the latest
   * first.
   */
  async end(uid: string, now: number): Promise<readonly FederatedLogin[]> {
    const logins = await this.#idsIn(inSession(uid))
    return upstreamAmong(
      await Promise.all(logins.map(async (login) => await this.#endOne(login, now))),
    )
  }

  async #endOne(login: string, now: number): Promise<ProvenLogin | undefined> {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const known = await this.find(login)
      if (known === undefined || known.proven.ended === true) return undefined
      const { proven } = known
      if ((await this.replace(login, known, endedOf(proven), now)) !== undefined) return proven
    }
    await this.#records.remove([keyOf(login)]) // another writer replaces it again and again
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

const upstreamAmong = (logins: readonly (ProvenLogin | undefined)[]): readonly FederatedLogin[] =>
  logins
    .filter((proven) => proven !== undefined)
    .filter(isFederated)
    .toSorted((one, other) => other.ends - one.ends)

/** What is kept of an ended login: nothing that a check could use. */
const endedOf = (proven: ProvenLogin): ProvenLogin => {
  const { renewal: _renewal, ...rest } = proven
  if ('provider' in rest) return { ...rest, idToken: '', ended: true }
  const { proven: _proven, ...local } = rest
  return { ...local, ended: true }
}

const indexesOf = ({ provider, signed: { sub, sid } }: FederatedLogin): readonly string[] => [
  ofSubject(provider, sub),
  ...(typeof sid === 'string' ? [ofSession(provider, sid)] : []),
]

const keyOf = (login: string): string => `${PREFIX}${login}`
const inSession = (uid: string): string => `logins in session ${uid}`
const ofSubject = (provider: string, subject: string): string =>
  `logins of ${JSON.stringify([provider, 'sub', subject])}`
const ofSession = (provider: string, session: string): string =>
  `logins of ${JSON.stringify([provider, 'sid', session])}`

const recordOf = (proven: ProvenLogin, now: number) => ({
  text: JSON.stringify(proven),
  lifetime: Math.max(1, Math.floor(proven.ends - now)),
})
