// The logins at the authorization server as `state` stores them, and the sets by which everything is found that was issued
// in one. It finds and removes; `oidc-provider` writes.

import { RevocationMarks } from './revocation-marks.ts'
import { systemClock } from '../runtime/clock.ts'
import type { RevocableRecords } from '../state/record-store.ts'
import { loginOf } from './login-id.ts'
import { parseJson } from '../runtime/strict-json.ts'

/** A login: the session of one browser at the authorization server. */
export interface StoredLogin {
  /** Names it for as long as it lives, whatever its cookie holds. */
  readonly uid: string
  readonly user: string
  /** When the user logged in, in seconds since the epoch. */
  readonly at: number
  /** `sid` (OpenID Connect Front-Channel Logout 1.0 §3) by the client that received it. */
  readonly clients: ReadonlyMap<string, string>
}

interface ClientOfSession {
  readonly sid?: string | undefined
  readonly grantId?: string | undefined
}

/** An artifact of the OAuth 2.0 provider (a session, a grant), as far as it is read here. */
export interface StoredArtifact {
  readonly jti?: string | undefined
  readonly uid?: string | undefined
  readonly accountId?: string | undefined
  readonly loginTs?: number | undefined
  readonly grantId?: string | undefined
  readonly sessionUid?: string | undefined
  /** Of a session: its clients. */
  readonly authorizations?: Readonly<Record<string, ClientOfSession>> | undefined
}

// Longer than any request takes: what is still being written for a login that ends meanwhile.
const ENDING_MS = 600_000

/** The sets of everything that ends when everything of an account does. */
export const artifactIndexes = (account: string): readonly string[] => [
  ARTIFACTS,
  accountIndex(account),
]

/** The session that an artifact belongs to, by its uid. */
export const sessionOf = (
  kind: string,
  { uid, sessionUid }: Pick<StoredArtifact, 'uid' | 'sessionUid'>,
): string | undefined => (kind === 'Session' ? uid : sessionUid)

/** The key of an artifact. */
export const artifactKey = (kind: string, id: string): string => `${kind}:${id}`

/** The key of a session's id, by its uid. */
export const uidKey = (kind: string, uid: string): string => `${kind}:uid:${uid}`

/** The key of the user who was proven in an interaction that began without a login. */
export const provenKey = (id: string): string => `interaction-proven:${id}`

/** The set of everything that was given out by a grant. */
export const grantIndex = (grantId: string): string => `grant:${grantId}`

/** The key of what a login proved, by the id of the login. */
export const accountKey = (login: string): string => `account:${login}`

/** The key that marks a session as ended, for as long as requests may not have seen its end. */
export const endingKey = (uid: string): string => `login-ended:${uid}`

/** The name under which a session is revoked with all that was given out in it (`RevocableRecords`). */
const sessionName = (uid: string): string => `session ${uid}`

/** The name under which it is revoked that an artifact was not used. */
export const unusedName = (key: string): string => `unused ${key}`

/** The names any of which revokes an artifact. */
export const revokersOf = (kind: string, payload: StoredArtifact): readonly string[] => {
  const session = sessionOf(kind, payload)
  const grant = kind === 'Grant' ? payload.jti : payload.grantId
  return [
    ...(grant === undefined ? [] : [grantIndex(grant)]),
    ...(session === undefined ? [] : [sessionName(session)]),
  ]
}

/** The set of all grants that were given in a session, also by a login before its latest. */
export const grantsIndex = (uid: string): string => `grants of session ${uid}`

const accountIndex = (account: string): string => `artifacts of account ${account}`
/** The set of all sessions with a login. */
export const LOGINS = 'logins'
/** The set of all grants of clients, for metrics. */
export const GRANTS = 'grants'
/** The set of all device codes that wait for their user, for metrics. */
export const DEVICE_CODES = 'device codes'
const ARTIFACTS = 'artifacts of all accounts'
const SESSION = artifactKey('Session', '')
const GRANT = artifactKey('Grant', '')

/** Finds logins, and ends them. */
export class LoginStore {
  readonly #records: RevocableRecords
  readonly #revocationMarks: RevocationMarks

  constructor(records: RevocableRecords) {
    this.#records = records
    this.#revocationMarks = new RevocationMarks(records, systemClock)
  }

