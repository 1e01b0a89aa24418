// Remembered proofs: facts about a credential that was proven a moment ago. Never a decision, which
// is made anew for every request (design: a cached fact never outlives its credential).

import { createHmac, createSecretKey, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Facts } from '../identity/identity.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Authentication } from './authenticator.ts'

// About 1 KB an entry with its facts: some 10 MB when full.
const MAX_ENTRIES = 10_000

interface Remembered {
  readonly facts: Facts
  readonly until: number
}

/** A key that stands for a credential without giving it away. */
export type CredentialKey = string

/** A bounded memory of proofs, shared by all authenticators and kept across reloads. */
export class FactMemory {
  // Ours alone and gone with the process: nobody can test guesses against a key in a dump or a log.
  // (As a KeyObject: from bytes, Node would make one for every HMAC, at five times the cost.)
  readonly #hmacKey = createSecretKey(randomBytes(32))
  readonly #proofs = new LRUCache<CredentialKey, Remembered>({ max: MAX_ENTRIES })
  readonly #pending = new Map<CredentialKey, Promise<Authentication>>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * The key of a credential.
   *
   * @param generation changes whenever what the proof rested on changes (the users file, say), so
   *   that nothing proven under the old state is found under the new
   */
  keyOf(generation: string, credential: string): CredentialKey {
    return createHmac('sha256', this.#hmacKey)
      .update(`${generation}\0${credential}`)
      .digest('base64url')
  }

  /** The remembered facts, unless their time is over. */
  recall(key: CredentialKey): Facts | undefined {
    const remembered = this.#proofs.get(key)
    if (remembered === undefined) return undefined
    if (this.#clock.now() < remembered.until) return remembered.facts
    this.#proofs.delete(key)
    return undefined
  }

  /**
   * The remembered proof, or else the outcome of `prove`. Equal credentials that arrive together are proven once; only success is
   * remembered, for at most `lifetime` milliseconds and never past
   * the expiry of the facts.
   *
   * `prove` must not depend on the signal of one of the waiting requests.
   */
  async proofOf(
    key: CredentialKey,
    lifetime: number,
    prove: () => Promise<Authentication>,
  ): Promise<Authentication> {
    const facts = this.recall(key)
    if (facts !== undefined) return { outcome: 'authenticated', facts }
    const pending = this.#pending.get(key)
    if (pending !== undefined) return pending
    const proof = prove()
      .then((result) => {
        if (result.outcome === 'authenticated') this.#remember(key, lifetime, result.facts)
        return result
      })
      .finally(() => this.#pending.delete(key))
    this.#pending.set(key, proof)
    return proof
  }

  #remember(key: CredentialKey, lifetime: number, facts: Facts): void {
    if (lifetime === 0) return
    const until = Math.min(this.#clock.now() + lifetime, facts.expires ?? Number.POSITIVE_INFINITY)
    this.#proofs.set(key, { facts, until })
  }
}
