// Remembered proofs: facts about a credential that was proven a moment ago. Never a decision, which
// is made anew for every request (design: a cached fact never outlives its credential). Beside them,
// for some seconds, what was found wrong.

import { createHmac, createSecretKey, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { ProvenCredential } from '../identity/identity.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Authentication } from './authenticator.ts'
import { heapSizeOf } from '../runtime/heap-size.ts'

// Where users are in a few groups, entries are what runs out first, at some 15 MB; where they are in
// thousands, bytes. The identities that are made of the facts take about as much again.
const MAX_ENTRIES = 10_000
const MAX_BYTES = 64 * 1_024 * 1_024

// Apart from the proofs, so that a flood of wrong credentials drives out none of them.
const MAX_REJECTIONS = 10_000
const MAX_REJECTION_BYTES = 4 * 1_024 * 1_024
// What a rejection takes beside the name that was claimed and what was shown, its key included.
const REJECTION_BYTES = 250

/** The longest that a rejection is remembered, in milliseconds: what was mended works after that. */
export const LONGEST_REJECTION = 5_000

/** A key that stands for a credential without giving it away. */
export type CredentialKey = string

// Enough of the key to tell credentials apart in an audit log, too little to be the key.
const FINGERPRINT_LENGTH = 16

/** What an audit log calls the credential of a key. */
export const fingerprintOf = (key: CredentialKey): string => key.slice(0, FINGERPRINT_LENGTH)

/** How long an outcome is remembered at most, in milliseconds; 0 for not at all. */
export interface Lifetimes {
  readonly proof: number
  /** Cut to {@link LONGEST_REJECTION}. Not for what its owner can set right, such as a password. */
  readonly rejection: number
}

/** How often credentials were asked about, and what came of it. Counts since the start. */
interface FactLookups {
  /** Answered by a remembered proof. */
  readonly hits: number
  /** Answered by a remembered rejection. */
  readonly refusals: number
  /** Answered by a proof that was under way. */
  readonly joined: number
  /** Proofs that had to be made. */
  readonly misses: number
}

/** What is held of one kind. */
export interface FactHoldings {
  readonly entries: number
  /** An estimate. */
  readonly bytes: number
  /** Entries that had to go before their time, since the start. */
  readonly evictions: number
}

/** How the memory is doing. */
export interface FactStatistics {
  /** By authenticator. */
  readonly lookups: ReadonlyMap<string, FactLookups>
  readonly proofs: FactHoldings
  readonly rejections: FactHoldings
  /** How often everything was forgotten. */
  readonly revocations: number
}

type Rejection = Extract<Authentication, { outcome: 'rejected' }>
type Counts = { -readonly [Name in keyof FactLookups]: number }

/**
 * A bounded memory of proofs, kept across reloads. All authenticators share one, each by a view of
 * its own ({@link CredentialCache.scopeOf}), which only counts apart.
 */
export class CredentialCache {
  readonly #shared: Shared
  readonly #counts: Counts = { hits: 0, refusals: 0, joined: 0, misses: 0 }

  constructor(clock: Clock, shared = new Shared(clock)) {
    this.#shared = shared
  }

  /** The view of one authenticator, the same for the same name. */
  scopeOf(authenticator: string): CredentialCache {
    const { scopes, clock } = this.#shared
    const scope = scopes.get(authenticator) ?? new CredentialCache(clock, this.#shared)
    scopes.set(authenticator, scope)
    return scope
  }

  /**
   * The key of a credential.
   *
   * @param generation changes whenever what the proof rested on changes (the users file, say), so
   *   that nothing proven under the old state is found under the new
   */
  keyOf(generation: string, credential: string): CredentialKey {
    return createHmac('sha256', this.#shared.hmacKey)
      .update(`${generation}\0${credential}`)
      .digest('base64url')
  }

  /** The remembered facts, unless their time is over. */
  get(key: CredentialKey): ProvenCredential | undefined {
    const facts = this.#shared.get(key)
    if (facts !== undefined) this.#counts.hits += 1
    return facts
  }

  /**
   * The remembered outcome, or else that of `prove`. Equal credentials that arrive together are
   * proven once. A proof is remembered for at most its lifetime and never past the expiry of the
   * facts, a rejection for some seconds where that is asked for; `unavailable` never is, nor is
   * anything that was under way when {@link CredentialCache.revoke} was called.
   *
   * `prove` must not depend on the signal of one of the waiting requests.
   *
   * @param lifetime of a proof alone, in milliseconds, or of both outcomes
   */
  async getOrVerify(
    key: CredentialKey,
    lifetime: number | Lifetimes,
    prove: () => Promise<Authentication>,
  ): Promise<Authentication> {
    const shared = this.#shared
    const facts = this.get(key)
    if (facts !== undefined) return { outcome: 'authenticated', facts }
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

  /** Which revocation epoch it is, for whoever remembers other facts and has to forget them too. */
  get epoch(): number {
    return this.#shared.epoch
  }

  /** Begins a new revocation epoch: whatever was proven before it has to be proven again. */
  revoke(): void {
    this.#shared.revoke()
  }

  /** The counters as they are now. */
  statistics(): FactStatistics {
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

/** What all views share. Lifetimes are monotonic, so that a clock which is set back prolongs none. */
class Shared {
  readonly clock: Clock
  // Ours alone and gone with the process: nobody can test guesses against a key in a dump or a log.
  // (As a KeyObject: from bytes, Node would make one for every HMAC, at five times the cost.)
  readonly hmacKey = createSecretKey(randomBytes(32))
  readonly scopes = new Map<string, CredentialCache>()
  readonly evictions = { proofs: 0, rejections: 0 }
  readonly proofs = new LRUCache<
    CredentialKey,
    { readonly facts: ProvenCredential; readonly until: number }
  >({
    max: MAX_ENTRIES,
    maxSize: MAX_BYTES,
    sizeCalculation: ({ facts }) => heapSizeOf(facts),
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
    sizeCalculation: ({ rejection: { user, shown } }) =>
      REJECTION_BYTES + heapSizeOf(user) + heapSizeOf(shown),
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
    const { facts, until } = remembered
    if (this.clock.monotonic() < until && this.#isCurrent(facts)) return facts
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
      const { facts } = result
      if (proof > 0 && this.#isCurrent(facts)) this.proofs.set(key, { facts, until: now + proof })
    } else if (result.outcome === 'rejected' && rejection > 0) {
      const until = now + Math.min(rejection, LONGEST_REJECTION)
      this.rejections.set(key, { rejection: result, until })
    }
  }

  revoke(): void {
    this.epoch += 1
    this.proofs.clear()
    this.rejections.clear()
    // Whoever comes now does not join a proof that began before.
    this.pending = new Map()
  }

  #isCurrent({ expires }: ProvenCredential): boolean {
    return expires === undefined || this.clock.now() < expires
  }
}
