// Writes the frames of one connection, content within the windows of the peer (RFC 9113 §5.2, §6.9).

import {
  ConnectionError,
  DEFAULT_WINDOW,
  ERROR,
  FLAG,
  FRAME,
  FRAME_HEAD_BYTES,
  MAX_31_BITS,
  typeAndFlags,
  write32,
  writeFrameHead,
  type ErrorNumber,
} from './frames.ts'
import { NO_DYNAMIC_TABLE } from './hpack/encoder.ts'
import { defaultSettings, type PeerSettings } from './settings.ts'
import type { Output } from './output.ts'
import type { Http2Stream, StreamSender } from './stream.ts'

const HEADERS = typeAndFlags(FRAME.headers, FLAG.endHeaders)
const LAST_HEADERS = typeAndFlags(FRAME.headers, FLAG.endHeaders | FLAG.endStream)
const DATA = typeAndFlags(FRAME.data, 0)
const NUMBER_BYTES = 4

/** What a sender is joined to. */
export interface SenderOptions {
  readonly output: Output
  /** Of every stream for what the peer sends. */
  readonly streamWindow: number
  /** Called before the first byte that is to be flushed. */
  readonly onOutput: () => void
  /** Whether the socket has so much to pass on that content has to wait. */
  readonly isFull: () => boolean
}

/** The sending side. */
export class Sender implements StreamSender {
  readonly peer: PeerSettings = defaultSettings()
  readonly #options: SenderOptions
  readonly #output: Output
  #window = DEFAULT_WINDOW
  /** Streams whose content waits for the window of the connection, or for the socket. */
  readonly #waiting = new Set<Http2Stream>()
  #hasSentHeaders = false

  constructor(options: SenderOptions) {
    this.#options = options
    this.#output = options.output
  }

  /** Writes a frame. */
  frame(type: number, flags: number, stream: number, payload: Uint8Array): void {
    const at = this.#begin(payload.length, typeAndFlags(type, flags), stream)
    this.#output.room(0).set(payload, at)
  }

  /** Writes a frame whose payload is a number: RST_STREAM, WINDOW_UPDATE. */
  number(type: number, stream: number, value: number): void {
    const at = this.#begin(NUMBER_BYTES, typeAndFlags(type, 0), stream)
    write32(this.#output.room(0), at, value)
  }

  /** Writes RST_STREAM. */
  reset(stream: number, code: ErrorNumber): void {
    this.number(FRAME.reset, stream, code)
  }

  /** Opens the window of a stream again for what the peer sends. */
  replenish(stream: Http2Stream): void {
    const taken = this.#options.streamWindow - stream.receiveWindow
    if (stream.isRemoteClosed || taken === 0) return
    stream.receiveWindow += taken
    this.number(FRAME.windowUpdate, stream.id, taken)
  }

  /** Writes HEADERS. The block is smaller than every SETTINGS_MAX_FRAME_SIZE. */
  headers(stream: number, block: Buffer, isLast: boolean): void {
    const isFirst = !this.#hasSentHeaders
    this.#hasSentHeaders = true
    const length = block.length + (isFirst ? 1 : 0)
    const at = this.#begin(length, isLast ? LAST_HEADERS : HEADERS, stream)
    const room = this.#output.room(0)
    if (isFirst) room[at] = NO_DYNAMIC_TABLE
    room.set(block, isFirst ? at + 1 : at)
  }

  /** Sends content, as much as the windows allow now and the rest later. */
  data(stream: Http2Stream, bytes: Uint8Array): void {
    stream.waiting ??= { parts: [], bytes: 0, trailers: undefined }
    if (bytes.length > 0) stream.waiting.parts.push(bytes)
    stream.waiting.bytes += bytes.length
    this.send(stream)
  }

  /** Ends the stream by a header block when its content is sent. */
  trailers(stream: Http2Stream, block: Buffer): void {
    if (stream.waiting === undefined) this.#finish(stream, block)
    else stream.waiting.trailers = block
  }

  /** Sends headers, content of two parts, and trailers. Both parts may change afterwards. */
  response(
    stream: Http2Stream,
    head: Buffer,
    prefix: Uint8Array,
    message: Uint8Array,
    trailers: Buffer,
  ): void {
    const length = prefix.length + message.length
    const fits =
      stream.waiting === undefined &&
      length <= Math.min(this.#window, stream.sendWindow, this.peer.maxFrameSize) &&
      this.#waiting.size === 0 &&
      !this.#options.isFull()
    this.headers(stream.id, head, false)
    if (!fits) {
      this.data(stream, Uint8Array.from(prefix))
      this.data(stream, Uint8Array.from(message))
      return this.trailers(stream, trailers)
    }
    this.#window -= length
    const at = this.#begin(length, DATA, stream.id)
    const room = this.#output.room(0)
    room.set(prefix, at)
    room.set(message, at + prefix.length)
    this.#finish(stream, trailers)
  }

  /** Sends what waits on a stream, within the windows. */
  send(stream: Http2Stream): void {
    const { waiting } = stream
    if (waiting === undefined) return
    const { parts } = waiting
    for (let part = parts[0]; part !== undefined; part = parts[0]) {
      if (this.#options.isFull() || this.#window <= 0) {
        this.#waiting.add(stream)
        return
      }
      const most = Math.min(this.#window, stream.sendWindow, this.peer.maxFrameSize)
      if (most <= 0) break // its own window will send the rest
      const sent = part.length <= most ? part : part.subarray(0, most)
      this.frame(FRAME.data, 0, stream.id, sent)
      this.#window -= sent.length
      stream.sendWindow -= sent.length
      waiting.bytes -= sent.length
      if (sent === part) parts.shift()
      else parts[0] = part.subarray(most)
    }
    this.#waiting.delete(stream)
    if (parts.length > 0) return
    stream.waiting = undefined
    if (waiting.trailers !== undefined) this.#finish(stream, waiting.trailers)
    else stream.receiver?.drained()
  }

  /** Sends what waited for the window of the connection or for the socket. */
  sendWaiting(): void {
    for (const stream of this.#waiting) {
      if (this.#window <= 0 || this.#options.isFull()) return
      this.send(stream)
    }
  }

  /**
   * §6.9: the peer opens the window of the connection.
   *
   * @throws ConnectionError
   */
  open(increment: number): void {
    this.#window += increment
    if (this.#window > MAX_31_BITS) {
      throw new ConnectionError(ERROR.flowControl, 'the window of the connection is too large')
    }
  }

  /** Nothing more is sent on a stream. */
  forget(stream: Http2Stream): void {
    stream.waiting = undefined
    this.#waiting.delete(stream)
  }

  /** Writes the block that ends the stream; one that the peer has not ended is reset (§8.1). */
  #finish(stream: Http2Stream, block: Buffer): void {
    this.headers(stream.id, block, true)
    if (!stream.isRemoteClosed) this.reset(stream.id, ERROR.none)
    stream.owner.remove(stream, !stream.isRemoteClosed)
  }

  /** Writes the head of a frame; gives the place of its payload in `output.room(0)`. */
  #begin(length: number, kind: number, stream: number): number {
    const output = this.#output
    if (output.isEmpty) this.#options.onOutput()
    const room = output.room(FRAME_HEAD_BYTES + length)
    const at = output.claim(FRAME_HEAD_BYTES + length)
    writeFrameHead(room, at, length, kind, stream)
    return at + FRAME_HEAD_BYTES
  }
}
