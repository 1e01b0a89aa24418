// Providers of others are asked again whether they stand by a login, before what they said has expired: in
// the background where there is time left, and by one of us, however many requests there are.

import type { AuditSink } from '../../../audit/sink.ts'
import type { AskStanding } from '../../../authenticate/session.ts'
import type {
  BrowserSessions,
  SessionRenewal,
} from '../../../authenticate/session/browser-sessions.ts'
import type { Claims, Identity } from '../../../identity/identity.ts'
import type { Clock } from '../../../runtime/clock.ts'
import { CountersignError, describeError } from '../../../runtime/errors.ts'
import type { Logger } from '../../../runtime/logger.ts'
import type { OpaqueKeys } from '../../../state/opaque-keys.ts'
import type { RecordStore } from '../../../state/record-store.ts'
import type { Accounts, KnownAccount } from '../../authorization/accounts.ts'
import type { SignOut } from '../../session/sign-out.ts'
import type { ForeignProvider, ProviderStatement } from './foreign-provider.ts'
import type { HeldLogin, HeldLogins, Renewal, StandingLogin } from './held-logins.ts'
import { factsAt } from './identity-at.ts'

/** What asking needs. */
export interface RenewalsParts {
  readonly foreign: ReadonlyMap<string, ForeignProvider>
  readonly held: HeldLogins
  readonly records: RecordStore
  readonly opaqueKeys: OpaqueKeys
  readonly accounts: Accounts
  readonly sessions: BrowserSessions
  readonly signOut: Pick<SignOut, 'endOne'>
  readonly audit: AuditSink
  readonly clock: Clock
  readonly logger: Logger
}

type Standing = Awaited<ReturnType<AskStanding>>

// How long a provider stands by what it said, in milliseconds: where it does not say, and at least, since
// somebody has to be able to use it.
const LIFETIME_MS = 300_000
const SHORTEST_MS = 2_000

// After a failure, while there is time left.
const PAUSE_MS = 10_000

// Longer than asking takes (`ANSWER_LIMIT_S`, a few times), so that it ends by itself only where whoever
// asked is gone.
const TURN_MS = 20_000
const POLL_MS = 100
const LONGEST_WAIT_MS = 5_000

/** When a provider is asked again: with a third of the time left, which is enough for several tries. */
export const renewalOf = (
  { refreshToken, lifetime = LIFETIME_MS }: ProviderStatement,
  now: number,
): Renewal | undefined => {
  if (refreshToken === undefined) return undefined
  const good = Math.max(lifetime, SHORTEST_MS)
  return { refreshToken, from: now + Math.floor((good * 2) / 3), by: now + good }
}

/** Asks providers of others. */
export class Renewals {
  readonly #parts: RenewalsParts
  readonly #underWay = new Map<string, Promise<Standing>>()
  // By login, when it is tried again, in monotonic milliseconds.
  readonly #paused = new Map<string, number>()

  constructor(parts: RenewalsParts) {
    this.#parts = parts
  }

  /** Whether whoever vouches for a login still does; nobody has to, for those that are ours alone. */
  readonly standing: AskStanding = async (login) => {
    const standing = await this.#parts.held.find(login)
    if (standing === undefined) return 'stands'
    const { ended, renewal } = standing.held
    if (ended === true) return 'ended'
    const now = this.#parts.clock.now()
    if (renewal === undefined || now < renewal.from) return 'stands'
    if (now >= renewal.by) return await this.#ask(login)
    if (!this.#isPaused(login)) this.#ask(login).catch(() => undefined) // the log was told
    return 'stands'
  }

  #isPaused(login: string): boolean {
    const until = this.#paused.get(login)
    if (until === undefined) return false
    if (this.#parts.clock.monotonic() < until) return true
    this.#paused.delete(login)
    return false
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
      const { clock, logger } = this.#parts
      this.#paused.set(login, clock.monotonic() + PAUSE_MS)
      logger.warn({ reason: describeError(cause) }, 'login not renewed')
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
      // oxlint-disable-next-line no-await-in-loop -- until it is our turn
      if (await records.add(turn, { text: '', kind: 'login', lifetime: TURN_MS })) {
        try {
          // oxlint-disable-next-line no-await-in-loop -- as above
          return await this.#renew(login)
        } finally {
          // oxlint-disable-next-line no-await-in-loop -- as above
          await records.remove([turn])
        }
      }
      // oxlint-disable-next-line no-await-in-loop -- as above
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
      // oxlint-disable-next-line no-await-in-loop -- as above
      const standing = await held.find(login)
      if (standing === undefined || standing.held.ended === true) return 'ended'
      if ((standing.held.renewal?.from ?? Number.POSITIVE_INFINITY) > clock.now()) return 'stands'
    }
    throw new CountersignError('unavailable', 'another replica asks, and takes too long')
  }

