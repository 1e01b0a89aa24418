// The cache of verified credentials, and of rejected ones for some seconds. It never caches a decision, which is made
// for every request. A cached credential never outlives its own expiry.

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ProvenCredential } from '../identity/identity.ts'
import type { Clock } from '../runtime/clock.ts'
import type { MaybePromise } from '../runtime/maybe-promise.ts'
import type { Authentication } from './authenticator.ts'
import {
  CachedCredentials,
  LONGEST_REJECTION,
  type CachedCredential,
  type CacheOptions,
  type Lifetimes,
} from './cached-credentials.ts'
import { fingerprintOf, type CredentialKey } from './credential-key.ts'
import type { HeaderLine } from '../request/header-line.ts'

export { fingerprintOf, LONGEST_REJECTION, type CredentialKey }

// More are renewed by later requests: verifications of requests that wait come first.
const MAX_RENEWALS = 16

/** Lookups of credentials by result, since the start. */
interface CacheLookups {
  /** Answered by a cached credential. */
  readonly hits: number
  /** Answered by a cached rejection. */
  readonly refusals: number
  /** Answered by a verification under way. */
  readonly joined: number
  /** Verifications. */
  readonly misses: number
}

/** The entries of one kind. */
export interface CacheEntries {
  readonly entries: number
  /** An estimate. */
  readonly bytes: number
  /** Entries that were evicted before they expired, since the start. */
  readonly evictions: number
}

/** The state of the cache. */
export interface CacheStatistics {
  /** By authenticator. */
  readonly lookups: ReadonlyMap<string, CacheLookups>
  readonly proofs: CacheEntries
  readonly rejections: CacheEntries
  /** The most bytes of verified credentials. */
  readonly maxBytes: number
  /** How often all entries were removed. */
  readonly revocations: number
}

type Counts = { -readonly [Name in keyof CacheLookups]: number }

/**
 * A bounded cache of verified credentials, kept across reloads. All authenticators share one, each by a scope of its
 * own ({@link CredentialCache.scopeOf}), which has separate counters.
 */
export class CredentialCache {
  #shared: CachedCredentials
  #scopes = new Map<string, CredentialCache>()
  readonly #counts: Counts = { hits: 0, refusals: 0, joined: 0, misses: 0 }

  constructor(clock: Clock, options: CacheOptions = {}) {
    this.#shared = new CachedCredentials(clock, options)
  }

