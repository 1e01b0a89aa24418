// Checks active logins again, at the upstream IdP or where the user was proven here. A check runs in the background
// while there is time left, and in one replica at a time.

import type { Claims } from '../identity/claims.ts'
import type { Identity } from '../identity/identity.ts'
import type { Clock } from '../runtime/clock.ts'
import { CountersignError, describeError } from '../runtime/errors.ts'
import type { Logger } from '../runtime/logger.ts'
import type { RecordStore } from '../state/record-store.ts'
import type { Accounts, KnownAccount } from './accounts.ts'
import { Backoff } from './backoff.ts'
import type { BrowserSessions, SessionRenewal } from './browser-sessions.ts'
import type { LoginEventSink, LoginWayFields } from './events.ts'
import type { Logout } from './logout.ts'
import {
  isFederated,
  type CheckTimes,
  type FederatedLogin,
  type LocalLogin,
  type ProvenLogin,
  type ProvenLoginRecord,
  type ProvenLogins,
} from './proven-logins.ts'
import type { LoginStatus, LoginStatusLookup } from './status.ts'

/** What a recheck needs. */
export interface LoginRecheckParts {
  readonly upstream: LoginCheck<FederatedLogin>
  readonly local: LoginCheck<LocalLogin>
  readonly provenLogins: ProvenLogins
  readonly records: RecordStore
  readonly accounts: Accounts
  readonly sessions: BrowserSessions
  readonly logout: Pick<Logout, 'endOne' | 'endAll'>
  readonly events: LoginEventSink
  readonly clock: Clock
  readonly logger: Logger
}

/** Checks logins of one kind again. */
export interface LoginCheck<Proven extends ProvenLogin> {
  /**
   * Checks a login whose recheck is due.
   *
   * @throws CountersignError `unavailable` when the result is undetermined
   */
  check(login: string, record: ProvenLoginRecord<Proven>): Promise<LoginChecked>
}

/** The result of a check. */
export type LoginChecked =
  | {
      readonly outcome: 'current'
      /** The identity now. */
      readonly identity: Identity
      /** The login as the check left it. */
      readonly record: ProvenLoginRecord
      /** The login to store, with the time of the next check. */
      readonly next: ProvenLogin
    }
  | {
      readonly outcome: 'ended'
      /** The reason, for the audit log. */
      readonly detail: string
      /** Whether the account itself was removed or disabled, and not only this login. */
      readonly isAccountGone?: boolean
    }
  /** Another request ended the login meanwhile. */
  | { readonly outcome: 'superseded' }

// After a failure, while there is time left.
const BACKOFF_MS = 10_000

// Longer than a check takes (`ANSWER_LIMIT_S`, a few times), so that the lock expires only when the process that has it
// was killed.
const LOCK_MS = 20_000
const POLL_MS = 100
const LONGEST_WAIT_MS = 5_000

/** When a login that is valid for so long is checked again: a third of the time is left for retries. */
export const checkTimes = (now: number, milliseconds: number): CheckTimes => ({
  from: now + Math.floor((milliseconds * 2) / 3),
  by: now + milliseconds,
})

/** Checks logins again. */
export class LoginRecheck {
  readonly #parts: LoginRecheckParts
  readonly #underWay = new Map<string, Promise<LoginStatus>>()
  readonly #backoff: Backoff

  constructor(parts: LoginRecheckParts) {
    this.#parts = parts
    this.#backoff = new Backoff(parts.clock, BACKOFF_MS)
  }

  /** The status of a login; `ended` where nothing is stored of it. */
  readonly statusOf: LoginStatusLookup = async (login) => {
    const record = await this.#parts.provenLogins.find(login)
    if (record === undefined || record.proven.ended === true) return 'ended'
    const { renewal, ends } = record.proven
    const now = this.#parts.clock.now()
    if (now >= ends) return 'ended'
    if (renewal === undefined || now < renewal.from) return 'active'
    if (now >= renewal.by) return await this.#check(login)
    if (!this.#backoff.has(login)) this.#check(login).catch(() => undefined) // it was logged
    return 'active'
  }

  async #check(login: string): Promise<LoginStatus> {
    const underWay = this.#underWay.get(login) ?? this.#checkOnce(login)
    this.#underWay.set(login, underWay)
    return await underWay
  }

