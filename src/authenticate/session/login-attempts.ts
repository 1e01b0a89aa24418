// A login that is under way, kept by the browser: nothing is stored for those who never come back, and
// each tab has its own. Everything secret about it is derived, so the cookie only says where it began.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { OWN_COOKIES } from '../../request/cookies.ts'
import type { OpaqueKeys } from '../../state/opaque-keys.ts'

/** A login that begins. */
export interface LoginAttempt {
  readonly state: string
  /** `S256` of what only we can show (RFC 7636 §4.2). */
  readonly challenge: string
  readonly nonce: string
  readonly cookie: { readonly name: string; readonly value: string }
}

/** A login that comes back. */
export interface ReturnedLogin {
  /** Path and query where it began, on the same host. */
  readonly target: string
  readonly verifier: string
  readonly nonce: string
}

/** How the names of the cookies begin. */
export const ATTEMPT_COOKIES = `${OWN_COOKIES}-begun-`

/** For how long somebody may take to log in, in seconds. */
export const ATTEMPT_SECONDS = 1_800

const STATE_BYTES = 16
const STATE = /^[A-Za-z0-9_-]{22}$/

// Browsers send every cookie with every request.
const LONGEST_TARGET = 1_500

/** Begins logins, and knows them again. */
export class LoginAttempts {
  readonly #keys: OpaqueKeys

  constructor(keys: OpaqueKeys) {
    this.#keys = keys
  }

  /**
   * Begins one.
   *
   * @param target path and query to come back to; what is no path on the same host is `/`
   * @param now milliseconds since the epoch
   */
  begin(host: string, target: string, now: number): LoginAttempt {
    const state = randomBytes(STATE_BYTES).toString('base64url')
    const until = Math.floor(now / 1_000) + ATTEMPT_SECONDS
    const said = Buffer.from(JSON.stringify([until, ownTarget(target)])).toString('base64url')
    const value = `${said}.${this.#keys.of('login-attempt', state, host, said)}`
    const verifier = this.#verifier(state, host)
    return {
      state,
      challenge: createHash('sha256').update(verifier).digest('base64url'),
      nonce: this.#keys.of('login-nonce', state, host),
      cookie: { name: cookieName(state), value },
    }
  }

  /** The one that a browser comes back with; `undefined` for what we did not begin there, or too long ago. */
  open(host: string, state: string, value: string, now: number): ReturnedLogin | undefined {
    if (!STATE.test(state)) return undefined
    const [said = '', mac = ''] = value.split('.', 2)
    const wanted = Buffer.from(this.#keys.of('login-attempt', state, host, said))
    const given = Buffer.from(mac)
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return undefined
    const [until, target]: [number, string] = JSON.parse(
      Buffer.from(said, 'base64url').toString('utf8'), // ours, by its keyed hash
    )
    if (now / 1_000 >= until) return undefined
    const nonce = this.#keys.of('login-nonce', state, host)
    return { target, nonce, verifier: this.#verifier(state, host) }
  }

  #verifier(state: string, host: string): string {
    return this.#keys.of('login-verifier', state, host)
  }
}

/** The cookie of a login, by its state. */
export const cookieName = (state: string): string => `${ATTEMPT_COOKIES}${state.slice(0, 8)}`

// Two slashes, or a backslash, which browsers take for one, would lead to another host.
const PATH = /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/

const ownTarget = (target: string): string =>
  PATH.test(target) && target.length <= LONGEST_TARGET ? target : '/'
