// The life of a connection: the settings at its beginning, its times, and its end by GOAWAY
// (RFC 9113 §3.4, §6.8).

import type { Duplex } from 'node:stream'
import type { Clock } from '../clock.ts'
import {
  ConnectionError,
  DEFAULT_WINDOW,
  ERROR,
  FRAME,
  MAX_31_BITS,
  write32,
  type ErrorNumber,
} from './frames.ts'
import type { Http2Limits } from './limits.ts'
import type { Output } from './output.ts'
import type { Sender } from './sender.ts'
import { encodeSettings, SETTING } from './settings.ts'

/** What a life is joined to. */
export interface LifeOptions {
  readonly socket: Duplex
  readonly output: Output
  readonly sender: Sender
  readonly limits: Http2Limits
  readonly clock: Clock
  /** The streams that are open, the last that was opened, and the end of those. */
  readonly streams: {
    readonly size: number
    readonly lastId: number
    acceptNoMore(): void
    closeAll(): void
  }
  /** Called when the peer or a fault ends the connection, with the reason. */
  readonly onFault: (cause: unknown) => void
}

const DRAIN_PING = Buffer.from('draining')
const GOAWAY_BYTES = 8

/** Begins and ends a connection. */
export class ConnectionLife {
  /** Whether the peer has sent its SETTINGS, and acknowledged those of the server. */
  hasSettings = false
  isAcknowledged = false
  /** Set whenever the peer has read something. */
  hasProgressed = true
  readonly #options: LifeOptions
  readonly #openedAt: number
  #drain: 'no' | 'announced' | 'final' = 'no'
  #drainedAt = 0
  #lingerUntil: number | undefined
  #lingerBytes = 0
  #progressAt: number
  #seenId = 0
  #unusedSince: number

  constructor(options: LifeOptions) {
    this.#options = options
    this.#openedAt = options.clock.monotonic()
    this.#progressAt = this.#openedAt
    this.#unusedSince = this.#openedAt
  }

  /** Whether GOAWAY ended it: what still comes is discarded. */
  get isOver(): boolean {
    return this.#lingerUntil !== undefined
  }

  /** Since when no stream is open, in milliseconds of the clock, to a tick; undefined while one is. */
  get unusedSince(): number | undefined {
    return this.#options.streams.size === 0 ? this.#unusedSince : undefined
  }

  /** Sends the preface of a server. */
  greet(): void {
    const { sender, limits } = this.#options
    const settings = encodeSettings([
      [SETTING.headerTableSize, limits.headerTableSize],
      [SETTING.maxConcurrentStreams, limits.maxStreams],
      [SETTING.initialWindowSize, limits.streamWindow],
      [SETTING.maxHeaderListSize, limits.maxHeaderListSize],
    ])
    sender.frame(FRAME.settings, 0, 0, settings)
    if (limits.connectionWindow > DEFAULT_WINDOW) {
      sender.number(FRAME.windowUpdate, 0, limits.connectionWindow - DEFAULT_WINDOW)
    }
  }

  /** Looks at the times. */
  tick(now: number): void {
    if (this.#lingerUntil !== undefined) {
      if (now > this.#lingerUntil) this.#options.socket.destroy()
      return
    }
    const { limits, streams } = this.#options
    const age = now - this.#openedAt
    if (!this.hasSettings && age > limits.prefaceTime) {
      return this.end(new ConnectionError(ERROR.protocol, 'no preface in time'))
    }
    if (this.hasSettings && !this.isAcknowledged && age > limits.settingsTime) {
      return this.end(new ConnectionError(ERROR.settingsTimeout, 'SETTINGS not acknowledged'))
    }
    this.#lookAtOutput(now)
    if (streams.size > 0 || streams.lastId !== this.#seenId) this.#unusedSince = now
    this.#seenId = streams.lastId
    if (now - this.#unusedSince > limits.idleTime) this.drain()
    if (this.#drain === 'announced' && now - this.#drainedAt > limits.settingsTime) this.#finish()
  }

  /**
   * Ends the connection when its streams have ended (§6.8): first with a GOAWAY that refuses nothing,
   * so that requests under way are still served.
   */
  drain(): void {
    if (this.#drain !== 'no' || this.isOver) return
    this.#drain = 'announced'
    this.#drainedAt = this.#options.clock.monotonic()
    this.#goaway(MAX_31_BITS, ERROR.none)
    this.#options.sender.frame(FRAME.ping, 0, 0, DRAIN_PING)
  }

  /** A PING was acknowledged. After that of the first GOAWAY, no request is under way any more. */
  onPong(payload: Buffer): void {
    if (this.#drain === 'announced' && DRAIN_PING.equals(payload)) this.#finish()
  }

  /** No stream is open now. */
  onUnused(): void {
    if (this.#drain === 'final' && !this.isOver) this.#linger()
  }

  /**
   * Ends the connection with GOAWAY (§5.4.1).
   *
   * @param cause an error of another class is a fault of the application
   */
  end(cause: unknown): void {
    if (this.isOver) return
    const { streams, onFault } = this.#options
    onFault(cause)
    this.#goaway(streams.lastId, cause instanceof ConnectionError ? cause.code : ERROR.internal)
    this.#linger()
    streams.closeAll()
  }

  /** Discards what comes after the end. */
  discard(bytes: number): void {
    this.#lingerBytes += bytes
    if (this.#lingerBytes > this.#options.limits.lingerBytes) this.#options.socket.destroy()
  }

  #finish(): void {
    const { streams } = this.#options
    this.#drain = 'final'
    streams.acceptNoMore()
    this.#goaway(streams.lastId, ERROR.none)
    if (streams.size === 0) this.#linger()
  }

  #lookAtOutput(now: number): void {
    const { socket, limits, onFault } = this.#options
    if (this.hasProgressed || socket.writableLength === 0) this.#progressAt = now
    this.hasProgressed = false
    if (now - this.#progressAt <= limits.stalledTime) return
    onFault(new Error('the peer does not read'))
    socket.destroy()
  }

  #goaway(lastId: number, code: ErrorNumber): void {
    const payload = Buffer.alloc(GOAWAY_BYTES)
    write32(payload, 0, lastId)
    write32(payload, 4, code)
    this.#options.sender.frame(FRAME.goaway, 0, 0, payload)
  }

  /** Closes this side, and reads for a moment: bytes left unread would make the system discard GOAWAY. */
  #linger(): void {
    const { socket, output, clock, limits } = this.#options
    this.#lingerUntil = clock.monotonic() + limits.lingerTime
    output.flush(socket)
    socket.end()
    socket.resume()
  }
}
