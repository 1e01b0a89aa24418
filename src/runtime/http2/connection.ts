// One connection of HTTP/2 at a server (RFC 9113): its frames are taken apart here and handed to its
// streams; what concerns the connection as a whole is answered here.

import type { Duplex } from 'node:stream'
import type { Clock } from '../clock.ts'
import { ConnectionLife } from './connection-life.ts'
import {
  dependencyIn,
  NUMBER_BYTES,
  paddingIn,
  PRIORITY_BYTES,
  requireLength,
  requireNoStream,
  requireStream,
} from './frame-checks.ts'
import { FrameReader, type FrameSink } from './frame-reader.ts'
import { ConnectionError, DEFAULT_FRAME_SIZE, ERROR, FLAG, FRAME, read31 } from './frames.ts'
import type { Http2Limits } from './limits.ts'
import { Output, type BufferPool } from './output.ts'
import { Sender } from './sender.ts'
import { applySettings, PARAMETER_BYTES } from './settings.ts'
import { Streams, type Http2Application } from './streams.ts'
import type { Flushable, Turn } from './turn.ts'

/** What a connection is joined to. */
export interface ConnectionOptions<Prepared> {
  readonly application: Http2Application<Prepared>
  readonly limits: Http2Limits
  readonly clock: Clock
  readonly pool: BufferPool
  readonly turn: Turn
  /** Where the peer is. */
  readonly peer: string
  /** Called when the peer or a fault ended the connection, with the reason. */
  readonly onFault: (cause: unknown) => void
}

const PING_BYTES = 8
const STREAMS_PER_IDLE_FRAME = 100
const NOTHING = Buffer.alloc(0)

/** A connection. */
export class Connection<Prepared> implements FrameSink, Flushable {
  readonly #options: ConnectionOptions<Prepared>
  readonly #socket: Duplex
  readonly #output: Output
  readonly #sender: Sender
  readonly #streams: Streams<Prepared>
  readonly #reader: FrameReader
  readonly #life: ConnectionLife
  /** The block that CONTINUATION frames complete. */
  #continued: { readonly id: number; readonly flags: number; readonly self: boolean } | undefined
  /** Bytes of content that the window of the connection has not been opened again for. */
  #received = 0
  #isReading = true

  constructor(socket: Duplex, options: ConnectionOptions<Prepared>) {
    const { limits, clock, pool, turn, application, peer, onFault } = options
    this.#options = options
    this.#socket = socket
    const output = new Output(pool, () => {
      this.#life.hasProgressed = true
    })
    const sender = new Sender({
      output,
      streamWindow: limits.streamWindow,
      onOutput: () => turn.add(this),
      isFull: () => socket.writableLength + output.bytes > limits.maxOutput,
    })
    const streams = new Streams({
      application,
      limits,
      sender,
      peer,
      clock,
      onUnused: () => this.#life.onUnused(),
      onExcess: (cause) => this.#life.end(cause),
    })
    this.#output = output
    this.#sender = sender
    this.#streams = streams
    this.#life = new ConnectionLife({ socket, output, sender, limits, clock, streams, onFault })
    this.#reader = new FrameReader(this, DEFAULT_FRAME_SIZE)
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('drain', () => this.#onDrain())
    socket.once('close', () => streams.closeAll())
    this.#life.greet()
  }

  /** Since when no stream is open, in milliseconds of the clock, to a tick; undefined while one is. */
  get unusedSince(): number | undefined {
    return this.#life.unusedSince
  }

  /** Ends the connection when its streams have ended; the peer opens no new ones (§6.8). */
  drain(): void {
    this.#life.drain()
  }

  /** Looks at the times; called regularly. */
  tick(now: number): void {
    this.#life.tick(now)
  }

  flush(): void {
    this.#sender.sendWaiting()
    this.#output.flush(this.#socket)
    if (this.#isReading && this.#socket.writableLength > this.#options.limits.maxOutput) {
      // A peer that does not read is not read from.
      this.#isReading = false
      this.#socket.pause()
    }
  }

  frame(
    type: number,
    flags: number,
    stream: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    if (this.#life.isOver) return
    if (!this.#life.hasSettings && type !== FRAME.settings) {
      throw new ConnectionError(ERROR.protocol, 'the first frame is not SETTINGS') // §3.4
    }
    if (this.#continued !== undefined) {
      return this.#continuation(type, flags, stream, bytes, start, end)
    }
    switch (type) {
      case FRAME.data:
        return this.#data(flags, stream, bytes, start, end)
      case FRAME.headers:
        return this.#headers(flags, stream, bytes, start, end)
      case FRAME.priority:
        requireStream(stream)
        return this.#streams.priority(stream, dependencyIn(bytes, start, end), end - start)
      case FRAME.reset:
        requireStream(stream)
        requireLength(end - start, NUMBER_BYTES)
        return this.#streams.reset(stream)
      case FRAME.settings:
        return this.#settings(flags, stream, bytes, start, end)
      case FRAME.ping:
        return this.#ping(flags, stream, bytes, start, end)
      case FRAME.goaway:
        requireNoStream(stream)
        return this.#streams.idle(1) // the peer accepts no streams, and gets none
      case FRAME.windowUpdate:
        return this.#windowUpdate(stream, bytes, start, end)
      case FRAME.push: // §8.4: a client cannot push
      case FRAME.continuation: // §6.10: without a header block before it
        throw new ConnectionError(ERROR.protocol, `a frame of type ${type}`)
      default:
        return this.#streams.idle(1) // §4.1: unknown types are ignored
    }
  }

  #read(chunk: Buffer): void {
    if (this.#life.isOver) return this.#life.discard(chunk.length)
    const { turn, application, limits } = this.#options
    turn.beginRead()
    try {
      this.#reader.read(chunk)
      if (this.#received > limits.connectionWindow / 2 && !this.#life.isOver) {
        this.#sender.number(FRAME.windowUpdate, 0, this.#received)
        this.#received = 0
      }
    } catch (cause) {
      this.#life.end(cause)
    }
    application.readEnd()
    turn.endRead()
  }

  #data(flags: number, stream: number, bytes: Buffer, from: number, to: number): void {
    requireStream(stream)
    // §6.9: the windows count the padding, too, also on streams that are closed.
    this.#received += to - from
    if (this.#received > this.#options.limits.connectionWindow) {
      throw new ConnectionError(ERROR.flowControl, 'more content than the window allows')
    }
    if ((flags & FLAG.padded) === 0) {
      return this.#streams.data(stream, flags, bytes, from, to, to - from)
    }
    const padding = paddingIn(bytes, from, to)
    this.#streams.data(stream, flags, bytes, from + 1, to - padding, to - from)
  }

  #headers(flags: number, stream: number, bytes: Buffer, from: number, to: number): void {
    requireStream(stream)
    if (stream % 2 === 0) throw new ConnectionError(ERROR.protocol, 'an even stream') // §5.1.1
    let start = from
    let end = to
    if ((flags & FLAG.padded) !== 0) {
      end -= paddingIn(bytes, from, to)
      start += 1
    }
    let self = false
    if ((flags & FLAG.priority) !== 0) {
      if (end - start < PRIORITY_BYTES) throw new ConnectionError(ERROR.frameSize, 'short HEADERS')
      self = read31(bytes, start) === stream
      start += PRIORITY_BYTES
    }
    if ((flags & FLAG.endHeaders) === 0) {
      this.#streams.blocks.keep(bytes, start, end)
      this.#continued = { id: stream, flags, self }
      return
    }
    this.#streams.block(stream, (flags & FLAG.endStream) !== 0, bytes, start, end, self)
  }

