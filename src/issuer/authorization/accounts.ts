// What tokens say of a user: settled at the login, by the identity that it proved, and kept under that login
// until it ends. Two logins of one subject never read each other's.

import type { Login, ResourceServer } from '../../check/authorization-server.ts'
import type { Identity } from '../../identity/identity.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { RecordStore, StoredRecord } from '../../state/record-store.ts'
import type { TokenClaims } from '../../transform/token/token-template.ts'
import { accountKey, artifactIndexes } from './login-records.ts'

/** A user, as one login proved it. */
export interface KnownAccount {
  /** `sub`. */
  readonly subject: string
  /** What ID tokens and the userinfo endpoint say, but for `iss` and `aud`. */
  readonly claims: TokenClaims
  /** What access tokens say, by the resource that they are for. */
  readonly resources: Readonly<Record<string, TokenClaims>>
  /** When the login was, in milliseconds since the epoch: a sign-out after that ends it. */
  readonly began: number
  /** When the credential ends that was shown, in milliseconds since the epoch. */
  readonly expires?: number | undefined
}

/** Why somebody who has proven who they are cannot log in. */
export interface AccountFailure {
  readonly outcome: 'failed'
  readonly code: 'token-unmapped' | 'token-reserved' | 'credential-expired'
  readonly detail: string
}

/** What a login came to. */
export type AccountResult =
  | { readonly outcome: 'known'; readonly account: KnownAccount }
  | AccountFailure

/** The accounts of one configuration. */
export class Accounts {
  readonly #login: Login
  readonly #resources: ReadonlyMap<string, ResourceServer>
  readonly #records: RecordStore
  readonly #clock: Clock

  constructor(
    login: Login,
    resources: ReadonlyMap<string, ResourceServer>,
    { records, clock }: { readonly records: RecordStore; readonly clock: Clock },
  ) {
    this.#login = login
    this.#resources = resources
    this.#records = records
    this.#clock = clock
  }

  /**
   * What tokens of a login will say of this identity, kept under that login.
   *
   * @param login its id; see `login-fields.ts`
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
    await this.#records.put(accountKey(login), { ...record, kind: 'login' }, indexes)
    return result
  }

  /**
   * Keeps an account in place of what was known by that login, which began when it did. Whether the login
   * has not ended meanwhile, and there is any time left to it.
   *
   * @param ends when the login ends at the latest, in milliseconds since the epoch
   */
  async keep(login: string, account: KnownAccount, ends: number): Promise<boolean> {
    const before = await this.#records.get(accountKey(login))
    if (before === undefined) return false
    const { began }: KnownAccount = JSON.parse(before.text) // ours: `remember` wrote it
    const record = this.#recordOf({ ...account, began }, ends)
    if (record === undefined) return false
    return await this.#records.replace(accountKey(login), before.text, record)
  }

  #recordOf(account: KnownAccount, ends: number): StoredRecord | undefined {
    const { expires = Number.POSITIVE_INFINITY } = account
    const lifetime = Math.floor(Math.min(ends, expires) - this.#clock.now())
    return lifetime > 0 ? { text: JSON.stringify(account), lifetime } : undefined
  }

  /** What a login proved; `undefined` once it has ended. */
  async find(login: string): Promise<KnownAccount | undefined> {
    const record = await this.#records.get(accountKey(login))
    if (record === undefined) return undefined
    const account: KnownAccount = JSON.parse(record.text) // ours: `remember` wrote it
    return account
  }

  /** Removes what is known by a login that has ended. */
  async forget(login: string): Promise<void> {
    await this.#records.remove([accountKey(login)])
  }

  /** What tokens would say of this identity. */
  describe(identity: Identity): AccountResult {
    const said = this.#login.template.apply(identity)
    if (said.outcome === 'failed') return said
    const { sub, ...claims } = withoutParties(said.claims)
    if (typeof sub !== 'string') throw new TypeError('a template without a subject')
    const resources: Record<string, TokenClaims> = {}
    for (const [uri, { template }] of this.#resources) {
      const result = template?.apply(identity)
      if (result?.outcome === 'failed') {
        return { ...result, detail: `resources.${uri}: ${result.detail}` }
      }
      if (result === undefined) continue
      const { sub: _sub, ...further } = withoutParties(result.claims)
      resources[uri] = further
    }
    return {
      outcome: 'known',
      account: {
        subject: sub,
        claims,
        resources,
        began: this.#clock.now(),
        expires: identity.expires,
      },
    }
  }
}

/** Whom a token is for differs from token to token; how somebody logged in, from session to session. */
const withoutParties = ({
  iss: _iss,
  aud: _aud,
  amr: _amr,
  acr: _acr,
  ...claims
}: TokenClaims): TokenClaims => claims
