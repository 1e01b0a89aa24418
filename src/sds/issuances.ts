// One certificate for each name, whatever the number of streams and subscriptions: kept for as long as it is
// current, also when no stream holds the name. An Envoy that subscribes again and again gets the same one.

import { LRUCache } from 'lru-cache'
import { handleDigest } from '../grant/handle.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Issuance, Issued, NotIssued, CertificateSource } from '../ca/issuer.ts'
import type { Counters } from './statistics.ts'

/** What {@link Issuances} needs. */
export interface IssuancesOptions {
  readonly issuer: CertificateSource
  readonly clock: Clock
  readonly logger: Logger
  readonly counters: Counters
  /** The most names that all streams hold together, one for each stream that holds it. */
  readonly maxNames: number
}

interface Entry {
  holders: number
  pending: Promise<Issuance> | undefined
  issued: Issued | undefined
  /** When the time of `issued` is over. */
  until: number
  /** How often Envoy has rejected a certificate of this name lately. */
  rejections: number
  /** No certificate is made before; on the monotonic clock. */
  pausedUntil: number
}

const FAULT: NotIssued = { outcome: 'refused', code: 'internal-error' }
const PAUSED: NotIssued = { outcome: 'refused', code: 'rejected-before' }

// google.protobuf.Duration holds no more than 10,000 years; a certificate for one is a bug.
const LONGEST_TTL = 366 * 86_400_000

// Certificates that no stream holds: some 5,000, since each has 3 KB with its key and its name. One
// that is dropped is only made again.
const MOST_UNHELD_BYTES = 16_777_216

// The size of the objects of an entry, without its texts.
const ENTRY_BYTES = 500

// An Envoy that rejects a certificate (FIPS, key type, clock) rejects the next one as well, and asks
// with every request.
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 60_000

// Names of up to 6,000 characters: on average each may have this many.
const MEAN_NAME_BYTES = 1_024

/** How many certificates are kept for later, and how much they take, about. */
export interface UnheldCertificates {
  readonly entries: number
  readonly bytes: number
  readonly maxBytes: number
}

/** The names that streams hold now, and the certificates that were issued for them and for earlier names. */
export class Issuances {
  readonly #options: IssuancesOptions
  /** Names that a stream holds, or that are being made. */
  readonly #entries = new Map<string, Entry>()
  readonly #unheld = new LRUCache<string, Entry>({
    maxSize: MOST_UNHELD_BYTES,
    sizeCalculation: (entry, name) => sizeOf(name, entry),
  })
  #nameBytes = 0

  constructor(options: IssuancesOptions) {
    this.#options = options
  }

  /** Certificates that no stream holds now and that are kept for the next one that does. */
  get unheld(): UnheldCertificates {
    const { size, calculatedSize } = this.#unheld
    return { entries: size, bytes: calculatedSize, maxBytes: MOST_UNHELD_BYTES }
  }

  /** Notes that one more stream holds the name; gives false where all streams hold too many. */
  hold(name: string): boolean {
    const { counters, maxNames } = this.#options
    const bytes = this.#nameBytes + name.length
    if (counters.names >= maxNames || bytes > maxNames * MEAN_NAME_BYTES) return false
    counters.names += 1
    this.#nameBytes = bytes
    this.#entryOf(name).holders += 1
    return true
  }

  /** Notes that one stream less holds the name. */
  release(name: string): void {
    this.#options.counters.names -= 1
    this.#nameBytes -= name.length
    const entry = this.#entryOf(name)
    entry.holders -= 1
    this.#setAside(name, entry)
  }

  /** The certificate for a name that is held, with the `ttl` that is left. Never rejects. */
  async get(name: string): Promise<Issuance> {
    const { clock, counters } = this.#options
    const entry = this.#entryOf(name)
    const ttl = entry.until - clock.now()
    if (entry.issued !== undefined && ttl > 0 && this.isCurrent(name, entry.issued.version)) {
      return { ...entry.issued, ttl }
    }
    entry.issued = undefined
    if (clock.monotonic() < entry.pausedUntil) {
      counters.refused += 1
      return PAUSED
    }
    entry.pending ??= this.#issue(name, entry)
    return await entry.pending
  }

  /**
   * Drops a certificate that Envoy has rejected. The next one is made after a pause of a second, twice
   * as long after each further rejection, at most a minute.
   */
  reject(name: string): void {
    const entry = this.#entries.get(name)
    if (entry?.issued === undefined) return
    entry.issued = undefined
    const now = this.#options.clock.monotonic()
    if (isForgotten(entry, now)) entry.rejections = 0
    entry.pausedUntil = now + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** entry.rejections)
    entry.rejections += 1
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
    const entry = this.#unheld.get(name) ?? {
      holders: 0,
      pending: undefined,
      issued: undefined,
      until: 0,
      rejections: 0,
      pausedUntil: 0,
    }
    this.#unheld.delete(name)
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
    this.#setAside(name, entry)
    return issuance
  }

  async #ask(name: string): Promise<Issuance> {
    const { issuer, logger, counters } = this.#options
    try {
      const issuance = await issuer.issue(name)
      if (issuance.outcome === 'refused') {
        counters.refused += 1
        logger.debug({ handle: handleDigest(name), code: issuance.code }, 'secret refused')
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

  /** Takes a name that no stream holds out of those that are held. */
  #setAside(name: string, entry: Entry): void {
    // A certificate that is being made stays, for a stream that subscribes before it is ready.
    if (entry.holders > 0 || entry.pending !== undefined) return
    this.#entries.delete(name)
    const now = this.#options.clock.monotonic()
    if (entry.issued !== undefined || !isForgotten(entry, now)) this.#unheld.set(name, entry)
  }
}

/** Whether the last rejection is so long ago that the next one is a first one. */
const isForgotten = ({ rejections, pausedUntil }: Entry, now: number): boolean =>
  rejections === 0 || now - pausedUntil >= LONGEST_PAUSE_MS

const sizeOf = (name: string, { issued }: Entry): number =>
  ENTRY_BYTES +
  name.length +
  (issued?.certificateChain.length ?? 0) +
  (issued?.privateKey.length ?? 0)

/** A copy outside Node's pool for small buffers, whose 8 KB live for as long as one byte in them. */
const unpooled = (bytes: Buffer): Buffer => {
  const copy = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(copy)
  return copy
}
