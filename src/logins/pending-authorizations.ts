// Logins that are under way at an upstream IdP. Nothing is stored until a browser comes back with a code: the
// state says which login it left, sealed, and what is secret about it is derived from the state.

import type { OpaqueKeys } from '../state/opaque-keys.ts'
import type { RecordStore } from '../state/record-store.ts'
import { TextSeal } from '../state/text-seal.ts'
import type { AuthorizationSecrets } from './upstream-idp/upstream-idp.ts'

/** A login that went there. */
export interface PendingAuthorization extends AuthorizationSecrets {
  /** The interaction that it is for. */
  readonly uid: string
  /** The provider, by its id. */
  readonly provider: string
  /** Before which a login there is no answer, in milliseconds since the epoch. */
  readonly since?: number
}

// As long as the interaction itself (issuer/provider/provider.ts).
const LIFETIME_MS = 1_800_000

// An id of an interaction and one of a provider, sealed.
const STATE = /^[A-Za-z0-9_-]{44,512}$/
const PLACE = ''

/** The logins under way elsewhere. */
export class PendingAuthorizations {
  readonly #keys: OpaqueKeys
  readonly #records: RecordStore
  readonly #seal: TextSeal

  /** @param keys shared by replicas as the records are: a browser may come back to another one */
  constructor(keys: OpaqueKeys, records: RecordStore) {
    this.#keys = keys
    this.#records = records
    this.#seal = new TextSeal(keys, 'login-departure')
  }

  /** @param now milliseconds since the epoch */
  begin(
    login: Pick<PendingAuthorization, 'uid' | 'provider' | 'since'>,
    now: number,
  ): PendingAuthorization {
    const { uid, provider, since } = login
    const said: Said = [now + LIFETIME_MS, uid, provider, since]
    const state = this.#seal.seal(PLACE, JSON.stringify(said))
    return { ...login, ...this.#secretsOf(state) }
  }

  /**
   * The login that a browser is back from; `undefined` for a state that is none of ours, and after its time.
   * It proves nothing of the browser: that the interaction is its own is for the caller to find out.
   *
   * @param now milliseconds since the epoch
   */
  read(state: string, now: number): PendingAuthorization | undefined {
    const opened = STATE.test(state) ? this.#seal.open(PLACE, state) : undefined
    if (opened === undefined) return undefined
    const said: Said = JSON.parse(opened) // ours: `begin` sealed it
    const [until, uid, provider, since] = said
    if (now >= until) return undefined
    return { uid, provider, ...(since && { since }), ...this.#secretsOf(state) }
  }

  /**
   * Uses a login that came back with a code, and says whether it is the first time: an upstream IdP that is shown
   * a code twice ends what it gave for it (RFC 6749 §4.1.2). Where clients without a login make so many of these
   * records that one is dropped, it is the IdP alone that refuses a code that was used.
   */
  async use({ state }: PendingAuthorization): Promise<boolean> {
    const record = { text: '', kind: 'public', lifetime: LIFETIME_MS } as const
    return await this.#records.add(`login-departure:${state}`, record)
  }

  /** RFC 7636 §4.1: 43 characters. */
  #secretsOf(state: string): AuthorizationSecrets {
    return {
      state,
      nonce: this.#keys.of('login-departure-nonce', state),
      verifier: this.#keys.of('login-departure-verifier', state),
    }
  }
}

/** Until when it is good, in milliseconds since the epoch; the interaction, the provider, `since`. */
type Said = readonly [number, string, string, (number | null | undefined)?]
