// What `oidc-provider` stores (codes, sessions, grants, refresh tokens), in the records of `state`; what
// belongs to a browser that has proven nothing, in its own cookies.

import { errors, type Adapter, type AdapterPayload } from 'oidc-provider'
import { CountersignError } from '../../runtime/errors.ts'
import type { RecordStore, RevocableRecords } from '../../state/record-store.ts'
import { isBrowserKept, type BrowserKept, type BrowserRecords } from './browser-records.ts'
import {
  artifactKey,
  endingKey,
  grantIndex,
  provenKey,
  revokersOf,
  sessionOf,
  uidKey,
  unusedName,
} from '../../logins/login-store.ts'
import { indexesOf, personIn, recordKindOf } from './record-kinds.ts'
import { parseJson } from '../../runtime/strict-json.ts'

// For kinds without an expiry of their own; no kind in use is one.
const LONGEST_S = 86_400

/** Keeps one kind of artifact, `Session` say. */
export class RecordAdapter implements Adapter {
  readonly #kind: string
  readonly #records: Answering
  readonly #browser: BrowserRecords
  /** Where browsers that have proven nothing keep artifacts of the kind. */
  readonly #browserKind: BrowserKept | undefined

  constructor(kind: string, records: RevocableRecords, browser: BrowserRecords) {
    this.#kind = kind
    this.#records = new Answering(records)
    this.#browser = browser
    this.#browserKind = isBrowserKept(kind) ? kind : undefined
  }

  /** Writes an artifact, and what it is found by besides its id. */
  async upsert(id: string, payload: AdapterPayload, expiresIn = LONGEST_S): Promise<void> {
    const lifetime = expiresIn * 1_000
    if (lifetime <= 0) return await this.destroy(id)
    const browserKind = this.#browserKind
    if (browserKind !== undefined) {
      const isProven = personIn(payload) !== undefined
      if (!isProven) return this.#keepInBrowser(browserKind, id, payload, lifetime)
      if (browserKind === 'Interaction') await this.#markProven(id, payload, lifetime)
      this.#browser.drop(browserKind, id)
    }
    await this.#store(id, payload, lifetime)
  }

