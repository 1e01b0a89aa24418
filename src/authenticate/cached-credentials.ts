// What the credential cache holds, bounded: verified credentials by bytes, and rejections of the last seconds. Lifetimes are
// monotonic, so that setting the clock back extends none.

import { LRUCache } from 'lru-cache'
import type { ProvenCredential } from '../identity/identity.ts'
import type { Clock } from '../runtime/clock.ts'
import { keepsDerived } from '../runtime/derived.ts'
import { heapSizeOf } from '../runtime/heap-size.ts'
import { SegmentedCache } from '../runtime/segmented-cache.ts'
import type { Authentication } from './authenticator.ts'
import { CredentialKeys, type CredentialKey } from './credential-key.ts'

/**
 * The default of the most bytes, by an estimate: some 30,000 credentials of users with few groups. The identities made
 * from them take about as much again.
 */
export const DEFAULT_CACHE_BYTES = 64 * 1_024 * 1_024
// The key, and what the cache takes for an entry.
const ENTRY_BYTES = 300

/** A credential in the last fifth of its time in the cache is verified again when it is used. */
const RENEWAL_PART = 0.2

// Separate from the verified credentials, so that a flood of wrong ones evicts none of them.
const MAX_REJECTIONS = 10_000
const MAX_REJECTION_BYTES = 4 * 1_024 * 1_024
// The size of a rejection and its key, without the claimed name and the presented credential.
const REJECTION_BYTES = 250

/** The longest that a rejection is cached, in milliseconds: a corrected credential is accepted after that. */
export const LONGEST_REJECTION = 5_000

/** How long an outcome is cached at most, in milliseconds; 0 for no caching. */
export interface Lifetimes {
  readonly proof: number
  /** At most {@link LONGEST_REJECTION}. 0 where the user can correct the cause, such as a password. */
  readonly rejection: number
}

/** A cached credential. */
export interface CachedCredential {
  readonly credential: ProvenCredential
  /** Whether it is time to verify the credential again, so that no request has to wait for it. */
  readonly isDue: boolean
}

/** Options of the cache. */
export interface CacheOptions {
  /** Called when a credential is evicted before it expires: the cache is smaller than what is used. */
  readonly onEvicted?: () => void
}

type Rejection = Extract<Authentication, { outcome: 'rejected' }>

interface CachedProof extends CachedCredential {
  /** When it is due to be verified again; monotonic, as is `until`. */
  readonly dueFrom: number
  readonly until: number
}

/** The entries of the cache. */
export class CachedCredentials {
  readonly clock: Clock
  readonly keys = new CredentialKeys()
  readonly evictions = { proofs: 0, rejections: 0 }
  readonly proofs = new SegmentedCache<CachedProof>({
    maxBytes: DEFAULT_CACHE_BYTES,
    bytesOf: ({ credential }) => ENTRY_BYTES + heapSizeOf(credential),
    onEvicted: ({ until }) => {
      this.evictions.proofs += 1
      if (this.clock.monotonic() < until) this.#options.onEvicted?.()
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
  /** The keys of credentials that are verified again while no request waits. */
  readonly renewing = new Set<CredentialKey>()
  epoch = 0
  readonly #options: CacheOptions

  constructor(clock: Clock, options: CacheOptions) {
    this.clock = clock
    this.#options = options
  }

  find(key: CredentialKey): CachedCredential | undefined {
    const cached = this.proofs.get(key)
    if (cached === undefined) return undefined
    const now = this.clock.monotonic()
    const { credential, dueFrom, until } = cached
    if (now < until && this.#isCurrent(credential)) {
      return now < dueFrom ? cached : { credential, isDue: true }
    }
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
    if (result.outcome === 'authenticated') {
      this.#set(key, result.credential, proof)
    } else if (result.outcome === 'rejected' && rejection > 0) {
      const until = this.clock.monotonic() + Math.min(rejection, LONGEST_REJECTION)
      this.rejections.set(key, { rejection: result, until })
    }
  }

  /** Prolongs a credential that was verified again. */
  prolong(key: CredentialKey, lifetime: number): void {
    const credential = this.proofs.get(key)?.credential
    if (credential !== undefined) this.#set(key, credential, lifetime)
  }

  #set(key: CredentialKey, credential: ProvenCredential, lifetime: number): void {
    if (lifetime <= 0 || !this.#isCurrent(credential)) return
    const until = this.clock.monotonic() + lifetime
    const dueFrom = until - lifetime * RENEWAL_PART
    this.proofs.set(key, { credential: keepsDerived(credential), isDue: false, dueFrom, until })
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
