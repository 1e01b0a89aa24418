// Logins at providers of others end there too, as far as that is wanted: what they gave us goes back, and
// the browser says goodbye.

import { randomBytes } from 'node:crypto'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { RecordStore } from '../state/record-store.ts'
import type { UpstreamIdp } from './upstream-idp/upstream-idp.ts'
import type { FederatedLogin, ProvenLogins } from './proven-logins.ts'

/** What ending needs. */
export interface UpstreamLogoutParts {
  readonly upstreamIdps: ReadonlyMap<string, UpstreamIdp>
  readonly provenLogins: ProvenLogins
  readonly records: RecordStore
  readonly clock: Clock
  readonly logger: Logger
}

// As long as somebody may look at the provider's question whether they mean it.
const LIFETIME_MS = 1_800_000
const STATE = /^[A-Za-z0-9_-]{43}$/

/** Ends logins at providers of others. */
export class UpstreamLogout {
  readonly #parts: UpstreamLogoutParts

  constructor(parts: UpstreamLogoutParts) {
    this.#parts = parts
  }

  /** Where a browser may be taken that ends this login, as URLs. */
  readonly logoutUrlsOf = async (uid: string): Promise<readonly string[]> => {
    const { provenLogins, upstreamIdps } = this.#parts
    const login = await provenLogins.latestIn(uid)
    const provider = login && upstreamIdps.get(login.provider)
    return provider === undefined ? [] : await provider.logoutUrls()
  }

  /**
   * Ends what is proven of the logins in a session, by its uid here. Their refresh tokens are given back,
   * which nothing waits for. The latest of them.
   */
  async end(uid: string): Promise<FederatedLogin | undefined> {
    const { provenLogins, clock } = this.#parts
    const ended = await provenLogins.end(uid, clock.now())
    for (const { provider, renewal } of ended) {
      if (renewal !== undefined) void this.revoke(provider, renewal.refreshToken)
    }
    return ended[0]
  }

  /** Gives a refresh token back to the provider of that id, if it is one still. Never rejects. */
  readonly revoke = async (id: string, refreshToken: string): Promise<void> => {
    const failure = await this.#parts.upstreamIdps.get(id)?.revoke(refreshToken)
    if (failure === undefined) return
    // It is good until the provider says otherwise, but nobody has it any more.
    this.#parts.logger.warn({ provider: id, ...failure }, 'refresh token not given back')
  }

  /** Where the browser that had this login has to go to end it there too; at last it comes to `next`. */
  async logoutUrlOf({ provider: id, idToken }: FederatedLogin, next: string): Promise<string> {
    const state = randomBytes(32).toString('base64url')
    const url = await this.#parts.upstreamIdps.get(id)?.logoutUrl(idToken, state)
    if (url === undefined) return next
    const record = { text: next, kind: 'login', lifetime: LIFETIME_MS } as const
    await this.#parts.records.put(keyOf(state), record)
    return url.href
  }

  /** Where a browser that is back was going; `undefined` for one that nobody sent. */
  async returnOf(state: string): Promise<string | undefined> {
    if (!STATE.test(state)) return undefined
    return (await this.#parts.records.take(keyOf(state)))?.text
  }
}

const keyOf = (state: string): string => `logout-departure:${state}`