  /** Of a session without a login, only the state of a form is kept. */
  #keepInBrowser(kind: BrowserKept, id: string, payload: AdapterPayload, lifetime: number): void {
    const isEmpty = kind === 'Session' && payload.state === undefined
    if (isEmpty) this.#browser.drop(kind, id)
    else this.#browser.keep(kind, id, JSON.stringify(payload), lifetime)
  }

  /**
   * From now on the interaction is in the store alone: a copy of it in the browser's cookies is not used. One user can
   * complete it, and only once.
   *
   * @throws errors.SessionNotFound where it has ended, or another user was proven for it
   */
  async #markProven(id: string, payload: AdapterPayload, lifetime: number): Promise<void> {
    if (payload.session !== undefined) return // it began with a login, and so in the store
    const person = personIn(payload) ?? ''
    const mark = { text: person, kind: 'decisive', lifetime } as const
    if (await this.#records.add(provenKey(id), mark)) return
    const [known, stored] = await Promise.all([
      this.#records.get(provenKey(id)),
      this.#records.get(this.#key(id)),
    ])
    if (known?.text !== person || stored === undefined) {
      throw new errors.SessionNotFound('the interaction was used')
    }
  }

  async #store(id: string, payload: AdapterPayload, lifetime: number): Promise<void> {
    const { uid, userCode } = payload
    const kind = recordKindOf(this.#kind, payload, this.#browser.path)
    const record = { text: JSON.stringify(payload), kind, lifetime }
    await this.#records.put(this.#key(id), record, indexesOf(this.#kind, payload))
    const pointer = { text: id, kind, lifetime }
    if (this.#kind === 'Session' && uid !== undefined) {
      await this.#records.put(this.#uidKey(uid), pointer)
    }
    if (userCode !== undefined) await this.#records.put(this.#userCodeKey(userCode), pointer)
    const session = sessionOf(this.#kind, payload)
    // It ended while this request was being answered. After writing: a request that ends it marks it before
    // it lists what there is.
    if (session !== undefined && (await this.#records.get(endingKey(session))) !== undefined) {
      await this.destroy(id)
    }
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    return (await this.#findInStore(id)) ?? (await this.#findInBrowser(id))
  }

  async #findInStore(id: string): Promise<AdapterPayload | undefined> {
    const record = await this.#records.get(this.#key(id))
    if (record === undefined) return undefined
    const payload: AdapterPayload = parseJson(record.text) // written by this process: `#store` wrote it
    if (this.#isRevoked(payload)) return undefined
    // Used, and put back since as it was before (`consume`).
    const usedAt = this.#records.revokedAt(unusedName(this.#key(id)))
    if (payload.consumed !== undefined || usedAt === undefined) return payload
    return { ...payload, consumed: Math.floor(usedAt / 1_000) }
  }

  async #findInBrowser(id: string): Promise<AdapterPayload | undefined> {
    if (this.#browserKind === undefined) return undefined
    const text = this.#browser.find(this.#browserKind, id)
    if (text === undefined) return undefined
    const isUsed =
      this.#browserKind === 'Interaction' && (await this.#records.get(provenKey(id))) !== undefined
    if (isUsed) return undefined
    const payload: AdapterPayload = parseJson(text) // written by this process: `#keepInBrowser` sealed it
    return payload
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return await this.#follow(this.#uidKey(uid))
  }

  async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    return await this.#follow(this.#userCodeKey(userCode))
  }

  /**
   * Marks a code or a refresh token as used. Of two concurrent requests with the same one only the first succeeds;
   * the other is refused, as RFC 6749 §4.1.2 requires.
   *
   * @throws errors.InvalidGrant
   */
  async consume(id: string): Promise<void> {
    const key = this.#key(id)
    const record = await this.#records.get(key)
    if (record === undefined) throw new errors.InvalidGrant(`${this.#kind} does not exist`)
    const payload: AdapterPayload = parseJson(record.text)
    if (payload.consumed !== undefined) throw new errors.InvalidGrant(`${this.#kind} was used`)
    const consumed = { ...payload, consumed: Math.floor(Date.now() / 1_000) }
    const { lifetime } = record
    const done = await this.#records.replace(key, record.text, {
      text: JSON.stringify(consumed),
      lifetime,
    })
    if (!done) throw new errors.InvalidGrant(`${this.#kind} is being used`)
    if (this.#kind === 'RefreshToken') await this.#records.revoke([unusedName(key)])
  }

  async destroy(id: string): Promise<void> {
    const isInBrowser =
      this.#browserKind !== undefined && this.#browser.find(this.#browserKind, id) !== undefined
    if (this.#browserKind !== undefined) this.#browser.drop(this.#browserKind, id)
    const payload = await this.#findInStore(id)
    if (payload === undefined && isInBrowser) return
    const keys: [string, ...string[]] = [this.#key(id)]
    if (payload?.userCode !== undefined) keys.push(this.#userCodeKey(payload.userCode))
    // A session that got a new id is still found by its uid.
    if (this.#kind === 'Session' && payload?.uid !== undefined) {
      const pointer = await this.#records.get(this.#uidKey(payload.uid))
      if (pointer?.text === id) keys.push(this.#uidKey(payload.uid))
    }
    const [key, ...pointers] = keys
    await this.#records.remove(pointers)
    const isLogin = payload !== undefined && recordKindOf(this.#kind, payload) === 'login'
    await (isLogin ? this.#records.revoke([key]) : this.#records.remove([key]))
  }

  /** Removes everything that was given out by a grant, of whatever kind. */
  async revokeByGrantId(grantId: string): Promise<void> {
    await this.#records.revoke(await this.#records.keysIn(grantIndex(grantId)))
  }

  #isRevoked(payload: AdapterPayload): boolean {
    return revokersOf(this.#kind, payload).some(
      (name) => this.#records.revokedAt(name) !== undefined,
    )
  }

  async #follow(key: string): Promise<AdapterPayload | undefined> {
    const pointer = await this.#records.get(key)
    return pointer && (await this.find(pointer.text))
  }

  #key(id: string): string {
    return artifactKey(this.#kind, id)
  }

  #uidKey(uid: string): string {
    return uidKey(this.#kind, uid)
  }

  #userCodeKey(userCode: string): string {
    return `${this.#kind}:user-code:${userCode}`
  }
}

/** Records whose failures are sent to clients as `temporarily_unavailable`. */
class Answering implements RevocableRecords {
  readonly #records: RevocableRecords

  constructor(records: RevocableRecords) {
    this.#records = records
  }

  put: RecordStore['put'] = async (...args) => await answered(this.#records.put(...args))
  add: RecordStore['add'] = async (...args) => await answered(this.#records.add(...args))
  replace: RecordStore['replace'] = async (...args) =>
    await answered(this.#records.replace(...args))
  get: RecordStore['get'] = async (...args) => await answered(this.#records.get(...args))
  take: RecordStore['take'] = async (...args) => await answered(this.#records.take(...args))
  remove: RecordStore['remove'] = async (...args) => await answered(this.#records.remove(...args))
  keysIn: RecordStore['keysIn'] = async (...args) => await answered(this.#records.keysIn(...args))
  countIn: RecordStore['countIn'] = async (...args) =>
    await answered(this.#records.countIn(...args))
  revoke: RevocableRecords['revoke'] = async (names) => await answered(this.#records.revoke(names))
  revokeAll = async (): Promise<void> => await answered(this.#records.revokeAll())
  revokedAt = (name: string): number | undefined => this.#records.revokedAt(name)

  get floor(): number {
    return this.#records.floor
  }
}

/** For what cannot be known now: RFC 6749 §4.1.2.1; as a status, RFC 9110 §15.6.4. */
export const answered = async <T>(call: Promise<T>): Promise<T> => {
  try {
    return await call
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause
    const error = new errors.TemporarilyUnavailable('it cannot be known now', cause.message)
    throw Object.assign(error, { status: UNAVAILABLE, statusCode: UNAVAILABLE, cause })
  }
}

const UNAVAILABLE = 503
