// Whether logins are still good: they are checked again now and then, at the upstream IdP or where the user
// was proven here. In the background where there is time left, and by one process, however many requests
// there are.

import type { AuditSink } from '../../audit/sink.ts'
import type { AskStanding } from '../../authenticate/session/authenticator.ts'
import type { BrowserSessions, SessionRenewal } from '../../logins/browser-sessions.ts'
import type { Claims } from '../../identity/claims.ts'
import type { Identity } from '../../identity/identity.ts'
import type { Clock } from '../../runtime/clock.ts'
import { CountersignError, describeError } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { RecordStore } from '../../state/record-store.ts'
import type { Accounts, KnownAccount } from '../authorization/accounts.ts'
import type { SignOut } from '../session/sign-out.ts'
import {
  isUpstream,
  type CheckTimes,
  type HeldLogin,
  type HeldLogins,
  type LocalLogin,
  type StandingLogin,
  type UpstreamLogin,
} from './provider/held-logins.ts'
import { Pauses } from './pauses.ts'

/** What checking needs. */
export interface LoginStatusParts {
  readonly upstream: LoginCheck<UpstreamLogin>
  readonly local: LoginCheck<LocalLogin>
  readonly held: HeldLogins
  readonly records: RecordStore
  readonly accounts: Accounts
  readonly sessions: BrowserSessions
  readonly signOut: Pick<SignOut, 'endOne' | 'endAll'>
  readonly audit: AuditSink
  readonly clock: Clock
  readonly logger: Logger
}

/** Checks logins of one kind again. */
export interface LoginCheck<Held extends HeldLogin> {
  /**
   * Checks a login whose time has come.
   *
   * @throws CountersignError `unavailable` when it cannot be known
   */
  check(login: string, standing: StandingLogin<Held>): Promise<LoginChecked>
}

/** What a check came to. */
export type LoginChecked =
  | {
      readonly outcome: 'current'
      /** Who it is now. */
      readonly identity: Identity
      /** The login as the check left it. */
      readonly standing: StandingLogin
      /** As it is to be kept, with the time of the next check. */
      readonly next: HeldLogin
    }
  | {
      readonly outcome: 'ended'
      /** Why, for the audit log. */
      readonly detail: string
      /** Whether the account itself is gone, and not this login alone. */
      readonly isAccountGone?: boolean
    }
  /** It was ended meanwhile by another. */
  | { readonly outcome: 'superseded' }

type Standing = Awaited<ReturnType<AskStanding>>

// After a failure, while there is time left.
const PAUSE_MS = 10_000

// Longer than a check takes (`ANSWER_LIMIT_S`, a few times), so that it ends by itself only where the process
// that checks is gone.
const TURN_MS = 20_000
const POLL_MS = 100
const LONGEST_WAIT_MS = 5_000

/** When a login is checked again that is good for so long: with a third of the time left for retries. */
export const checkTimes = (now: number, milliseconds: number): CheckTimes => ({
  from: now + Math.floor((milliseconds * 2) / 3),
  by: now + milliseconds,
})

/** The status of logins. */
export class LoginStatus {
  readonly #parts: LoginStatusParts
  readonly #underWay = new Map<string, Promise<Standing>>()
  readonly #paused: Pauses

  constructor(parts: LoginStatusParts) {
    this.#parts = parts
    this.#paused = new Pauses(parts.clock, PAUSE_MS)
  }

  /** Whether a login is still good. One of which nothing is kept is not. */
  readonly standing: AskStanding = async (login) => {
    const standing = await this.#parts.held.find(login)
    if (standing === undefined || standing.held.ended === true) return 'ended'
    const { renewal, ends } = standing.held
    const now = this.#parts.clock.now()
    if (now >= ends) return 'ended'
    if (renewal === undefined || now < renewal.from) return 'stands'
    if (now >= renewal.by) return await this.#ask(login)
    if (!this.#paused.has(login)) this.#ask(login).catch(() => undefined) // the log was told
    return 'stands'
  }

  async #ask(login: string): Promise<Standing> {
    const underWay = this.#underWay.get(login) ?? this.#askOnce(login)
    this.#underWay.set(login, underWay)
    return await underWay
  }

