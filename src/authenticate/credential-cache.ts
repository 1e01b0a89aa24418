// The cache of verified credentials, and of rejected ones for some seconds. It never caches a decision, which is made
// for every request. A cached credential never outlives its own expiry.

import { hash, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { ProvenCredential } from '../identity/identity.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Authentication } from './authenticator.ts'
import { heapSizeOf } from '../runtime/heap-size.ts'

// Entries are the first limit where users have few groups, at some 15 MB; bytes are it where they have thousands. The
// identities made from the credentials take about as much again.
const MAX_ENTRIES = 10_000
const MAX_BYTES = 64 * 1_024 * 1_024

// Separate from the verified credentials, so that a flood of wrong ones evicts none of them.
const MAX_REJECTIONS = 10_000
const MAX_REJECTION_BYTES = 4 * 1_024 * 1_024
// The size of a rejection and its key, without the claimed name and the presented credential.
const REJECTION_BYTES = 250

/** The longest that a rejection is cached, in milliseconds: a corrected credential is accepted after that. */
export const LONGEST_REJECTION = 5_000

/** The key of a credential, which does not reveal it. */
export type CredentialKey = string

// Enough of the key to distinguish credentials in an audit log, too little to be the key.
const FINGERPRINT_LENGTH = 16

/** The audit log's digest of the credential of a key. */
export const fingerprintOf = (key: CredentialKey): string => key.slice(0, FINGERPRINT_LENGTH)

/** How long an outcome is cached at most, in milliseconds; 0 for no caching. */
export interface Lifetimes {
  readonly proof: number
  /** At most {@link LONGEST_REJECTION}. 0 where the user can correct the cause, such as a password. */
  readonly rejection: number
}

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
  /** How often all entries were removed. */
  readonly revocations: number
}

type Rejection = Extract<Authentication, { outcome: 'rejected' }>
type Counts = { -readonly [Name in keyof CacheLookups]: number }

/**
 * A bounded cache of verified credentials, kept across reloads. All authenticators share one, each by a scope of its
 * own ({@link CredentialCache.scopeOf}), which has separate counters.
 */
export class CredentialCache {
  readonly #shared: Shared
  readonly #counts: Counts = { hits: 0, refusals: 0, joined: 0, misses: 0 }

  constructor(clock: Clock, shared = new Shared(clock)) {
    this.#shared = shared
  }

