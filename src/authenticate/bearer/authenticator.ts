// Bearer tokens (RFC 6750) that are signed JWTs: verified by the keys of their issuer, without a request to it. Opaque
// tokens and those of other issuers are left to other authenticators. Where configured, tokens may be bound to a key
// that the caller proves (RFC 9449).

import type { ProvenCredential } from '../../identity/identity.ts'
import type { Request } from '../../request/request.ts'
import { issuerDetail } from '../required-and-found.ts'
import { tokenUser } from '../../identity/default-names.ts'
import { presentedToken } from '../../identity/presented-credential.ts'
import type { Clock } from '../../runtime/clock.ts'
import { digestOf } from '../../runtime/digest.ts'
import { andThen, type MaybePromise } from '../../runtime/maybe-promise.ts'
import { shared } from '../../runtime/shared.ts'
import type { Authentication, Authenticator } from '../authenticator.ts'
import { fingerprintOf, type CredentialCache, type CredentialKey } from '../credential-cache.ts'
import type { EndedTokenCheck } from '../session/token-status.ts'
import {
  BEARER_LOCATIONS,
  UNREAD_BEARER_LOCATIONS,
  readBearerCredentials,
  type BearerCredentials,
  type TokenScheme,
} from './bearer-credentials.ts'
import { mayUse } from './binding.ts'
import { tokenChallenges } from './challenges.ts'
import { holderCheck, type DpopOptions, type HolderVerdict } from './dpop.ts'
import type { KeySet } from './key-set.ts'
import type { Keys } from './keys.ts'
import { readToken } from './token.ts'
import { checkToken, refusalOf, type PlausibleToken, type TokenRules } from './verify-token.ts'

/** What a bearer authenticator needs. */
export interface BearerOptions extends TokenRules {
  /** Its name in the configuration. */
  readonly name: string
  readonly realm: string
  readonly keys: KeySet
  /** How long a verified token is cached at most, in milliseconds; 0 for no caching. */
  readonly cacheTtl: number
  readonly clock: Clock
  readonly cache: CredentialCache
  /** Without it, tokens that are bound to a key are refused. */
  readonly dpop?: DpopOptions | undefined
  /** For tokens of Countersign's own issuer: whether the login has ended, or the user was signed out. */
  readonly isTokenEnded?: EndedTokenCheck | undefined
}

/** Makes an authenticator for bearer tokens of one issuer. */
export const bearerAuthenticator = (options: BearerOptions): Authenticator => {
  const { name, realm, keys, dpop, isTokenEnded } = options
  const prover = new Prover(options)
  const mayHold = holding(dpop)
  const challenges = tokenChallenges(realm, dpop)
  const schemes = dpop === undefined ? BEARER_ONLY : BEARER_AND_DPOP
  const refuse = (rejection: Rejection, scheme: TokenScheme): Rejection => ({
    ...rejection,
    challenge: challenges.after(rejection.code, scheme),
  })
  // For every request: a bound token is refused without its certificate or key, also when it is cached.
  const admit = (
    authentication: Authentication,
    { scheme, token }: Presented,
    request: Request,
  ): MaybePromise<Authentication> => {
    if (authentication.outcome === 'rejected') return refuse(authentication, scheme)
    if (authentication.outcome !== 'authenticated') return authentication
    const { credential } = authentication
    const holder = mayHold(scheme, request, token, credential)
    if (holder === PROVEN && isTokenEnded === undefined) return authentication
    return andThen(holder, (verdict) => {
      if (verdict.outcome === 'rejected') {
        const { user, presented } = credential
        return refuse({ ...verdict, user, presented }, scheme)
      }
      if (verdict.outcome === 'unavailable') return verdict
      if (isTokenEnded === undefined) return authentication
      return andThen(endingOf(credential, isTokenEnded), (ending) => {
        if (ending === undefined) return authentication
        return ending.outcome === 'rejected' ? refuse(ending, scheme) : ending
      })
    })
  }
  return {
    name,
    challenges: challenges.invitations,
    locations: BEARER_LOCATIONS,
    unread: UNREAD_BEARER_LOCATIONS,
    authenticate(request, signal) {
      const credentials = readBearerCredentials(request.headers, schemes)
      if (credentials.outcome === 'absent') return { outcome: 'not-applicable' }
      if (credentials.outcome === 'malformed') return refuse(MALFORMED, credentials.scheme)
      const { token } = credentials
      const key = prover.keyOf(token, keys.current())
      const outcome = prover.recall(token, key) ?? prover.prove(token, key, signal)
      return outcome instanceof Promise
        ? outcome.then((settled) => admit(settled, credentials, request))
        : admit(outcome, credentials, request)
    },
  }
}

