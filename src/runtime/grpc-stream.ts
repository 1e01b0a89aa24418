// One open stream of gRPC on an HTTP/2 stream: messages in, messages out, a status at the end.

import type { ServerHttp2Stream } from 'node:http2'
import { frame, GRPC_CODES, MessageReader, trailersOf, type GrpcStatus } from './grpc-framing.ts'

/** A stream as the method sees it that serves it. */
export interface MessageStream {
  /** Sends a message; does nothing when the stream is over. */
  send(message: Uint8Array): void
  /** Ends the stream; does nothing when it is over. */
  end(status: GrpcStatus): void
}

/** What a method does with one stream. A throw is a bug, is logged, and ends this stream alone. */
export interface StreamHandler {
  /** Takes a message. The bytes are lent: what is kept of them must be copied. */
  receive(message: Buffer): void
  /** Called when no more messages will come. The stream stays open until somebody ends it. */
  finished(): void
  /** Called once, whoever ended the stream and however. */
  closed(): void
}

/** A method that takes messages for as long as the caller keeps its stream open. */
export interface StreamMethod {
  /** `/package.Service/Method`. */
  readonly path: string
  open(stream: MessageStream): StreamHandler
}

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

/** Joins a method to an HTTP/2 stream. */
export class OpenStream implements MessageStream {
  readonly #stream: ServerHttp2Stream
  readonly #reader = new MessageReader(LONGEST_MESSAGE)
  readonly #onFault: (cause: unknown) => void
  #handler: StreamHandler | undefined
  #status: GrpcStatus | undefined

  constructor(stream: ServerHttp2Stream, method: StreamMethod, onFault: (cause: unknown) => void) {
    this.#stream = stream
    this.#onFault = onFault
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
    if (stream.write(frame(message)) || stream.isPaused()) return
    // A peer that does not take what it asked for may ask for more when it has.
    stream.pause()
    stream.once('drain', () => stream.resume())
  }

  end(status: GrpcStatus): void {
    if (this.#status !== undefined) return
    this.#status = status
    this.#leave()
    this.#stream.end() // `wantTrailers` follows
    this.#stream.resume() // what still comes is let go
  }

  #take(chunk: Buffer): void {
    const messages: Buffer[] = []
    const refusal = this.#reader.read(chunk, messages)
    for (const message of messages) this.#guard(() => this.#handler?.receive(message))
    if (refusal !== undefined) this.end(refusal)
  }

  #finish(): void {
    this.#stream.sendTrailers(trailersOf(this.#status ?? INTERNAL))
    closeLater(this.#stream)
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
      this.#onFault(cause)
      this.end(INTERNAL)
    }
  }
}
