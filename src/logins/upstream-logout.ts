// Federated logins end at their upstream IdPs too: refresh tokens are revoked, and the browser is logged out there, where
// that is configured.

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

// As long as the IdP's question may stay open.
const LIFETIME_MS = 1_800_000
const STATE = /^[A-Za-z0-9_-]{43}$/

/** Ends federated logins at their upstream IdPs. */
export class UpstreamLogout {
  readonly #parts: UpstreamLogoutParts

  constructor(parts: UpstreamLogoutParts) {
    this.#parts = parts
  }

  /** The URLs that a logout of this login may redirect the browser to. */
  readonly logoutUrlsOf = async (uid: string): Promise<readonly string[]> => {
    const { provenLogins, upstreamIdps } = this.#parts
    const login = await provenLogins.latestIn(uid)
    const provider = login && upstreamIdps.get(login.provider)
    return provider === undefined ? [] : await provider.logoutUrls()
  }

  /**
   * Ends the logins of a session, by its uid. Their refresh tokens are revoked in the background. Returns the latest
   * federated login.
   */
  async end(uid: string): Promise<FederatedLogin | undefined> {
    const { provenLogins, clock } = this.#parts
    const ended = await provenLogins.end(uid, clock.now())
    for (const { provider, renewal } of ended) {
      if (renewal !== undefined) void this.revoke(provider, renewal.refreshToken)
    }
    return ended[0]
  }

  /** Revokes a refresh token at the IdP of that id, if it is configured. Never rejects. */
  readonly revoke = async (id: string, refreshToken: string): Promise<void> => {
    const failure = await this.#parts.upstreamIdps.get(id)?.revoke(refreshToken)
    if (failure === undefined) return
    // It stays valid at the IdP, and no copy of it is left.
    this.#parts.logger.warn({ provider: id, ...failure }, 'refresh token not revoked')
  }

  /** The URL that logs the browser out there, and then returns it to `next`. */
  async logoutUrlOf({ provider: id, idToken }: FederatedLogin, next: string): Promise<string> {
    const state = randomBytes(32).toString('base64url')
    const url = await this.#parts.upstreamIdps.get(id)?.logoutUrl(idToken, state)
    if (url === undefined) return next
    const record = { text: next, kind: 'login', lifetime: LIFETIME_MS } as const
    await this.#parts.records.put(keyOf(state), record)
    return url.href
  }

  /** The target of a browser that returns from there; `undefined` for an unknown state. */
  async returnOf(state: string): Promise<string | undefined> {
    if (!STATE.test(state)) return undefined
    return (await this.#parts.records.take(keyOf(state)))?.text
  }
}

const keyOf = (state: string): string => `logout-departure:${state}`
