// A login that is under way. Nothing is stored for a browser that never comes back: the state holds where
// the login began, sealed, and a cookie binds the state to the browser. Each tab has its own.

import { createHash, timingSafeEqual } from 'node:crypto'
import { OWN_COOKIES } from '../request/cookies.ts'
import type { DerivedKeys } from '../state/derived-keys.ts'
import { TextSeal } from '../state/text-seal.ts'

/** A login that begins. */
export interface LoginAttempt {
  /** At most 2,048 characters, which the authorization endpoint takes. */
  readonly state: string
  /** `S256` of the code verifier (RFC 7636 §4.2). */
  readonly challenge: string
  readonly nonce: string
  readonly cookie: { readonly name: string; readonly value: string }
}

/** The content of a `state`, from any browser: it proves nothing, and leads to this host alone. */
export interface KnownAttempt {
  /** Path and query where the login began, on the same host. */
  readonly target: string
  /** Seconds since the epoch. */
  readonly until: number
  /** Whether the login was begun in place of one whose cookie was missing. */
  readonly again: boolean
}

/** A login that comes back in the browser that began it. */
export interface ReturnedLogin {
  readonly target: string
  readonly verifier: string
  readonly nonce: string
}

/** How the names of the cookies begin. */
export const ATTEMPT_COOKIES = `${OWN_COOKIES}-begun-`

/** How many characters of the state are behind that. */
export const ATTEMPT_NAME = 8

/** For how long a login may take, in seconds. */
export const ATTEMPT_SECONDS = 1_800

const STATE = /^[A-Za-z0-9_-]{24,2048}$/

// With the salt, the time and the tag, base64url: 2,048 characters at most.
const LONGEST_TARGET = 1_400

/** Begins logins, and recognises them. */
export class LoginAttempts {
  readonly #keys: DerivedKeys
  // Sealed, not only signed: a target can hold what is not meant for the logs of another host.
  readonly #seal: TextSeal

  constructor(keys: DerivedKeys) {
    this.#keys = keys
    this.#seal = new TextSeal(keys, 'login-state')
  }

  /**
   * Begins one.
   *
   * @param target path and query to come back to; anything but a path on the same host is `/`
   * @param now milliseconds since the epoch
   * @param again whether it takes the place of one whose cookie was missing
   */
  begin(host: string, target: string, now: number, again = false): LoginAttempt {
    const until = Math.floor(now / 1_000) + ATTEMPT_SECONDS
    const state = this.#seal.seal(host, `${until} ${again ? 1 : 0} ${ownTarget(target)}`)
    const verifier = this.#verifier(state, host)
    return {
      state,
      challenge: createHash('sha256').update(verifier).digest('base64url'),
      nonce: this.#keys.of('login-nonce', state, host),
      // The time comes first, so that the oldest can be dropped.
      cookie: { name: cookieName(state), value: `${until}.${this.#binding(state, host)}` },
    }
  }

  /** The content of a `state` of that host; `undefined` for any other text. */
  read(host: string, state: string): KnownAttempt | undefined {
    const said = STATE.test(state) ? this.#seal.open(host, state) : undefined
    if (said === undefined) return undefined
    const [until = '', again = '', target = '/'] = said.split(' ')
    return { target, until: Number(until), again: again === '1' }
  }

  /** The login, in the browser that began it; `undefined` for any other, and after its time. */
  open(host: string, state: string, value: string, now: number): ReturnedLogin | undefined {
    const known = this.read(host, state)
    if (known === undefined || now / 1_000 >= known.until) return undefined
    const wanted = Buffer.from(`${known.until}.${this.#binding(state, host)}`)
    const presented = Buffer.from(value)
    if (presented.length !== wanted.length || !timingSafeEqual(presented, wanted)) return undefined
    const nonce = this.#keys.of('login-nonce', state, host)
    return { target: known.target, nonce, verifier: this.#verifier(state, host) }
  }

  #binding(state: string, host: string): string {
    return this.#keys.of('login-attempt', state, host)
  }

  #verifier(state: string, host: string): string {
    return this.#keys.of('login-verifier', state, host)
  }
}

/** The cookie of a login, by its state. */
export const cookieName = (state: string): string =>
  `${ATTEMPT_COOKIES}${state.slice(0, ATTEMPT_NAME)}`

/** When the time of a login is over, by the value of its cookie, in seconds; 0 for an invalid value. */
export const endOfAttempt = (value: string): number => Number.parseInt(value, 10) || 0

// Two slashes, or a backslash, which browsers take for one, would lead to another host.
const PATH = /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/

const ownTarget = (target: string): string =>
  PATH.test(target) && target.length <= LONGEST_TARGET ? target : '/'