  async #askOnce(login: string): Promise<Standing> {
    try {
      return await this.#inTurn(login)
    } catch (cause) {
      this.#paused.begin(login)
      this.#parts.logger.warn({ reason: describeError(cause) }, 'login not renewed')
      if (cause instanceof CountersignError) throw cause
      throw new CountersignError('unavailable', describeError(cause), { cause })
    } finally {
      this.#underWay.delete(login)
    }
  }

  /** One replica at a time: most refresh tokens are good once, and who shows one again is taken for a thief. */
  async #inTurn(login: string): Promise<Standing> {
    const { records, held, clock } = this.#parts
    const turn = `login-renewing:${login}`
    const until = clock.monotonic() + LONGEST_WAIT_MS
    while (clock.monotonic() < until) {
      if (await records.add(turn, { text: '', kind: 'login', lifetime: TURN_MS })) {
        try {
          return await this.#renew(login)
        } finally {
          await records.remove([turn])
        }
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
      const standing = await held.find(login)
      if (standing === undefined || standing.held.ended === true) return 'ended'
      if ((standing.held.renewal?.from ?? Number.POSITIVE_INFINITY) > clock.now()) return 'stands'
    }
    throw new CountersignError('unavailable', 'another replica asks, and takes too long')
  }

  async #renew(login: string): Promise<Standing> {
    const { held, clock } = this.#parts
    const standing = await held.find(login)
    if (standing === undefined || standing.held.ended === true) return 'ended'
    const { renewal } = standing.held
    // Another replica has done it.
    if (renewal === undefined || clock.now() < renewal.from) return 'stands'
    const checked = await this.#check(login, standing)
    if (checked.outcome === 'superseded') return 'ended'
    if (checked.outcome === 'ended') return await this.#end(login, standing.held, checked)
    return await this.#take(login, checked)
  }

  async #check(login: string, { held, text }: StandingLogin): Promise<LoginChecked> {
    const { upstream, local } = this.#parts
    return isUpstream(held)
      ? await upstream.check(login, { held, text })
      : await local.check(login, { held, text })
  }

  /** What was proven now is what sessions and tokens say from now on. */
  async #take(
    login: string,
    { identity, standing, next }: Extract<LoginChecked, { outcome: 'current' }>,
  ): Promise<Standing> {
    const { held, accounts, clock } = this.#parts
    const { user, session: uid, ends, renewal } = next
    const result = accounts.describe(identity)
    if (result.outcome === 'failed') return await this.#end(login, next, { detail: result.code })
    const { account } = result
    if (account.subject !== user) {
      return await this.#end(login, next, { detail: 'is another user here' })
    }
    const known = await accounts.find(login)
    const same = JSON.stringify({ ...account, began: known?.began }) === JSON.stringify(known)
    if (isUpstream(next) || !same) {
      await this.#record(login, next, identity)
      await accounts.keep(login, account, ends)
    }
    if (renewal !== undefined) await this.#renewSessions({ uid, login }, account, renewal)
    const done = await held.replace(login, standing, next, clock.now())
    if (done !== undefined) return 'stands'
    await accounts.forget(login) // it ended meanwhile
    return 'ended'
  }

  async #record(login: string, held: HeldLogin, { groups, credential }: Identity): Promise<void> {
    const { user } = held
    const event = {
      event: 'login-renewed',
      login,
      user,
      groups,
      ...wayOf(held),
      credential,
    } as const
    await this.#parts.audit.write(event)
  }

  async #renewSessions(
    renewed: Pick<SessionRenewal, 'uid' | 'login'>,
    { claims: said }: KnownAccount,
    { from, by }: CheckTimes,
  ): Promise<void> {
    await this.#parts.sessions.renew(renewed, ({ claims }) => ({
      claims: { ...protocolClaims(claims), ...said },
      renewal: { ...renewed, from, by },
    }))
  }

  /**
   * Ends a login that did not pass. Where the account is gone, everything of the user ends, as by a sign-out
   * everywhere: other logins, and tokens that routes minted.
   */
  async #end(
    login: string,
    held: HeldLogin,
    {
      detail,
      isAccountGone = false,
    }: Pick<Extract<LoginChecked, { outcome: 'ended' }>, 'detail' | 'isAccountGone'>,
  ): Promise<'ended'> {
    const { signOut, audit } = this.#parts
    const { session: uid, user } = held
    if (isAccountGone) await signOut.endAll(user)
    else await signOut.endOne({ uid, sessions: [] })
    const cause = isUpstream(held) ? 'not-renewed' : 'recheck'
    await audit.write({ event: 'login-ended', login, user, ...wayOf(held), cause, detail })
    return 'ended'
  }
}

/** How the audit log names the way by which a login was made. */
const wayOf = (held: HeldLogin) =>
  isUpstream(held)
    ? { way: held.provider, provider: held.provider }
    : { way: held.way, authenticator: held.authenticator }

// Of an ID token (OpenID Connect Core §2, §3.1.3.6; RFC 7519 §4.1): they are of that token and that login,
// and say nothing of the user.
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