  /** The scope of one authenticator, the same for the same name. */
  scopeOf(authenticator: string): CredentialCache {
    const { scopes, clock } = this.#shared
    const scope = scopes.get(authenticator) ?? new CredentialCache(clock, this.#shared)
    scopes.set(authenticator, scope)
    return scope
  }

  /**
   * The key of a credential.
   *
   * @param generation changes with everything that a verification depends on (such as the users file), so that nothing
   *   verified under an earlier state is found
   */
  keyOf(generation: string, credential: string): CredentialKey {
    return hash('sha256', `${this.#shared.secret}${generation}\0${credential}`, 'base64url')
  }

  /** The cached credential, unless it has expired. */
  get(key: CredentialKey): ProvenCredential | undefined {
    const credential = this.#shared.get(key)
    if (credential !== undefined) this.#counts.hits += 1
    return credential
  }

  /**
   * The cached outcome, or else that of `prove`, which is called once for concurrent requests with equal credentials.
   * A verified credential is cached for at most its lifetime and never past its expiry; a rejection for some seconds
   * if requested; `unavailable` never, nor any outcome that was under way when {@link CredentialCache.revoke} was
   * called.
   *
   * `prove` must not depend on the signal of one of the waiting requests.
   *
   * @param lifetime of a verified credential alone, in milliseconds, or of both outcomes
   */
  async getOrVerify(
    key: CredentialKey,
    lifetime: number | Lifetimes,
    prove: () => Promise<Authentication>,
  ): Promise<Authentication> {
    const shared = this.#shared
    const credential = this.get(key)
    if (credential !== undefined) return { outcome: 'authenticated', credential }
    const rejection = shared.getRejection(key)
    if (rejection !== undefined) {
      this.#counts.refusals += 1
      return rejection
    }
    const { pending, epoch } = shared
    const underWay = pending.get(key)
    if (underWay !== undefined) {
      this.#counts.joined += 1
      return underWay
    }
    this.#counts.misses += 1
    const proof = prove()
      .then((result) => {
        if (shared.epoch === epoch) shared.remember(key, lifetimes(lifetime), result)
        return result
      })
      .finally(() => pending.delete(key))
    pending.set(key, proof)
    return proof
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
    const { scopes, proofs, rejections, evictions, epoch } = this.#shared
    return {
      lookups: new Map([...scopes].map(([name, scope]) => [name, { ...scope.#counts }])),
      proofs: {
        entries: proofs.size,
        bytes: proofs.calculatedSize,
        evictions: evictions.proofs,
      },
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

/** The state that all scopes share. Lifetimes are monotonic, so that setting the clock back extends none. */
class Shared {
  readonly clock: Clock
  // Never leaves the process and ends with it, so that keys in a log cannot be tested against guesses. Hashed before the
  // credential, which is a MAC as long as no whole digest leaves the process (no length extension); an HMAC takes four times
  // as long.
  readonly secret = randomBytes(32).toString('base64url')
  readonly scopes = new Map<string, CredentialCache>()
  readonly evictions = { proofs: 0, rejections: 0 }
  readonly proofs = new LRUCache<
    CredentialKey,
    { readonly credential: ProvenCredential; readonly until: number }
  >({
    max: MAX_ENTRIES,
    maxSize: MAX_BYTES,
    sizeCalculation: ({ credential }) => heapSizeOf(credential),
    dispose: (_value, _key, reason) => {
      if (reason === 'evict') this.evictions.proofs += 1
    },
  })
  readonly rejections = new LRUCache<
    CredentialKey,
    { readonly rejection: Rejection; readonly until: number }
  >({
    max: MAX_REJECTIONS,
    maxSize: MAX_REJECTION_BYTES,
    sizeCalculation: ({ rejection: { user, presented } }) =>
      REJECTION_BYTES + heapSizeOf(user) + heapSizeOf(presented),
    dispose: (_value, _key, reason) => {
      if (reason === 'evict') this.evictions.rejections += 1
    },
  })
  pending = new Map<CredentialKey, Promise<Authentication>>()
  epoch = 0

  constructor(clock: Clock) {
    this.clock = clock
  }

  get(key: CredentialKey): ProvenCredential | undefined {
    const remembered = this.proofs.get(key)
    if (remembered === undefined) return undefined
    const { credential, until } = remembered
    if (this.clock.monotonic() < until && this.#isCurrent(credential)) return credential
    this.proofs.delete(key)
    return undefined
  }

  getRejection(key: CredentialKey): Rejection | undefined {
    const remembered = this.rejections.get(key)
    if (remembered === undefined) return undefined
    if (this.clock.monotonic() < remembered.until) return remembered.rejection
    this.rejections.delete(key)
    return undefined
  }

  remember(key: CredentialKey, { proof, rejection }: Lifetimes, result: Authentication): void {
    const now = this.clock.monotonic()
    if (result.outcome === 'authenticated') {
      const { credential } = result
      if (proof > 0 && this.#isCurrent(credential)) {
        this.proofs.set(key, { credential, until: now + proof })
      }
    } else if (result.outcome === 'rejected' && rejection > 0) {
      const until = now + Math.min(rejection, LONGEST_REJECTION)
      this.rejections.set(key, { rejection: result, until })
    }
  }

  revoke(): void {
    this.epoch += 1
    this.proofs.clear()
    this.rejections.clear()
    // Later requests do not join a verification that began before.
    this.pending = new Map()
  }

  #isCurrent({ expires }: ProvenCredential): boolean {
    return expires === undefined || this.clock.now() < expires
  }
}
