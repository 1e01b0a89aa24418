// Mints tokens: template → sign. Equal identities get the cached token
// until two thirds of its lifetime are over.

import { randomUUID } from 'node:crypto'
import type { MintConfig } from '../../keys/mint-schema.ts'
import type { Identity } from '../../identity/identity.ts'
import type { SigningKeySet } from '../../keys/signing-key-set.ts'
import type { Clock } from '../../runtime/clock.ts'
import { digestOf } from '../../runtime/digest.ts'
import type { TransformFailure } from '../transformer.ts'
import type { HeldToken, TokenCache } from './token-cache.ts'
import { TokenTemplate, type TokenClaims } from './token-template.ts'

/** What a minter needs. */
export interface MinterOptions {
  readonly config: MintConfig
  /** `iss`. */
  readonly issuer: string
  readonly keys: SigningKeySet
  /** Reserved names that the token may contain, each written out. */
  readonly allowReserved: readonly string[]
  readonly cache: TokenCache
  readonly clock: Clock
}

/** A token, or why there is none. */
export type Minting =
  | { readonly outcome: 'minted'; readonly held: HeldToken }
  | { readonly outcome: 'failed'; readonly code: TransformFailure; readonly detail?: string }

/** Makes the tokens of one template. */
export class Minter {
  readonly #options: MinterOptions
  readonly #template: TokenTemplate

  constructor(options: MinterOptions) {
    const { config, issuer, allowReserved } = options
    this.#options = options
    this.#template = new TokenTemplate(config, issuer, allowReserved)
  }

  /**
   * A token for this identity.
   *
   * @param kind how it is counted
   * @throws CountersignError `signing-keys-invalid` when no key signs
   */
  async mint(identity: Identity, kind: string): Promise<Minting> {
    const { config, keys, cache, clock } = this.#options
    const result = this.#template.apply(identity)
    if (result.outcome === 'failed') return result
    const { claims, authTime } = result
    const { algorithm, kind: type, lifetime } = config
    const times = timesOf(identity, clock.now(), lifetime)
    if (times === undefined) return { outcome: 'failed', code: 'credential-expired' }
    const key = digestOf([algorithm, type, lifetime, claims])
    const fits = (held: HeldToken): boolean =>
      clock.now() < held.until &&
      endsWith(identity, held) &&
      isTruthful(held.authTime, authTime) &&
      keys.publishes(held.kid ?? '')
    const saying = authTime === undefined ? claims : { ...claims, auth_time: authTime }
    const held = await cache.tokenOf(kind, key, fits, async () => ({
      ...(await this.#sign({ ...saying, ...times })),
      authTime,
    }))
    return { outcome: 'minted', held }
  }

  async #sign(claims: TokenClaims & Times): Promise<HeldToken> {
    const { config, keys } = this.#options
    const { iat, exp, jti: id } = claims
    const type = config.kind === 'access_token' ? 'at+jwt' : 'JWT'
    const { token, kid } = await keys.sign(config.algorithm, type, claims)
    const until = (iat + ((exp - iat) * 2) / 3) * 1_000
    return { token, id, kid, until, expires: exp * 1_000 }
  }
}

/** What is another in every token (RFC 7519 §4.1). */
interface Times {
  readonly iat: number
  readonly exp: number
  readonly jti: string
}

/** In whole seconds, and never past the credential's end; `undefined` where nothing is left of it. */
const timesOf = ({ expires }: Identity, now: number, lifetime: number): Times | undefined => {
  const iat = Math.floor(now / 1_000)
  const exp = Math.floor(Math.min(now + lifetime, expires ?? Number.POSITIVE_INFINITY) / 1_000)
  return exp > iat ? { iat, exp, jti: randomUUID() } : undefined
}

/** A token that was made for another credential of the same identity must not outlive this one. */
const endsWith = ({ expires }: Identity, held: HeldToken): boolean =>
  expires === undefined || (held.expires !== undefined && held.expires <= expires)

/** Nor may it claim a later login than the caller's. */
const isTruthful = (said: number | undefined, known: number | undefined): boolean =>
  said === undefined ? known === undefined : known !== undefined && said <= known
