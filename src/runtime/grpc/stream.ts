// One open stream of gRPC on an HTTP/2 stream: messages in, messages out, a status at the end.

import { constants, type ServerHttp2Stream } from 'node:http2'
import { frame, GRPC_CODES, MessageReader, trailersOf, type GrpcStatus } from './framing.ts'
import type { HoldBudget, Holder } from './hold-budget.ts'
import type { MessageStream, StreamHandler, StreamMethod } from './message-stream.ts'

// Envoy's introduction has 61 KB, and a name at most 8; no peer needs more than this.
const LONGEST_MESSAGE = 1_048_576

/** `:status` and the type of every answer, whatever its status in terms of gRPC. */
export const RESPONSE_HEADERS = { ':status': 200, 'content-type': 'application/grpc' } as const

const INTERNAL: GrpcStatus = { code: GRPC_CODES.internal, details: 'internal error' }

const LINGER_MS = 1_000

/**
 * Closes a stream that has been answered in full and whose peer does not close its side, which a
 * server may do (RFC 9113 §8.1). Not at once: a reset overtakes what has not left nghttp2's queue.
 */
export const closeLater = (stream: ServerHttp2Stream): void => {
  const timer = setTimeout(() => stream.close(), LINGER_MS)
  stream.once('close', () => clearTimeout(timer))
}

/** What all streams of a server share. */
export interface StreamSurroundings {
  /** Bytes of messages that are not complete, and of answers that are not taken. */
  readonly bytes: HoldBudget
  /** Streams that are not in use: each is one. */
  readonly unused: HoldBudget
  /** Called before a stream is closed for what it holds. */
  readonly onDropped: (stream: ServerHttp2Stream) => void
  /** Called with what a handler has thrown. */
  readonly onFault: (cause: unknown) => void
}

/**
 * Joins a method to an HTTP/2 stream. A peer that begins a message, the first one included, and does
 * not complete it, or that does not take its answers, loses the stream.
 */
export class OpenStream implements MessageStream {
  readonly #stream: ServerHttp2Stream
  readonly #reader = new MessageReader(LONGEST_MESSAGE)
  readonly #surroundings: StreamSurroundings
  readonly #incoming: Holder = { drop: () => this.#drop() }
  readonly #outgoing: Holder = { drop: () => this.#drop() }
  readonly #unused: Holder = { drop: () => this.#drop() }
  #handler: StreamHandler | undefined
  #status: GrpcStatus | undefined

  constructor(stream: ServerHttp2Stream, method: StreamMethod, surroundings: StreamSurroundings) {
    this.#stream = stream
    this.#surroundings = surroundings
    const { bytes, unused } = surroundings
    bytes.hold(this.#incoming, 0) // until there is a message
    unused.hold(this.#unused, 1)
    stream.once('close', () => {
      bytes.release(this.#incoming)
      bytes.release(this.#outgoing)
      unused.release(this.#unused)
    })
    stream.respond(RESPONSE_HEADERS, { waitForTrailers: true })
    stream.on('data', (chunk: Buffer) => this.#take(chunk))
    stream.once('end', () => this.#guard(() => this.#handler?.finished()))
    stream.once('wantTrailers', () => this.#finish())
    stream.once('close', () => this.#leave())
    this.#guard(() => {
      this.#handler = method.open(this)
    })
  }

  send(message: Uint8Array): void {
    const stream = this.#stream
    if (this.#status !== undefined || !stream.writable) return
    const { bytes } = this.#surroundings
    const hasRoom = stream.write(frame(message), () => {
      if (stream.writableLength === 0) bytes.release(this.#outgoing)
    })
    if (stream.writableLength > 0) bytes.hold(this.#outgoing, stream.writableLength)
    if (hasRoom || stream.isPaused()) return
    // Backpressure: further requests are read when the peer has read the answers to the earlier ones.
    stream.pause()
    stream.once('drain', () => stream.resume())
  }

  end(status: GrpcStatus): void {
    if (this.#status !== undefined) return
    this.#status = status
    this.#leave()
    // The peer may not take what is left, nor the trailers.
    if (!this.#stream.closed) {
      this.#surroundings.bytes.hold(this.#outgoing, this.#stream.writableLength)
    }
    this.#stream.end() // `wantTrailers` follows
    this.#stream.resume() // what still comes is let go
  }

  setInUse(inUse: boolean): void {
    const { unused } = this.#surroundings
    if (inUse) unused.release(this.#unused)
    else if (!this.#stream.closed) unused.hold(this.#unused, 1)
  }

  #take(chunk: Buffer): void {
    if (this.#status !== undefined) return
    const messages: Buffer[] = []
    const refusal = this.#reader.read(chunk, messages)
    for (const message of messages) this.#guard(() => this.#handler?.receive(message))
    const { bytes } = this.#surroundings
    if (messages.length > 0) bytes.release(this.#incoming)
    if (this.#reader.held !== undefined) bytes.hold(this.#incoming, this.#reader.held)
    if (refusal !== undefined) this.end(refusal)
  }

  #finish(): void {
    this.#stream.sendTrailers(trailersOf(this.#status ?? INTERNAL))
    closeLater(this.#stream)
  }

  /** Without a status: it would wait behind what the peer does not take. */
  #drop(): void {
    this.#status ??= INTERNAL
    this.#leave()
    this.#surroundings.onDropped(this.#stream)
    this.#stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM)
    this.#stream.destroy() // does not wait for the peer
  }

  #leave(): void {
    const handler = this.#handler
    this.#handler = undefined
    this.#guard(() => handler?.closed())
  }

  #guard(run: () => void): void {
    try {
      run()
    } catch (cause) {
      this.#surroundings.onFault(cause)
      this.end(INTERNAL)
    }
  }
}
