// Authorizations that are pending at an upstream IdP. Nothing is stored until a browser returns with a code: the sealed
// state contains the interaction, and the secrets are derived from the state.

import type { DerivedKeys } from '../state/derived-keys.ts'
import type { RecordStore } from '../state/record-store.ts'
import { TextSeal } from '../state/text-seal.ts'
import type { AuthorizationSecrets } from './upstream-idp/upstream-idp.ts'

/** One of them. */
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

/** The pending authorizations of all interactions. */
export class PendingAuthorizations {
  readonly #keys: DerivedKeys
  readonly #records: RecordStore
  readonly #seal: TextSeal

  /** @param keys shared by replicas as the records are: a browser may come back to another one */
  constructor(keys: DerivedKeys, records: RecordStore) {
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
   * The authorization of a state; `undefined` for any other text, and after its time. It proves nothing about the browser:
   * the caller checks that the interaction belongs to it.
   *
   * @param now milliseconds since the epoch
   */
  read(state: string, now: number): PendingAuthorization | undefined {
    const opened = STATE.test(state) ? this.#seal.open(PLACE, state) : undefined
    if (opened === undefined) return undefined
    const said: Said = JSON.parse(opened) // written by this process: `begin` sealed it
    const [until, uid, provider, since] = said
    if (now >= until) return undefined
    return { uid, provider, ...(since && { since }), ...this.#secretsOf(state) }
  }

  /**
   * Marks an authorization as used, and returns whether it was the first time: an upstream IdP revokes the tokens of a code
   * that it receives twice (RFC 6749 §4.1.2). When unauthenticated clients make so many of these records that one is
   * dropped, the IdP alone refuses a used code.
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

/** Its end, in milliseconds since the epoch; the interaction, the provider, `since`. */
type Said = readonly [number, string, string, (number | null | undefined)?]
