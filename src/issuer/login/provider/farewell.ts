// Logins at providers of others end there too, as far as that is wanted: what they gave us goes back, and
// the browser says goodbye.

import { randomBytes } from 'node:crypto'
import type { Clock } from '../../../runtime/clock.ts'
import type { Logger } from '../../../runtime/logger.ts'
import type { RecordStore } from '../../../state/record-store.ts'
import type { ForeignProvider } from './foreign-provider.ts'
import type { UpstreamLogin, HeldLogins } from './held-logins.ts'

/** What ending needs. */
export interface FarewellParts {
  readonly foreign: ReadonlyMap<string, ForeignProvider>
  readonly held: HeldLogins
  readonly records: RecordStore
  readonly clock: Clock
  readonly logger: Logger
}

// As long as somebody may look at the provider's question whether they mean it.
const LIFETIME_MS = 1_800_000
const STATE = /^[A-Za-z0-9_-]{43}$/

/** Ends logins at providers of others. */
export class Farewell {
  readonly #parts: FarewellParts

  constructor(parts: FarewellParts) {
    this.#parts = parts
  }

  /** Where a browser may be taken that ends this login, as URLs. */
  readonly placesOf = async (uid: string): Promise<readonly string[]> => {
    const { held, foreign } = this.#parts
    const login = await held.latestIn(uid)
    const provider = login && foreign.get(login.provider)
    return provider === undefined ? [] : await provider.logoutPlaces()
  }

  /**
   * Ends what is held of the logins in a session, by its uid here. Their refresh tokens are given back,
   * which nothing waits for. The latest of them.
   */
  async end(uid: string): Promise<UpstreamLogin | undefined> {
    const { held, clock } = this.#parts
    const ended = await held.end(uid, clock.now())
    for (const { provider, renewal } of ended) {
      if (renewal !== undefined) void this.giveBack(provider, renewal.refreshToken)
    }
    return ended[0]
  }

  /** Gives a refresh token back to the provider of that id, if it is one still. Never rejects. */
  readonly giveBack = async (id: string, refreshToken: string): Promise<void> => {
    const failure = await this.#parts.foreign.get(id)?.revoke(refreshToken)
    if (failure === undefined) return
    // It is good until the provider says otherwise, but nobody has it any more.
    this.#parts.logger.warn({ provider: id, ...failure }, 'refresh token not given back')
  }

  /** Where the browser that had this login has to go to end it there too; at last it comes to `next`. */
  async leaveBy({ provider: id, idToken }: UpstreamLogin, next: string): Promise<string> {
    const state = randomBytes(32).toString('base64url')
    const url = await this.#parts.foreign.get(id)?.leaveForGood(idToken, state)
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
