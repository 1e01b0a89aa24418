// The streams of one connection: their states and what may arrive in each (RFC 9113 §5.1, §6, §8).

import type { Clock } from '../clock.ts'
import { TokenBucket } from '../token-bucket.ts'
import { ClosedStreams } from './closed-streams.ts'
import { ConnectionError, ERROR, FLAG, MAX_31_BITS, type ErrorNumber } from './frames.ts'
import { HeaderBlocks } from './header-blocks.ts'
import type { Http2Limits } from './limits.ts'
import { OpenStreams } from './open-streams.ts'
import { areTrailers, type RequestHead } from './request-head.ts'
import type { Sender } from './sender.ts'
import { Http2Stream, type StreamOwner, type StreamReceiver } from './stream.ts'

/** What serves the requests of all connections. */
export interface Http2Application<Prepared> {
  /** What is the same for all requests that have this head; it is kept with the head. */
  prepare(head: RequestHead): Prepared
  /** Whether a request may begin now; if not, it is refused and may be tried again elsewhere. */
  accepts(): boolean
  /** Takes a request; the receiver gets what follows. */
  open(stream: Http2Stream, prepared: Prepared): StreamReceiver
  /** Called when everything that one read of a socket brought has been taken. */
  readEnd(): void
}

/** What the streams are joined to. */
export interface StreamsOptions<Prepared> {
  readonly application: Http2Application<Prepared>
  readonly limits: Http2Limits
  readonly sender: Sender
  readonly peer: string
  readonly clock: Clock
  /** Called when a stream is closed and no other is open. */
  readonly onUnused: () => void
  /** Ends the connection for what the application found. */
  readonly onExcess: (cause: ConnectionError) => void
}

const tooManyFaults = (): ConnectionError =>
  new ConnectionError(ERROR.enhanceYourCalm, 'too many streams with a fault')

/** The streams of a connection that are not closed. */
export class Streams<Prepared> implements StreamOwner {
  readonly sender: Sender
  readonly peer: string
  readonly blocks: HeaderBlocks<Prepared>
  /** Frames that no stream needs (see the limit of that name). */
  readonly idleFrames: TokenBucket
  readonly #options: StreamsOptions<Prepared>
  readonly #open = new OpenStreams()
  readonly #closed = new ClosedStreams()
  readonly #resets: TokenBucket
  readonly #faults: TokenBucket
  #lastId = 0
  #isFinal = false

  constructor(options: StreamsOptions<Prepared>) {
    const { application, limits, clock } = options
    this.#options = options
    this.sender = options.sender
    this.peer = options.peer
    this.blocks = new HeaderBlocks(limits, (head) => application.prepare(head))
    this.idleFrames = new TokenBucket(limits.idleFrames, clock)
    this.#resets = new TokenBucket(limits.resets, clock)
    this.#faults = new TokenBucket(limits.faults, clock)
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size
  }

  /** The last stream that the peer opened. */
  get lastId(): number {
    return this.#lastId
  }

  /** From now on streams of the peer are ignored (§6.8). */
  acceptNoMore(): void {
    this.#isFinal = true
  }

  /** Takes a whole header block. */
  block(
    id: number,
    isLast: boolean,
    bytes: Buffer,
    start: number,
    end: number,
    dependsOnItself: boolean,
  ): void {
    if (id > this.#lastId) {
      return this.#request(id, isLast, bytes, start, end, dependsOnItself)
    }
    const stream = this.#open.get(id)
    if (stream === undefined) {
      // Decoded in any case: the state of compression is that of the connection (§4.3).
      this.blocks.fields(bytes, start, end)
      return this.#onClosed(id, ERROR.protocol) // §5.1.1
    }
    const fields = this.blocks.fields(bytes, start, end)
    if (stream.isRemoteClosed) return this.fault(id, ERROR.streamClosed)
    // §8.1: trailers end the request.
    if (!isLast || fields === undefined || !areTrailers(fields)) {
      return this.fault(id, ERROR.protocol)
    }
    this.#end(stream)
  }

  /** Takes DATA, without its padding; the window of the connection has been charged. */
  data(id: number, flags: number, bytes: Buffer, start: number, end: number, length: number): void {
    const stream = this.#open.get(id)
    if (stream === undefined) return this.#unexpected(id, true)
    if (stream.isRemoteClosed) return this.fault(id, ERROR.streamClosed)
    stream.receiveWindow -= length
    if (stream.receiveWindow < 0) return this.fault(id, ERROR.flowControl) // §6.9.1
    const isLast = (flags & FLAG.endStream) !== 0
    if (stream.contentLeft !== undefined) {
      stream.contentLeft -= end - start
      // §8.1.1: the content must have the length that was said.
      if (stream.contentLeft < 0) return this.fault(id, ERROR.protocol)
    }
    if (end > start) stream.receiver?.data(bytes, start, end, isLast)
    else if (!isLast) this.idle(1) // CVE-2019-9518
    if (isLast) this.#end(stream)
    else if (stream.receiveWindow < this.#options.limits.streamWindow / 2 && !stream.isPaused) {
      if (!stream.isClosed) this.sender.replenish(stream)
    }
  }

  /** Takes RST_STREAM (§6.4). */
  reset(id: number): void {
    if (!this.#resets.takeUnclocked(1)) {
      throw new ConnectionError(ERROR.enhanceYourCalm, 'too many RST_STREAM frames')
    }
    const stream = this.#open.get(id)
    if (stream === undefined) return this.#unexpected(id, false)
    this.#close(stream)
    this.#closed.add(id, 'reset-by-peer')
  }