  /** The logins of a user, or all there are. */
  async list(user?: string): Promise<readonly StoredLogin[]> {
    const index = user === undefined ? LOGINS : accountIndex(user)
    return (await this.#payloadsIn(index)).map(loginIn).filter((login) => login !== undefined)
  }

  /** The login that a grant was given in; `undefined` where the grant no longer exists. */
  async ofGrant(grantId: string): Promise<string | undefined> {
    const payload = await this.#payloadAt(artifactKey('Grant', grantId))
    if (payload === undefined) return undefined
    const names = revokersOf('Grant', { ...payload, jti: grantId })
    const isRevoked = names.some((name) => this.#records.revokedAt(name) !== undefined)
    return isRevoked ? undefined : loginOf(payload)
  }

  /**
   * Ends the session of a browser, every login in it, and all that was given out by them. What it was;
   * `undefined` where there is none.
   */
  async end(uid: string): Promise<StoredLogin | undefined> {
    await this.#announce(uid)
    const grants = await this.#records.keysIn(grantsIndex(uid))
    await this.#revoke(grants.map((key) => key.slice(GRANT.length)))
    const pointer = await this.#records.get(uidKey('Session', uid))
    if (pointer === undefined) return undefined
    const payload = await this.#payloadAt(artifactKey('Session', pointer.text))
    await this.#records.remove([uidKey('Session', uid)])
    await this.#records.revoke([artifactKey('Session', pointer.text)])
    if (payload === undefined) return undefined
    const login = loginOf(payload)
    if (login !== undefined) await this.#records.revoke([accountKey(login)])
    const { authorizations } = payload
    await this.#revoke(Object.values(authorizations ?? {}).flatMap(({ grantId }) => grantId ?? []))
    return loginIn(payload)
  }

  /** Ends all logins of a user, and everything that was given out for that user. What they were. */
  async endUser(user: string): Promise<readonly StoredLogin[]> {
    return await this.#endAll(await this.list(user), accountIndex(user), user)
  }

  /**
   * Ends all logins there are, and everything that was issued to any user. Returns them. When all
   * else has ended, {@link revokeEverything} has it stay so.
   */
  async endEverybody(): Promise<readonly StoredLogin[]> {
    return await this.#endAll(await this.list(), ARTIFACTS, undefined)
  }

  /** Revokes whatever was written until now, also what was not found. */
  async revokeEverything(): Promise<void> {
    await this.#records.revokeAll()
  }

  async #endAll(
    logins: readonly StoredLogin[],
    index: string,
    user: string | undefined,
  ): Promise<readonly StoredLogin[]> {
    // Before as well: an interrupted call must not have ended the one without the other.
    await this.#revocationMarks.note(user)
    const ended = await Promise.all(
      logins.map(async (login) => (await this.end(login.uid)) ?? login), // which is being renewed
    )
    // What outlives a login too: offline access, and whatever was given to a device.
    const keys = await this.#records.keysIn(index)
    await (user === undefined ? this.#records.remove(keys) : this.#records.revoke(keys))
    // Last: a JWT that was being signed for one of those that ended is from before, too.
    await this.#revocationMarks.note(user)
    return ended
  }

  /** First, so that a concurrent request does not write its records again (`RecordAdapter`). */
  async #announce(uid: string): Promise<void> {
    await this.#records.put(endingKey(uid), { text: '', kind: 'decisive', lifetime: ENDING_MS })
    await this.#records.revoke([sessionName(uid)])
  }

  async #revoke(grantIds: readonly string[]): Promise<void> {
    for (const grantId of grantIds) {
      const login = loginOf(await this.#payloadAt(artifactKey('Grant', grantId)))
      const keys = await this.#records.keysIn(grantIndex(grantId))
      const account = login === undefined ? [] : [accountKey(login)]
      await this.#records.remove([artifactKey('Grant', grantId), ...keys, ...account])
      await this.#records.revoke([grantIndex(grantId)])
    }
  }

  async #payloadsIn(index: string): Promise<readonly StoredArtifact[]> {
    const keys = (await this.#records.keysIn(index)).filter((key) => key.startsWith(SESSION))
    const payloads = await Promise.all(keys.map(async (key) => await this.#payloadAt(key)))
    return payloads.filter((payload) => payload !== undefined)
  }

  async #payloadAt(key: string): Promise<StoredArtifact | undefined> {
    const record = await this.#records.get(key)
    if (record === undefined) return undefined
    const payload: StoredArtifact = parseJson(record.text) // written by this process: `RecordAdapter` wrote it
    return payload
  }
}

const loginIn = (payload: StoredArtifact): StoredLogin | undefined => {
  const { uid, accountId, loginTs = 0, authorizations } = payload
  if (uid === undefined || accountId === undefined) return undefined
  return { uid, user: accountId, at: loginTs, clients: sidsIn(authorizations) }
}

const sidsIn = (authorizations: StoredArtifact['authorizations']): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(authorizations ?? {}).flatMap(([client, { sid }]) =>
      sid === undefined ? [] : [[client, sid]],
    ),
  )
