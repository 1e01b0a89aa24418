// Tokens are verified here: by the keys of their issuer, and once while these remain the same.

import { tokenUser } from '../../identity/default-names.ts'
import { presentedToken } from '../../identity/presented-credential.ts'
import type { HeaderLine } from '../../request/header-line.ts'
import type { Clock } from '../../runtime/clock.ts'
import { digestOf } from '../../runtime/digest.ts'
import { andThen, type MaybePromise } from '../../runtime/maybe-promise.ts'
import { shared } from '../../runtime/shared.ts'
import type { Authentication } from '../authenticator.ts'
import { fingerprintOf, type CredentialCache, type CredentialKey } from '../credential-cache.ts'
import { issuerDetail } from '../required-and-found.ts'
import type { KeySet } from './key-set.ts'
import type { Keys } from './keys.ts'
import { readToken } from './token.ts'
import { checkToken, refusalOf, type PlausibleToken, type TokenRules } from './verify-token.ts'

/** What verifies tokens. */
export interface ProverOptions extends TokenRules {
  /** The name of the authenticator in the configuration. */
  readonly name: string
  readonly keys: KeySet
  /** How long a verified token is cached at most, in milliseconds; 0 for no caching. */
  readonly cacheTtl: number
  readonly clock: Clock
  readonly cache: CredentialCache
}

/** A key of the cache, and the keys of the issuer that it depends on. */
interface TokenKey {
  readonly keys: Keys
  readonly token: string
  readonly text: CredentialKey
}

/** Verifies tokens, and caches verified ones while the keys remain unchanged. */
export class Prover {
  readonly #options: ProverOptions
  readonly #generation: string
  /** The generation under the keys that were used last: a cached token is found by one hash of it and nothing else. */
  #under: { readonly keys: Keys; readonly generation: string } | undefined

  constructor(options: ProverOptions) {
    this.#options = options
    this.#generation = generationOf(options)
  }