  /** The scope of one authenticator, the same for the same name. */
  scopeOf(authenticator: string): CredentialCache {
    const known = this.#scopes.get(authenticator)
    if (known !== undefined) return known
    const scope = new CredentialCache(this.#shared.clock)
    scope.#shared = this.#shared
    scope.#scopes = this.#scopes
    this.#scopes.set(authenticator, scope)
    return scope
  }

  /**
   * The key of a credential.
   *
   * @param generation changes with everything that a verification depends on (such as the users file), so that nothing
   *   verified under an earlier state is found
   */
  keyOf(generation: string, credential: string): CredentialKey {
    return this.#shared.keys.keyOf(generation, credential)
  }

  /** The same of the value of a header line; see {@link CredentialKeys.keyOfValue}. */
  keyOfValue(generation: string, line: HeaderLine, start: number): CredentialKey | undefined {
    return this.#shared.keys.keyOfValue(generation, line, start)
  }

  /** The cached credential, unless it has expired. */
  get(key: CredentialKey): ProvenCredential | undefined {
    return this.find(key)?.credential
  }

  /** The same, and whether it is due to be verified again ({@link CredentialCache.renew}). */
  find(key: CredentialKey): CachedCredential | undefined {
    const found = this.#shared.find(key)
    if (found !== undefined) this.#counts.hits += 1
    return found
  }

  /**
   * Verifies a cached credential again while no request waits for it, and prolongs it. For credentials that say the same
   * whenever they are verified, such as signed tokens. Does nothing where it is being verified, or where many are.
   *
   * @param prove as for {@link CredentialCache.getOrVerify}
   */
  renew(key: CredentialKey, lifetime: number, prove: () => MaybePromise<Authentication>): void {
    const shared = this.#shared
    const { pending, renewing } = shared
    if (pending.has(key) || renewing.has(key) || renewing.size >= MAX_RENEWALS) return
    renewing.add(key)
    void this.#renew(key, lifetime, prove)
  }

  async #renew(
    key: CredentialKey,
    lifetime: number,
    prove: () => MaybePromise<Authentication>,
  ): Promise<void> {
    const shared = this.#shared
    try {
      // The request that found it is answered first: a signature is verified at once.
      await nextTurn()
      await this.#verify(key, prove, ({ outcome }) => {
        if (outcome === 'authenticated') shared.prolong(key, lifetime)
        else if (outcome === 'rejected') shared.proofs.delete(key)
      })
    } catch {
      // The cached credential is valid until its time is over; then a request gets the failure.
    } finally {
      shared.renewing.delete(key)
    }
  }

  /**
   * The cached outcome, or else that of `prove`, which is called once for concurrent requests with equal credentials.
   * A verified credential is cached for at most its lifetime and never past its expiry; a rejection for some seconds
   * if requested; `unavailable` never, nor any outcome that was under way when {@link CredentialCache.revoke} was
   * called.
   *
   * `prove` must not depend on the signal of one of the waiting requests. The outcome is a promise only where that of `prove` is;
   * what `prove` throws is thrown.
   *
   * @param lifetime of a verified credential alone, in milliseconds, or of both outcomes
   */
  getOrVerify(
    key: CredentialKey,
    lifetime: number | Lifetimes,
    prove: () => MaybePromise<Authentication>,
  ): MaybePromise<Authentication> {
    const shared = this.#shared
    const credential = this.get(key)
    if (credential !== undefined) return { outcome: 'authenticated', credential }
    const rejection = shared.getRejection(key)
    if (rejection !== undefined) {
      this.#counts.refusals += 1
      return rejection
    }
    const underWay = shared.pending.get(key)
    if (underWay !== undefined) {
      this.#counts.joined += 1
      return underWay
    }
    this.#counts.misses += 1
    const times = lifetimes(lifetime)
    return this.#verify(key, prove, (result) => shared.remember(key, times, result))
  }

  /** @param keep called with the outcome, unless everything was revoked meanwhile */
  #verify(
    key: CredentialKey,
    prove: () => MaybePromise<Authentication>,
    keep: (result: Authentication) => void,
  ): MaybePromise<Authentication> {
    const shared = this.#shared
    const { pending, epoch } = shared
    const verified = prove()
    if (!(verified instanceof Promise)) {
      keep(verified)
      return verified
    }
    const proof = verified
      .then((result) => {
        if (shared.epoch === epoch) keep(result)
        return result
      })
      .finally(() => pending.delete(key))
    pending.set(key, proof)
    return proof
  }

  /** Sets the most bytes of cached credentials; the ones that were used last remain. */
  resize(maxBytes: number): void {
    this.#shared.proofs.resize(maxBytes)
  }

  /** The revocation epoch, for other caches that must be cleared with this one. */
  get epoch(): number {
    return this.#shared.epoch
  }

  /** Begins a new revocation epoch: every credential must be verified again. */
  revoke(): void {
    this.#shared.revoke()
  }

  /** The counters as they are now. */
  statistics(): CacheStatistics {
    const { proofs, rejections, evictions, epoch } = this.#shared
    return {
      lookups: new Map([...this.#scopes].map(([name, scope]) => [name, { ...scope.#counts }])),
      proofs: {
        entries: proofs.size,
        bytes: proofs.bytes,
        evictions: evictions.proofs,
      },
      maxBytes: proofs.maxBytes,
      rejections: {
        entries: rejections.size,
        bytes: rejections.calculatedSize,
        evictions: evictions.rejections,
      },
      revocations: epoch,
    }
  }
}

const lifetimes = (lifetime: number | Lifetimes): Lifetimes =>
  typeof lifetime === 'number' ? { proof: lifetime, rejection: 0 } : lifetime
