// One certificate for each name, however many streams ask: kept while a stream holds the name, and
// never used past its time.

import { handleDigest } from '../grant/seal.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Issuance, Issued, Refused, SecretIssuer } from './secret-issuer.ts'
import type { Counters } from './statistics.ts'

/** What {@link Issuances} needs. */
export interface IssuancesOptions {
  readonly issuer: SecretIssuer
  readonly clock: Clock
  readonly logger: Logger
  readonly counters: Counters
}

interface Entry {
  holders: number
  pending: Promise<Issuance> | undefined
  issued: Issued | undefined
  /** When the time of `issued` is over. */
  until: number
}

const FAULT: Refused = { outcome: 'refused', code: 'fault' }

// google.protobuf.Duration holds no more than 10,000 years; a certificate for one is a bug.
const LONGEST_TTL = 366 * 86_400_000

/** The names that streams hold now, and what was issued for them. */
export class Issuances {
  readonly #options: IssuancesOptions
  readonly #entries = new Map<string, Entry>()

  constructor(options: IssuancesOptions) {
    this.#options = options
  }

  /** Notes that one more stream holds the name. */
  hold(name: string): void {
    this.#options.counters.names += 1
    this.#entryOf(name).holders += 1
  }

  /** Notes that one stream less holds the name; after the last one it is forgotten. */
  release(name: string): void {
    this.#options.counters.names -= 1
    const entry = this.#entryOf(name)
    entry.holders -= 1
    this.#forgetUnused(name, entry)
  }

  /** The certificate for a name that is held, with the `ttl` that is left. Never rejects. */
  async get(name: string): Promise<Issuance> {
    const entry = this.#entryOf(name)
    const ttl = entry.until - this.#options.clock.now()
    if (entry.issued !== undefined && ttl > 0) return { ...entry.issued, ttl }
    entry.issued = undefined
    entry.pending ??= this.#issue(name, entry)
    return await entry.pending
  }

  /** Drops a certificate that Envoy would not have, so that whoever asks next gets another. */
  reject(name: string): void {
    const entry = this.#entries.get(name)
    if (entry !== undefined) entry.issued = undefined
  }

  /** Whether Envoy can keep what it holds. Never throws. */
  isCurrent(name: string, version: string): boolean {
    try {
      return this.#options.issuer.isCurrent(name, version)
    } catch (cause) {
      this.#fault(name, cause)
      return false
    }
  }

  #entryOf(name: string): Entry {
    const known = this.#entries.get(name)
    if (known !== undefined) return known
    const entry: Entry = { holders: 0, pending: undefined, issued: undefined, until: 0 }
    this.#entries.set(name, entry)
    return entry
  }

  async #issue(name: string, entry: Entry): Promise<Issuance> {
    const issuance = await this.#ask(name)
    entry.pending = undefined
    if (issuance.outcome === 'issued') {
      const { certificateChain, privateKey } = issuance
      entry.issued = {
        ...issuance,
        certificateChain: unpooled(certificateChain),
        privateKey: unpooled(privateKey),
      }
      entry.until = this.#options.clock.now() + issuance.ttl
    }
    this.#forgetUnused(name, entry)
    return issuance
  }

  async #ask(name: string): Promise<Issuance> {
    const { issuer, logger, counters } = this.#options
    try {
      const issuance = await issuer.issue(name)
      if (issuance.outcome === 'refused') {
        counters.refused += 1
        logger.info({ handle: handleDigest(name), code: issuance.code }, 'secret refused')
      } else {
        if (!(issuance.ttl > 0 && issuance.ttl <= LONGEST_TTL)) {
          throw new RangeError(`a certificate was issued for ${issuance.ttl} ms`)
        }
        counters.issued += 1
      }
      return issuance
    } catch (cause) {
      this.#fault(name, cause)
      return FAULT
    }
  }

  #fault(name: string, cause: unknown): void {
    const { logger, counters } = this.#options
    counters.errors += 1
    logger.error({ handle: handleDigest(name), err: cause }, 'issuer failed')
  }

  #forgetUnused(name: string, entry: Entry): void {
    // What is being made is kept although nobody holds the name, for whoever asks before it is there.
    if (entry.holders === 0 && entry.pending === undefined) this.#entries.delete(name)
  }
}

/** A copy outside Node's pool for small buffers, whose 8 KB live for as long as one byte in them. */
const unpooled = (bytes: Buffer): Buffer => {
  const copy = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(copy)
  return copy
}
