// The claims of tokens about a user: derived at the login from the identity that it proved, and stored under that login until it
// ends. Two logins of one subject never read each other's.

import type { JsonValue } from '../expression/json-value.ts'
import type { Identity } from '../identity/identity.ts'
import type { Clock } from '../runtime/clock.ts'
import type { RecordStore, StoredRecord } from '../state/record-store.ts'
import { accountKey, artifactIndexes } from './login-store.ts'
import { parseJson } from '../runtime/strict-json.ts'

type TokenClaims = Readonly<Record<string, JsonValue>>

/** A user, as one login proved it. */
export interface KnownAccount {
  /** `sub`. */
  readonly subject: string
  /** The claims of ID tokens and of the userinfo endpoint, except `iss` and `aud`. */
  readonly claims: TokenClaims
  /** The claims of access tokens, by resource. */
  readonly resources: Readonly<Record<string, TokenClaims>>
  /** When the login was, in milliseconds since the epoch: a sign-out after that ends it. */
  readonly began: number
  /** When the credential ends that was presented, in milliseconds since the epoch. */
  readonly expires?: number | undefined
}

/** Why a proven user cannot log in. */
export interface AccountFailure {
  readonly outcome: 'failed'
  readonly code: 'token-unmapped' | 'token-reserved' | 'credential-expired'
  readonly detail: string
}

/** The result of a login. */
export type AccountResult =
  | { readonly outcome: 'known'; readonly account: KnownAccount }
  | AccountFailure

/** The claims of tokens for an identity, by the templates of a configuration. */
export type DescribeAccount = (identity: Identity) => AccountResult

/** What accounts need. */
export interface AccountsParts {
  readonly describe: DescribeAccount
  readonly records: RecordStore
  readonly clock: Clock
}

/** The accounts of one configuration. */
export class Accounts {
  readonly #parts: AccountsParts

  constructor(parts: AccountsParts) {
    this.#parts = parts
  }

  /**
   * The claims of a login's tokens for this identity, stored under that login.
   *
   * @param login its id
   * @param ends when the login ends at the latest, in milliseconds since the epoch
   */
  async remember(login: string, identity: Identity, ends: number): Promise<AccountResult> {
    const result = this.describe(identity)
    if (result.outcome === 'failed') return result
    const { account } = result
    const record = this.#recordOf(account, ends)
    if (record === undefined) {
      return { outcome: 'failed', code: 'credential-expired', detail: 'expires' }
    }
    const indexes = artifactIndexes(account.subject)
    await this.#parts.records.put(accountKey(login), { ...record, kind: 'login' }, indexes)
    return result
  }

  /**
   * Replaces the account of a login; `began` stays. Returns false when the login has ended meanwhile, or has no time
   * left.
   *
   * @param ends when the login ends at the latest, in milliseconds since the epoch
   */
  async keep(login: string, account: KnownAccount, ends: number): Promise<boolean> {
    const before = await this.#parts.records.get(accountKey(login))
    if (before === undefined) return false
    const { began }: KnownAccount = parseJson(before.text) // written by this process: `remember` wrote it
    const record = this.#recordOf({ ...account, began }, ends)
    if (record === undefined) return false
    return await this.#parts.records.replace(accountKey(login), before.text, record)
  }

  #recordOf(account: KnownAccount, ends: number): StoredRecord | undefined {
    const { expires = Number.POSITIVE_INFINITY } = account
    const lifetime = Math.floor(Math.min(ends, expires) - this.#parts.clock.now())
    return lifetime > 0 ? { text: JSON.stringify(account), lifetime } : undefined
  }

  /** What a login proved; `undefined` once it has ended. */
  async find(login: string): Promise<KnownAccount | undefined> {
    const record = await this.#parts.records.get(accountKey(login))
    if (record === undefined) return undefined
    const account: KnownAccount = parseJson(record.text) // written by this process: `remember` wrote it
    return account
  }

  /** Removes what is known by a login that has ended. */
  async forget(login: string): Promise<void> {
    await this.#parts.records.remove([accountKey(login)])
  }

  /** The claims of tokens for this identity. */
  describe(identity: Identity): AccountResult {
    return this.#parts.describe(identity)
  }
}