  async #renew(login: string): Promise<Standing> {
    const { foreign, held, clock } = this.#parts
    const standing = await held.find(login)
    if (standing === undefined || standing.held.ended === true) return 'ended'
    const { renewal, provider: id, signed, idToken } = standing.held
    // Whoever had the turn before has done it.
    if (renewal === undefined || clock.now() < renewal.from) return 'stands'
    const provider = foreign.get(id)
    if (provider === undefined) return await this.#end(standing.held, 'it is not configured')
    const { refreshToken } = renewal
    const said = await provider.renew({ signed, idToken, refreshToken })
    if (said.outcome === 'stated') return await this.#believe(login, standing, provider, said)
    const { reason, detail } = said.failure
    // RFC 6749 §5.2: it knows the token no more. Everything else is a failure of it, or of us.
    if (reason === 'provider-refused' && detail === 'invalid_grant') {
      return await this.#end(standing.held, detail)
    }
    throw new CountersignError('unavailable', `provider ${id}: ${reason}: ${detail}`)
  }

  async #believe(
    login: string,
    standing: StandingLogin,
    provider: ForeignProvider,
    said: ProviderStatement,
  ): Promise<Standing> {
    const { held, accounts, opaqueKeys, clock } = this.#parts
    const renewal = renewalOf(said, clock.now())
    if (renewal === undefined || standing.held.renewal === undefined) {
      throw new TypeError('a login that is renewed without a refresh token')
    }
    // First the token, which is good once: whatever fails below is tried again with it.
    const { signed, idToken } = said
    const { refreshToken } = said
    const before = { ...standing.held.renewal, refreshToken: renewal.refreshToken }
    const kept = { ...standing.held, signed, idToken, renewal: before }
    const told = await held.replace(login, standing, kept, clock.now())
    if (told === undefined) {
      // Logged out meanwhile, so nobody has given this one back.
      if (refreshToken !== undefined) await provider.revoke(refreshToken)
      return 'ended'
    }
    const mapped = provider.mapping.identityOf(factsAt(provider, said, opaqueKeys))
    if (mapped.outcome === 'refused') return await this.#end(kept, mapped.code)
    const { identity } = mapped
    const result = accounts.describe(identity)
    if (result.outcome === 'failed') return await this.#end(kept, result.code)
    const { account } = result
    if (account.subject !== kept.user) return await this.#end(kept, 'is another user here')
    await this.#record(kept, identity)
    await accounts.keep(login, account, kept.ends)
    await this.#renewSessions({ uid: kept.session, login }, account, renewal)
    const done = await held.replace(login, told, { ...kept, renewal }, clock.now())
    if (done !== undefined) return 'stands'
    await accounts.forget(login) // it ended meanwhile
    return 'ended'
  }

  async #record({ provider, user }: HeldLogin, { groups, credential }: Identity): Promise<void> {
    await this.#parts.audit.write({ event: 'login-renewed', user, groups, provider, credential })
  }

  async #renewSessions(
    renewed: Pick<SessionRenewal, 'uid' | 'login'>,
    { claims: said }: KnownAccount,
    { from, by }: Renewal,
  ): Promise<void> {
    await this.#parts.sessions.renew(renewed, ({ claims }) => ({
      claims: { ...protocolClaims(claims), ...said },
      renewal: { ...renewed, from, by },
    }))
  }

  /** Ends a login that nobody stands by. */
  async #end({ session: uid, provider, user }: HeldLogin, detail: string): Promise<'ended'> {
    const { signOut, audit } = this.#parts
    await signOut.endOne({ uid, sessions: [] })
    await audit.write({ event: 'login-ended', user, provider, cause: 'not-renewed', detail })
    return 'ended'
  }
}

// Of an ID token (OpenID Connect Core §2, §3.1.3.6; RFC 7519 §4.1): they are of that token and that login,
// and nothing that is said of the person.
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