const BEARER_ONLY: readonly TokenScheme[] = ['bearer']
const BEARER_AND_DPOP: readonly TokenScheme[] = ['bearer', 'dpop']

type Rejection = Extract<Authentication, { outcome: 'rejected' }>
type Presented = Extract<BearerCredentials, { outcome: 'present' }>

/** Whether the caller may use a verified token. */
const holding = (dpop: DpopOptions | undefined) => {
  const check = dpop && holderCheck(dpop)
  return (
    scheme: TokenScheme,
    request: Request,
    token: string,
    credential: ProvenCredential,
  ): HolderVerdict | Promise<HolderVerdict> => {
    if (scheme === 'dpop' && check !== undefined) return check(request, token, credential)
    const { claims = {} } = credential
    if (dpop?.require === true && claims['cnf'] === undefined) return UNBOUND
    return mayUse(claims, request.peerCertificate) ? PROVEN : UNBOUND
  }
}

/** Why a verified token is refused before it expires; `undefined` where it is not. */
const endingOf = async (
  { user, presented, claims = {} }: ProvenCredential,
  isTokenEnded: EndedTokenCheck,
): Promise<Rejection | Extract<Authentication, { outcome: 'unavailable' }> | undefined> => {
  try {
    const ended = await isTokenEnded(claims)
    return ended ? { outcome: 'rejected', code: 'token-inactive', user, presented } : undefined
  } catch (cause) {
    return { outcome: 'unavailable', cause }
  }
}

const PROVEN = { outcome: 'proven' } as const
const UNBOUND = { outcome: 'rejected', code: 'token-binding' } as const

/** A key of the cache, and the keys of the issuer that it depends on. */
interface TokenKey {
  readonly keys: Keys
  readonly text: CredentialKey
}

/** Verifies tokens, and caches verified ones while the keys remain unchanged. */
class Prover {
  readonly #options: BearerOptions
  readonly #generation: string

  constructor(options: BearerOptions) {
    this.#options = options
    this.#generation = generationOf(options)
  }

  /** Under which key of the cache the token is; `undefined` without keys of the issuer. */
  keyOf(token: string, keys: Keys | undefined): TokenKey | undefined {
    return keys && this.#keyUnder(token, keys)
  }

  /** The cached outcome for the token under these keys. */
  recall(token: string, key: TokenKey | undefined): Authentication | undefined {
    if (key === undefined) return undefined
    const { cache, cacheTtl } = this.#options
    const cached = cache.find(key.text)
    if (cached === undefined) return undefined
    // Ahead of time, so that the tokens that came together do not have to be verified together.
    if (cached.isDue) cache.renew(key.text, cacheTtl, () => this.#proveAgain(token, key))
    return { outcome: 'authenticated', credential: cached.credential }
  }

  #proveAgain(text: string, key: TokenKey): MaybePromise<Authentication> {
    const reading = readToken(text)
    if (reading.outcome !== 'token') return MALFORMED
    const judgement = checkToken(reading.token, this.#options, this.#options.clock.now())
    return judgement.outcome === 'rejected' ? judgement : this.#verify(key, judgement.plausible)
  }

  /** A promise only where newer keys are fetched, or the signature is verified on another thread. */
  prove(
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
    const key = known?.keys === held ? known : this.keyOf(text, held)
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
          digest: fingerprintOf(key.text),
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

  /** The hash is of the token alone, so that the fingerprint remains when the keys change. */
  #keyUnder(token: string, keys: Keys): TokenKey {
    return { keys, text: `${this.#options.cache.keyOf(this.#generation, token)}${keys.version}` }
  }
}

const MALFORMED = { outcome: 'rejected', code: 'credential-malformed' } as const

// Of all tokens: groups and attributes come from claims, by the mapping of identities.
const NO_GROUPS: readonly string[] = Object.freeze([])
const NO_EXTRA = Object.freeze({})

/** The issuer may have a newer key, under a new kid, a known one, or none. */
const mayBeOfNewerKey = (proof: Authentication): boolean =>
  hasCode(proof, 'token-key-unknown') || hasCode(proof, 'token-signature')

const hasCode = (proof: Authentication, code: string): boolean =>
  proof.outcome === 'rejected' && proof.code === code

/** The generation of a verification: everything that it depends on except the keys. */
const generationOf = (options: BearerOptions): string => {
  const { name, issuer, audiences, kind, algorithms, skew, require, cacheTtl } = options
  return digestOf([name, issuer, audiences, kind, algorithms, skew, require?.source, cacheTtl])
}
