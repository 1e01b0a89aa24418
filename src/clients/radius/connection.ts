// One socket or connection with the requests on it: gives each an identifier of its own, and lets only
// genuine replies through to them.

import { randomBytes, randomInt } from 'node:crypto'
import type { Clock } from '../../runtime/clock.ts'
import {
  encodeRequest,
  faultOfReply,
  readPacket,
  REQUEST,
  type PacketFault,
  type RequestContent,
} from './packet.ts'
import { Exchange } from './exchange.ts'
import { RadiusFailure } from './failure.ts'
import type { SharedSecret } from './secret.ts'
import type { OpenTransport, Transport, TransportEvents } from './transport.ts'

/** What all connections to one server have in common. */
export interface ConnectionOptions {
  readonly open: OpenTransport
  readonly secret: SharedSecret
  /**
   * Whether the transport authenticates the server and keeps order. If so, a false reply ends the connection
   * (RFC 6613 §2.6.4).
   */
  readonly secure: boolean
  /**
   * Whether replies must contain `Message-Authenticator` (CVE-2024-3596). Not where the transport is secure, as the
   * secret of RFC 6614 §2.3 is public.
   */
  readonly signed: boolean
  /** Milliseconds to the first retransmission, and for a signed reply after one that is not. */
  readonly interval: number
  readonly clock: Clock
  /** Called for every packet that is discarded. */
  readonly onFault: (fault: PacketFault) => void
}

// RFC 2865 §3: one octet.
const IDENTIFIERS = 256
const AUTHENTICATOR_LENGTH = 16

/** A socket or connection, and up to 256 requests on it. */
export class RadiusConnection implements TransportEvents {
  readonly #options: ConnectionOptions
  readonly #transport: Transport
  readonly #onEnd: (connection: RadiusConnection) => void
  readonly #exchanges = new Map<number, Exchange>()
  readonly #waiting = new Set<Exchange>()
  #next = randomInt(IDENTIFIERS)
  #state: 'opening' | 'open' | 'ended' = 'opening'
  #retired = false
  #opened = Number.POSITIVE_INFINITY
  #heard = Number.NEGATIVE_INFINITY

  constructor(options: ConnectionOptions, onEnd: (connection: RadiusConnection) => void) {
    this.#options = options
    this.#onEnd = onEnd
    this.#transport = options.open(this)
  }

  /** How many requests are on it. */
  get load(): number {
    return this.#exchanges.size
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** Whether it has been open since then (monotonic). */
  openSince(time: number): boolean {
    return this.isOpen && this.#opened <= time
  }

  /** Whether a genuine reply, to whatever request, has come since then (monotonic). */
  heardSince(time: number): boolean {
    return this.#heard >= time
  }

  /**
   * Gives a request an identifier and makes its bytes; nothing is sent yet.
   *
   * @throws RadiusFailure `overloaded` when 256 requests are on it
   */
  begin(content: RequestContent): Exchange {
    const identifier = this.#freeIdentifier()
    const authenticator = randomBytes(AUTHENTICATOR_LENGTH)
    const bytes = encodeRequest(content, identifier, authenticator, this.#options.secret)
    const signed = this.#options.signed && content.code === REQUEST.access
    const request = { bytes, authenticator, signed }
    const exchange = new Exchange(request, this.#options.interval, () => {
      this.#exchanges.delete(identifier)
      this.#waiting.delete(exchange)
      if (this.#retired) this.retire()
    })
    this.#exchanges.set(identifier, exchange)
    return exchange
  }

  /** Sends a request, for the first time or again; once the wire is open, if it is not yet. */
  send(exchange: Exchange): void {
    if (this.#state === 'open') this.#transport.send(exchange.bytes)
    else this.#waiting.add(exchange)
  }

  opened(): void {
    if (this.#state !== 'opening') return
    this.#state = 'open'
    this.#opened = this.#options.clock.monotonic()
    for (const { bytes } of this.#waiting) this.#transport.send(bytes)
    this.#waiting.clear()
  }

  received(bytes: Uint8Array): void {
    const fault = this.#deliver(bytes)
    if (fault === undefined) return
    this.#options.onFault(fault)
    // A late or repeated reply does not prove a forgery.
    if (this.#options.secure && fault !== 'identifier-unexpected') {
      this.lost(new RadiusFailure('connection-lost', `the server sent a false reply: ${fault}`))
    }
  }

  refused(failure: RadiusFailure): void {
    for (const exchange of this.#exchanges.values()) {
      if (!exchange.persistent) exchange.fail(failure)
    }
  }

  /** Ends it: the transport is closed, or must not be used any longer. */
  lost(failure: RadiusFailure): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#transport.close()
    for (const exchange of this.#exchanges.values()) exchange.fail(failure)
    this.#onEnd(this)
  }

  /** Ends it once the requests on it have come to their ends. */
  retire(): void {
    this.#retired = true
    if (this.load === 0) this.lost(new RadiusFailure('connection-lost', 'no longer used'))
  }

  // In turn, so that the identifier of a request that was given up is used again as late as possible.
  #freeIdentifier(): number {
    for (let tried = 0; tried < IDENTIFIERS; tried += 1) {
      const identifier = this.#next
      this.#next = (this.#next + 1) % IDENTIFIERS
      if (!this.#exchanges.has(identifier)) return identifier
    }
    throw new RadiusFailure('overloaded', `${IDENTIFIERS} requests wait on one socket already`)
  }

  #deliver(bytes: Uint8Array): PacketFault | undefined {
    const reading = readPacket(bytes)
    if (!reading.ok) return reading.fault
    const { packet } = reading
    const exchange = this.#exchanges.get(packet.identifier)
    if (exchange === undefined) return 'identifier-unexpected'
    const { secret, clock } = this.#options
    const { authenticator, signed } = exchange
    const fault = faultOfReply(packet, { authenticator, secret, signed })
    if (fault === undefined) {
      this.#heard = clock.monotonic()
      exchange.answer(packet)
    } else {
      exchange.discard(fault, packet)
    }
    return fault
  }
}
