// The `state` of a logout (OpenID Connect RP-Initiated Logout 1.0 §2): what comes back with it was sent to
// the authorization server from here, by the browser that has these sessions. Nothing is stored.

import { timingSafeEqual } from 'node:crypto'
import type { DerivedKeys } from '../../state/derived-keys.ts'

// As long as the question whether it is meant may stay open.
const SECONDS = 1_800

/** Makes such states, and recognises them. */
export class LogoutStates {
  readonly #keys: DerivedKeys

  constructor(keys: DerivedKeys) {
    this.#keys = keys
  }

  /**
   * The state of a logout that begins.
   *
   * @param cookies what the browser has of sessions on that host
   * @param now milliseconds since the epoch
   */
  begin(host: string, cookies: readonly string[], now: number): string {
    const until = String(Math.floor(now / 1_000) + SECONDS)
    return `${until}.${this.#mac(host, until, cookies)}`
  }

  /** Whether a logout began so on that host, with the same cookies, and not too long ago. */
  holds(host: string, cookies: readonly string[], state: string, now: number): boolean {
    const [until = '', mac = ''] = state.split('.', 2)
    const [wanted, presented] = [Buffer.from(this.#mac(host, until, cookies)), Buffer.from(mac)]
    const isOwn = wanted.length === presented.length && timingSafeEqual(wanted, presented)
    return isOwn && now / 1_000 < Number(until)
  }

  #mac(host: string, until: string, cookies: readonly string[]): string {
    return this.#keys.of('logout-return', host, until, ...cookies)
  }
}