  /** §6.10: nothing comes between the frames of a header block. */
  #continuation(
    type: number,
    flags: number,
    stream: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    const { id, flags: first, self } = this.#continued ?? { id: 0, flags: 0, self: false }
    if (type !== FRAME.continuation || stream !== id) {
      throw new ConnectionError(ERROR.protocol, 'a header block is not completed')
    }
    const { blocks } = this.#streams
    blocks.keep(bytes, start, end)
    if ((flags & FLAG.endHeaders) === 0) return
    this.#continued = undefined
    const block = blocks.takeKept()
    this.#streams.block(id, (first & FLAG.endStream) !== 0, block, 0, block.length, self)
  }

  #settings(flags: number, stream: number, bytes: Buffer, start: number, end: number): void {
    requireNoStream(stream)
    if ((flags & FLAG.ack) !== 0) {
      requireLength(end - start, 0)
      if (!this.#life.hasSettings) throw new ConnectionError(ERROR.protocol, 'no SETTINGS at first')
      this.#life.isAcknowledged = true
      return this.#streams.idle(1)
    }
    this.#life.hasSettings = true
    // Each parameter is work, a change of the initial window for every stream (CVE-2019-9515).
    const parameters = Math.ceil((end - start) / PARAMETER_BYTES)
    this.#streams.idle(1 + parameters + Math.ceil(this.#streams.size / STREAMS_PER_IDLE_FRAME))
    const { peer } = this.#sender
    const { initialWindow } = peer
    applySettings(peer, bytes, start, end)
    this.#sender.frame(FRAME.settings, FLAG.ack, 0, NOTHING)
    if (peer.initialWindow !== initialWindow) {
      this.#streams.adjustWindows(peer.initialWindow - initialWindow)
    }
  }

  #ping(flags: number, stream: number, bytes: Buffer, start: number, end: number): void {
    requireNoStream(stream)
    requireLength(end - start, PING_BYTES)
    this.#streams.idle(1) // CVE-2019-9512
    const payload = bytes.subarray(start, end)
    if ((flags & FLAG.ack) !== 0) this.#life.onPong(payload)
    else this.#sender.frame(FRAME.ping, FLAG.ack, 0, payload)
  }

  #windowUpdate(stream: number, bytes: Buffer, start: number, end: number): void {
    requireLength(end - start, NUMBER_BYTES)
    this.#streams.idle(1)
    const increment = read31(bytes, start)
    if (stream !== 0) return this.#streams.windowUpdate(stream, increment)
    if (increment === 0) throw new ConnectionError(ERROR.protocol, 'WINDOW_UPDATE of nothing')
    this.#sender.open(increment)
    this.#options.turn.add(this)
  }

  #onDrain(): void {
    if (this.#life.isOver) return
    this.#options.turn.add(this)
    if (this.#isReading) return
    this.#isReading = true
    this.#socket.resume()
  }
}