  async #checkOnce(login: string): Promise<LoginStatus> {
    try {
      return await this.#checkLocked(login)
    } catch (cause) {
      this.#backoff.begin(login)
      this.#parts.logger.warn({ reason: describeError(cause) }, 'login not renewed')
      if (cause instanceof CountersignError) throw cause
      throw new CountersignError('unavailable', describeError(cause), { cause })
    } finally {
      this.#underWay.delete(login)
    }
  }

  /** One replica at a time: most refresh tokens are valid once, and a second use is taken for theft. */
  async #checkLocked(login: string): Promise<LoginStatus> {
    const { records, provenLogins, clock } = this.#parts
    const lock = `login-renewing:${login}`
    const until = clock.monotonic() + LONGEST_WAIT_MS
    while (clock.monotonic() < until) {
      if (await records.add(lock, { text: '', kind: 'login', lifetime: LOCK_MS })) {
        try {
          return await this.#checkNow(login)
        } finally {
          await records.remove([lock])
        }
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
      const record = await provenLogins.find(login)
      if (record === undefined || record.proven.ended === true) return 'ended'
      if ((record.proven.renewal?.from ?? Number.POSITIVE_INFINITY) > clock.now()) return 'active'
    }
    throw new CountersignError('unavailable', 'the recheck by another replica takes too long')
  }

  async #checkNow(login: string): Promise<LoginStatus> {
    const { provenLogins, upstream, local, clock } = this.#parts
    const record = await provenLogins.find(login)
    if (record === undefined || record.proven.ended === true) return 'ended'
    const { proven, text } = record
    // Another replica has checked it.
    if (proven.renewal === undefined || clock.now() < proven.renewal.from) return 'active'
    const checked = isFederated(proven)
      ? await upstream.check(login, { proven, text })
      : await local.check(login, { proven, text })
    if (checked.outcome === 'superseded') return 'ended'
    if (checked.outcome === 'ended') return await this.#end(login, proven, checked)
    return await this.#renew(login, checked)
  }

  /** Sessions and tokens contain from now on what was proven now. */
  async #renew(
    login: string,
    { identity, record, next }: Extract<LoginChecked, { outcome: 'current' }>,
  ): Promise<LoginStatus> {
    const { provenLogins, accounts, events, clock } = this.#parts
    const { user, session: uid, ends, renewal } = next
    const result = accounts.describe(identity)
    if (result.outcome === 'failed') return await this.#end(login, next, { detail: result.code })
    const { account } = result
    if (account.subject !== user) {
      return await this.#end(login, next, { detail: 'is another user here' })
    }
    const known = await accounts.find(login)
    const same = JSON.stringify({ ...account, began: known?.began }) === JSON.stringify(known)
    if (isFederated(next) || !same) {
      const { groups, digest: credential } = identity
      await events.write({
        event: 'login-renewed',
        login,
        user,
        groups,
        ...wayOf(next),
        credential,
      })
      await accounts.keep(login, account, ends)
    }
    if (renewal !== undefined) await this.#renewSessions({ uid, login }, account, renewal)
    const done = await provenLogins.replace(login, record, next, clock.now())
    if (done !== undefined) return 'active'
    await accounts.forget(login) // it ended meanwhile
    return 'ended'
  }

  async #renewSessions(
    renewed: Pick<SessionRenewal, 'uid' | 'login'>,
    { claims: current }: KnownAccount,
    { from, by }: CheckTimes,
  ): Promise<void> {
    await this.#parts.sessions.renew(renewed, ({ claims }) => ({
      claims: { ...protocolClaims(claims), ...current },
      renewal: { ...renewed, from, by },
    }))
  }

  /**
   * Ends a login whose check failed. Without an account, every login and token of the user ends, as by a sign-out
   * everywhere.
   */
  async #end(
    login: string,
    proven: ProvenLogin,
    {
      detail,
      isAccountGone = false,
    }: Pick<Extract<LoginChecked, { outcome: 'ended' }>, 'detail' | 'isAccountGone'>,
  ): Promise<'ended'> {
    const { logout, events } = this.#parts
    const { session: uid, user } = proven
    if (isAccountGone) await logout.endAll(user)
    else await logout.endOne({ uid, sessions: [] })
    const cause = isFederated(proven) ? 'not-renewed' : 'recheck'
    await events.write({ event: 'login-ended', login, user, ...wayOf(proven), cause, detail })
    return 'ended'
  }
}

const wayOf = (proven: ProvenLogin): LoginWayFields =>
  isFederated(proven)
    ? { loginMethod: proven.provider, provider: proven.provider }
    : { loginMethod: proven.method, authenticator: proven.authenticator }

// Claims of an ID token (OpenID Connect Core §2, §3.1.3.6; RFC 7519 §4.1) that describe the token or the login, and not
// the user.
const PROTOCOL: ReadonlySet<string> = new Set([
  'iss',
  'sub',
  'aud',
  'exp',
  'iat',
  'nbf',
  'jti',
  'auth_time',
  'nonce',
  'acr',
  'amr',
  'azp',
  'sid',
  'grant_id',
  'at_hash',
  'c_hash',
])

const protocolClaims = (claims: Claims): Claims =>
  Object.fromEntries(Object.entries(claims).filter(([name]) => PROTOCOL.has(name)))
