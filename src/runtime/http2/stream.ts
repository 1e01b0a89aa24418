// A stream of a connection as the application sees it (RFC 9113 §5.1): open, or half-closed by the peer.
// Closed ones are no longer there.

import type { ErrorNumber } from './frames.ts'

/** Takes what comes on a stream. A throw ends the connection: it is a fault of the application. */
export interface StreamReceiver {
  /**
   * Takes content: `bytes` from `start` to `end`, which are valid until {@link finished} returns where it
   * is the last, and otherwise during the call.
   */
  data(bytes: Buffer, start: number, end: number, isLast: boolean): void
  /** The peer has sent everything. Also called after the last content. */
  finished(): void
  /** What was to be sent waited for the peer, and waits no longer. */
  drained(): void
  /** The stream is closed, by whichever side and however. Called once. */
  closed(): void
}

/** What of a stream waits for the windows of the peer. */
export interface Waiting {
  readonly parts: Uint8Array[]
  /** Of the parts. */
  bytes: number
  /** The block that ends the stream, when it is known. */
  trailers: Buffer | undefined
}

/** Sends the frames of streams. */
export interface StreamSender {
  headers(stream: number, block: Buffer, isLast: boolean): void
  data(stream: Http2Stream, bytes: Uint8Array): void
  trailers(stream: Http2Stream, block: Buffer): void
  response(
    stream: Http2Stream,
    head: Buffer,
    prefix: Uint8Array,
    message: Uint8Array,
    trailers: Buffer,
  ): void
  reset(stream: number, code: ErrorNumber): void
  replenish(stream: Http2Stream): void
}

/** What a stream asks of its connection. */
export interface StreamOwner {
  /** Counts a stream as closed. */
  remove(stream: Http2Stream, wasReset: boolean): void
  /** Counts a fault of the peer's; too many end the connection. Must not throw. */
  countFault(): void
  readonly sender: StreamSender
  /** Where the peer is: an address and a port, or `unix`. */
  readonly peer: string
}

/** A stream that is not closed. The methods do nothing when it is. */
export class Http2Stream {
  readonly id: number
  readonly owner: StreamOwner
  receiver: StreamReceiver | undefined
  /** The window for what the server sends (§6.9); SETTINGS may make it negative. */
  sendWindow: number
  /** The window for what the peer sends. */
  receiveWindow: number
  /** Whether END_STREAM has been received. */
  isRemoteClosed = false
  isClosed = false
  /** Content that is still to come; undefined where the peer did not say how much there is. */
  contentLeft: number | undefined
  waiting: Waiting | undefined
  #isPaused = false

  constructor(id: number, owner: StreamOwner, sendWindow: number, receiveWindow: number) {
    this.id = id
    this.owner = owner
    this.sendWindow = sendWindow
    this.receiveWindow = receiveWindow
  }

  /** Whether the peer may not send more than its window has left. */
  get isPaused(): boolean {
    return this.#isPaused
  }

  /** How many bytes of content wait for the peer's windows. */
  get waitingBytes(): number {
    return this.waiting?.bytes ?? 0
  }

  /** Sends a header block, as the first of the stream. */
  sendHeaders(block: Buffer): void {
    if (!this.isClosed) this.owner.sender.headers(this.id, block, false)
  }

  /** Sends content. The bytes must not change until they are sent. */
  sendData(bytes: Uint8Array): void {
    if (!this.isClosed) this.owner.sender.data(this, bytes)
  }

  /** Sends the header block that ends the stream, after all content. */
  sendTrailers(block: Buffer): void {
    if (!this.isClosed) this.owner.sender.trailers(this, block)
  }

  /** Sends a response of three parts at once; faster than each by itself. */
  sendResponse(head: Buffer, prefix: Uint8Array, message: Uint8Array, trailers: Buffer): void {
    if (!this.isClosed) this.owner.sender.response(this, head, prefix, message, trailers)
  }

  /** Ends the stream with RST_STREAM. */
  reset(code: ErrorNumber): void {
    if (this.isClosed) return
    this.owner.sender.reset(this.id, code)
    this.owner.remove(this, true)
  }

  /**
   * Ends the stream with RST_STREAM for what the peer has done with it. Too many such streams end its
   * connection (the limit `faults`).
   */
  resetForFault(code: ErrorNumber): void {
    if (this.isClosed) return
    this.reset(code)
    this.owner.countFault()
  }

  /** Lets the peer send no more than what its window has left. */
  pause(): void {
    this.#isPaused = true
  }

  /** Lets the peer send again. */
  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    if (!this.isClosed) this.owner.sender.replenish(this)
  }
}