  /**
   * The cached outcome for the token that a header line has from the byte `start` on; `undefined` where it is not cached. What
   * is not a token is never in the cache.
   */
  recallValue(line: HeaderLine, start: number): Authentication | undefined {
    const { cache, keys } = this.#options
    const held = keys.current()
    if (held === undefined) return undefined
    const text = cache.keyOfValue(this.#generationUnder(held), line, start)
    const cached = text === undefined ? undefined : cache.find(text)
    if (text === undefined || cached === undefined) return undefined
    if (cached.isDue) this.#renew({ keys: held, token: line.text.slice(start), text })
    return { outcome: 'authenticated', credential: cached.credential }
  }

  /** The cached outcome, or else that of a verification. */
  recallOrProve(token: string, signal: AbortSignal): MaybePromise<Authentication> {
    const held = this.#options.keys.current()
    const key = held && this.#keyUnder(token, held)
    const cached = key && this.#options.cache.find(key.text)
    if (key === undefined || cached === undefined) return this.#prove(token, key, signal)
    if (cached.isDue) this.#renew(key)
    return { outcome: 'authenticated', credential: cached.credential }
  }

  /** Ahead of time, so that the tokens that came together do not have to be verified together. */
  #renew(key: TokenKey): void {
    const { cache, cacheTtl } = this.#options
    cache.renew(key.text, cacheTtl, () => this.#proveAgain(key))
  }

  #proveAgain(key: TokenKey): MaybePromise<Authentication> {
    const reading = readToken(key.token)
    if (reading.outcome !== 'token') return MALFORMED
    const judgement = checkToken(reading.token, this.#options, this.#options.clock.now())
    return judgement.outcome === 'rejected' ? judgement : this.#verify(key, judgement.plausible)
  }

  /** A promise only where newer keys are fetched, or the signature is verified on another thread. */
  #prove(
    text: string,
    key: TokenKey | undefined,
    signal: AbortSignal,
  ): MaybePromise<Authentication> {
    const { issuer, clock } = this.#options
    const reading = readToken(text)
    if (reading.outcome === 'opaque') return { outcome: 'not-applicable' }
    if (reading.outcome === 'malformed') return MALFORMED
    // Not verified, but the claimed issuer decides which authenticator is applicable.
    const { iss } = reading.token.claims
    if (iss !== issuer) {
      return { outcome: 'not-applicable', detail: () => issuerDetail(issuer, iss) }
    }
    const judgement = checkToken(reading.token, this.#options, clock.now())
    if (judgement.outcome === 'rejected') {
      const { claims } = reading.token
      const presented = presentedToken(claims, false)
      return typeof claims['sub'] === 'string'
        ? { ...judgement, user: tokenUser(issuer, claims['sub']), presented }
        : { ...judgement, presented }
    }
    return shared(() => this.#proveWithKeys(text, key, judgement.plausible), signal)
  }

  /** Verifies by the current keys, or by newer ones where the current ones do not match the token. */
  #proveWithKeys(
    text: string,
    known: TokenKey | undefined,
    plausible: PlausibleToken,
  ): MaybePromise<Authentication> {
    const held = this.#options.keys.current()
    const key = known?.keys === held ? known : held && this.#keyUnder(text, held)
    return andThen(key && this.#proofBy(key, plausible), (proof) =>
      proof !== undefined && !mayBeOfNewerKey(proof)
        ? proof
        : this.#proveWithNewerKeys(text, held, plausible, proof),
    )
  }

  /** @param proof the outcome by the keys that were held, if there were any */
  #proveWithNewerKeys(
    text: string,
    held: Keys | undefined,
    plausible: PlausibleToken,
    proof: Authentication | undefined,
  ): MaybePromise<Authentication> {
    return andThen(this.#options.keys.newer(held), (renewal) => {
      if (renewal.outcome === 'keys') {
        return this.#proofBy(this.#keyUnder(text, renewal.keys), plausible)
      }
      const isSame = renewal.outcome === 'same'
      if (proof !== undefined && (isSame || hasCode(proof, 'token-signature'))) return proof
      return {
        outcome: 'unavailable',
        cause: isSame ? new Error('no keys are known') : renewal.cause,
      }
    })
  }

  /** Shared by all concurrent requests with this token, and cached under these keys only. */
  #proofBy(key: TokenKey, plausible: PlausibleToken): MaybePromise<Authentication> {
    const { cache, cacheTtl } = this.#options
    // A rejection remains valid under these keys; newer keys have another cache key.
    const lifetimes = { proof: cacheTtl, rejection: cacheTtl }
    return cache.getOrVerify(key.text, lifetimes, () => this.#verify(key, plausible))
  }

  #verify(key: TokenKey, plausible: PlausibleToken): MaybePromise<Authentication> {
    return andThen(refusalOf(plausible, key.keys, this.#options), (refusal) => {
      const user = tokenUser(this.#options.issuer, plausible.subject)
      const { token, expires } = plausible
      if (refusal !== undefined) {
        const proven = refusal.code === 'token-claims' // which is evaluated after the signature
        return {
          outcome: 'rejected',
          ...refusal,
          user,
          presented: presentedToken(token.claims, proven),
        }
      }
      return {
        outcome: 'authenticated',
        credential: {
          method: 'bearer',
          digest: this.#fingerprintOf(key.token),
          user,
          groups: NO_GROUPS,
          extra: NO_EXTRA,
          expires,
          claims: token.claims,
          presented: presentedToken(token.claims, true),
        },
      }
    })
  }

  #keyUnder(token: string, keys: Keys): TokenKey {
    return { keys, token, text: this.#options.cache.keyOf(this.#generationUnder(keys), token) }
  }

  #generationUnder(keys: Keys): string {
    if (this.#under?.keys !== keys) {
      this.#under = { keys, generation: `${this.#generation}\0${keys.version}` }
    }
    return this.#under.generation
  }

  /** Without the keys: it remains when they change. */
  #fingerprintOf(token: string): string {
    return fingerprintOf(this.#options.cache.keyOf(this.#generation, token))
  }
}

export const MALFORMED = { outcome: 'rejected', code: 'credential-malformed' } as const

// Of all tokens: groups and attributes come from claims, by the mapping of identities.
const NO_GROUPS: readonly string[] = Object.freeze([])
const NO_EXTRA = Object.freeze({})

/** The issuer may have a newer key, under a new kid, a known one, or none. */
const mayBeOfNewerKey = (proof: Authentication): boolean =>
  hasCode(proof, 'token-key-unknown') || hasCode(proof, 'token-signature')

const hasCode = (proof: Authentication, code: string): boolean =>
  proof.outcome === 'rejected' && proof.code === code

/** The generation of a verification: everything that it depends on except the keys. */
const generationOf = (options: ProverOptions): string => {
  const { name, issuer, audiences, kind, algorithms, skew, require, cacheTtl } = options
  return digestOf([name, issuer, audiences, kind, algorithms, skew, require?.source, cacheTtl])
}
