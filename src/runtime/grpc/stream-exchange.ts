// A call on a stream of the built-in server that may have many messages both ways.

import type { Clock } from '../clock.ts'
import { ERROR } from '../http2/frames.ts'
import type { Http2Stream, StreamReceiver } from '../http2/stream.ts'
import type { Deadlines, Timed } from './deadlines.ts'
import { frame, GRPC_CODES, GRPC_OK, MessageReader, type GrpcStatus } from './framing.ts'
import type { HoldBudget, Holder } from './hold-budget.ts'
import type { MessageStream, StreamHandler, StreamMethod } from './message-stream.ts'
import { OK_TRAILERS, RESPONSE_HEAD, trailerBlock } from './response.ts'
import type { MethodCalls } from './statistics.ts'

/** What all streams of a server share. */
export interface StreamSurroundings {
  /** Bytes of messages that are not complete, and of answers that are not taken. */
  readonly bytes: HoldBudget
  /** Streams that are not in use: each is one. */
  readonly unused: HoldBudget
  readonly deadlines: Deadlines
  /** The most bytes that a message may have. */
  readonly maxMessage: number
  readonly clock: Clock
  /** The streams that are open. */
  readonly open: Set<StreamExchange>
  /** Called before a stream is closed for what it holds. */
  readonly onDropped: (stream: Http2Stream) => void
  /** Called with what a handler threw. */
  readonly onFault: (cause: unknown) => void
}

const INTERNAL: GrpcStatus = { code: GRPC_CODES.internal, details: 'internal error' }
const CUT_SHORT: GrpcStatus = { code: GRPC_CODES.internal, details: 'a message is cut short' }
const TOO_LATE: GrpcStatus = {
  code: GRPC_CODES.deadlineExceeded,
  details: 'the deadline has passed',
}

/**
 * Joins a method to a stream. A peer that begins a message, the first one included, and does not
 * complete it, or that does not take its answers, loses the stream.
 */
export class StreamExchange implements StreamReceiver, MessageStream, Timed {
  readonly dueAt: number
  readonly #stream: Http2Stream
  readonly #calls: MethodCalls
  readonly #surroundings: StreamSurroundings
  readonly #reader: MessageReader
  readonly #incoming: Holder = { drop: () => this.#drop() }
  readonly #outgoing: Holder = { drop: () => this.#drop() }
  readonly #unused: Holder = { drop: () => this.#drop() }
  #handler: StreamHandler | undefined
  #isEnded = false

  constructor(
    stream: Http2Stream,
    { method, calls }: { readonly method: StreamMethod; readonly calls: MethodCalls },
    timeout: number | undefined,
    surroundings: StreamSurroundings,
  ) {
    this.#stream = stream
    this.#calls = calls
    this.#surroundings = surroundings
    this.#reader = new MessageReader(surroundings.maxMessage)
    const { bytes, unused, deadlines, open, clock } = surroundings
    this.dueAt = clock.monotonic() + (timeout ?? Number.POSITIVE_INFINITY)
    open.add(this)
    if (timeout !== undefined) deadlines.add(this)
    bytes.hold(this.#incoming, 0) // until there is a message
    unused.hold(this.#unused, 1)
    stream.sendHeaders(RESPONSE_HEAD)
    this.#guard(() => {
      this.#handler = method.open(this)
    })
  }

  send(message: Uint8Array): void {
    if (this.#isEnded || this.#stream.isClosed) return
    this.#stream.sendData(frame(message))
    const { waitingBytes } = this.#stream
    if (waitingBytes === 0) return
    this.#surroundings.bytes.hold(this.#outgoing, waitingBytes)
    // A peer that does not take what it requested may request more when it has.
    this.#stream.pause()
  }

  end(status: GrpcStatus): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#calls.ended(status.code)
    this.#leave()
    this.#stream.sendTrailers(status === GRPC_OK ? OK_TRAILERS : trailerBlock(status))
    // The peer may not take what is left.
    const { waitingBytes, isClosed } = this.#stream
    if (!isClosed) this.#surroundings.bytes.hold(this.#outgoing, waitingBytes)
  }

  setInUse(inUse: boolean): void {
    const { unused } = this.#surroundings
    if (inUse) unused.release(this.#unused)
    else if (!this.#stream.isClosed) unused.hold(this.#unused, 1)
  }

  data(bytes: Buffer, start: number, end: number): void {
    if (this.#isEnded) return
    const messages: Buffer[] = []
    const refusal = this.#reader.read(bytes.subarray(start, end), messages)
    for (const message of messages) this.#guard(() => this.#handler?.receive(message))
    if (this.#stream.isClosed) return
    const held = this.#surroundings.bytes
    if (messages.length > 0) held.release(this.#incoming)
    if (this.#reader.held !== undefined) held.hold(this.#incoming, this.#reader.held)
    if (refusal !== undefined) this.end(refusal)
  }

  finished(): void {
    if (this.#reader.held !== undefined) return this.end(CUT_SHORT)
    this.#surroundings.bytes.release(this.#incoming)
    this.#guard(() => this.#handler?.finished())
  }

  drained(): void {
    this.#surroundings.bytes.release(this.#outgoing)
    this.#stream.resume()
  }

  closed(): void {
    const { bytes, unused, deadlines, open } = this.#surroundings
    open.delete(this)
    deadlines.delete(this)
    bytes.release(this.#incoming)
    bytes.release(this.#outgoing)
    unused.release(this.#unused)
    if (!this.#isEnded) this.#calls.ended(GRPC_CODES.cancelled)
    this.#isEnded = true
    this.#leave()
  }

  /** The deadline has passed. */
  due(): void {
    this.end(TOO_LATE)
  }

  /** Without a status: it would wait behind what the peer does not take. */
  #drop(): void {
    this.#surroundings.onDropped(this.#stream)
    if (!this.#isEnded) this.#calls.ended(GRPC_CODES.resourceExhausted) // as a client reads ENHANCE_YOUR_CALM
    this.#isEnded = true
    this.#stream.resetForFault(ERROR.enhanceYourCalm)
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