  /** Takes WINDOW_UPDATE of a stream (§6.9). */
  windowUpdate(id: number, increment: number): void {
    const stream = this.#open.get(id)
    if (stream === undefined) return this.#unexpected(id, false)
    if (increment === 0) return this.fault(id, ERROR.protocol)
    stream.sendWindow += increment
    if (stream.sendWindow > MAX_31_BITS) return this.fault(id, ERROR.flowControl)
    this.sender.send(stream)
  }

  /** Takes PRIORITY (§6.3), which is deprecated (§5.3.2). */
  priority(id: number, dependency: number, length: number): void {
    const open = this.#open.get(id) !== undefined
    if (length !== 5) {
      if (!open) throw new ConnectionError(ERROR.frameSize, 'PRIORITY of a wrong length')
      return this.fault(id, ERROR.frameSize)
    }
    // RFC 7540 §5.3.1: a stream cannot depend on itself.
    if (dependency !== id) return this.idle(1)
    if (!open) throw new ConnectionError(ERROR.protocol, 'a stream that depends on itself')
    this.fault(id, ERROR.protocol)
  }

  /** §6.9.2: the initial window has changed, and with it that of every stream. */
  adjustWindows(change: number): void {
    for (const stream of this.#open.all()) {
      stream.sendWindow += change
      if (stream.sendWindow > MAX_31_BITS) {
        throw new ConnectionError(ERROR.flowControl, 'the window of a stream is too large')
      }
      if (change > 0) this.sender.send(stream)
    }
  }

  /**
   * Counts frames that no stream needs.
   *
   * @throws ConnectionError when there are too many
   */
  idle(frames: number): void {
    if (this.idleFrames.takeUnclocked(frames)) return
    throw new ConnectionError(ERROR.enhanceYourCalm, 'too many frames that carry nothing')
  }

  /** Resets a stream, open or not, for a fault of the peer (§5.4.2). */
  fault(id: number, code: ErrorNumber): void {
    if (!this.#faults.takeUnclocked(1)) throw tooManyFaults()
    const stream = this.#open.get(id)
    if (stream !== undefined) return stream.reset(code)
    this.#reject(id, code)
  }

  /** A stream is closed by this side. */
  remove(stream: Http2Stream, wasReset: boolean): void {
    this.#closed.add(stream.id, wasReset ? 'reset' : 'ended')
    this.#close(stream)
  }

  countFault(): void {
    // Not thrown: what the application drops may be a stream of another connection than that which is read.
    if (!this.#faults.takeUnclocked(1)) this.#options.onExcess(tooManyFaults())
  }

  /** The connection is over. */
  closeAll(): void {
    for (const stream of this.#open.all()) if (!stream.isClosed) this.#close(stream)
  }

  /** Resets a stream that is not open. */
  #reject(id: number, code: ErrorNumber): void {
    this.sender.reset(id, code)
    this.#closed.add(id, 'reset')
  }

  #close(stream: Http2Stream): void {
    this.#open.delete(stream.id)
    stream.isClosed = true
    if (stream.waiting !== undefined) this.sender.forget(stream)
    stream.receiver?.closed()
    if (this.#open.size === 0) this.#options.onUnused()
  }

  #end(stream: Http2Stream): void {
    if (stream.isClosed) return
    const { contentLeft = 0 } = stream
    if (contentLeft !== 0) return this.fault(stream.id, ERROR.protocol) // §8.1.1
    stream.isRemoteClosed = true
    stream.receiver?.finished()
  }

  #request(
    id: number,
    isLast: boolean,
    bytes: Buffer,
    start: number,
    end: number,
    dependsOnItself: boolean,
  ): void {
    const { application, limits } = this.#options
    if (this.#isFinal) {
      this.blocks.fields(bytes, start, end)
      return this.idle(1)
    }
    this.#lastId = id
    const reading = this.blocks.request(bytes, start, end)
    if (reading === 'malformed' || dependsOnItself) return this.fault(id, ERROR.protocol)
    if (reading === 'too-large') return this.fault(id, ERROR.enhanceYourCalm)
    if (this.#open.size >= limits.maxStreams) return this.fault(id, ERROR.refusedStream) // §5.1.2
    if (!application.accepts()) return this.#reject(id, ERROR.refusedStream) // no fault of the peer
    this.idleFrames.giveBack(limits.framesPerRequest)
    const { initialWindow } = this.sender.peer
    const stream = new Http2Stream(id, this, initialWindow, limits.streamWindow)
    this.#open.add(stream)
    stream.contentLeft = reading.head.contentLength
    stream.receiver = application.open(stream, reading.prepared)
    if (stream.isClosed) stream.receiver.closed()
    else if (isLast) this.#end(stream)
  }

  /** A frame on a stream that is not open, which may have been under way when it closed. */
  #unexpected(id: number, isContent: boolean): void {
    if (id > this.#lastId && !this.#isFinal) {
      throw new ConnectionError(ERROR.protocol, 'a frame on an idle stream') // §5.1
    }
    if (isContent) this.#onClosed(id, ERROR.streamClosed)
    else this.idle(1)
  }

  /** DATA or HEADERS on a stream that is closed. */
  #onClosed(id: number, unknown: ErrorNumber): void {
    this.idle(1)
    switch (this.#closed.endOf(id)) {
      case 'reset': // under way when the peer learned of it
        return
      case 'reset-by-peer':
        return this.fault(id, ERROR.streamClosed)
      case 'ended':
        throw new ConnectionError(ERROR.streamClosed, 'a frame on a stream that has ended')
      case 'unknown':
        if (id <= this.#lastId) throw new ConnectionError(unknown, 'a frame on a closed stream')
    }
  }
}
