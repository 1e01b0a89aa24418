// A unary call on a stream of the built-in server: one message, one answer.

import type { Clock } from '../clock.ts'
import { ERROR } from '../http2/frames.ts'
import type { Http2Stream, StreamReceiver } from '../http2/stream.ts'
import type { Deadlines, Timed } from './deadlines.ts'
import { GRPC_CODES, MessageReader, PREFIX_BYTES, type GrpcStatus } from './framing.ts'
import type { HoldBudget, Holder, Holding } from './hold-budget.ts'
import { OK_TRAILERS, RESPONSE_HEAD, statusBlock } from './response.ts'
import type { MethodCalls } from './statistics.ts'
import type { UnaryCall, UnaryMethod } from './unary.ts'

/** What all unary calls of a server share. */
export interface UnarySurroundings {
  readonly deadlines: Deadlines
  /** Bytes of messages that are not complete. */
  readonly bytes: HoldBudget
  /** The most bytes that a message may have. */
  readonly maxMessage: number
  readonly clock: Clock
  /** When the read began that is being taken, in milliseconds since the epoch. */
  readonly now: () => number
  /** Calls to look at when the read has been taken. */
  readonly touched: UnaryExchange[]
  /** Calls that are handled and not answered, also those of clients that have disconnected. */
  readonly running: { count: number }
  /** Called before a stream is closed for what it holds. */
  readonly onDropped: (stream: Http2Stream) => void
  /** Called with what a handler threw. */
  readonly onFault: (cause: unknown) => void
}

/** A status other than OK, and the block that is sent for it. */
interface Refusal {
  readonly code: number
  readonly block: Buffer
}

const refusal = (status: GrpcStatus): Refusal => ({
  code: status.code,
  block: statusBlock(status),
})

const status = (code: number, details: string): Refusal => refusal({ code, details })

/** What the head of a call says. */
interface CallHead {
  /** `grpc-timeout`, in milliseconds. */
  readonly timeout: number | undefined
  readonly traceparent: string | undefined
}

const INTERNAL = status(GRPC_CODES.internal, 'internal error')
const TOO_LATE = status(GRPC_CODES.deadlineExceeded, 'the deadline has passed')
const SECOND_MESSAGE = status(GRPC_CODES.unimplemented, 'a second message in a unary call')
const NO_MESSAGE = status(GRPC_CODES.unimplemented, 'no message in a unary call')
const CUT_SHORT = status(GRPC_CODES.internal, 'a message is cut short')

// Written anew before each use: sending copies it.
const PREFIX = new Uint8Array(PREFIX_BYTES)

/** One call. */
export class UnaryExchange implements StreamReceiver, UnaryCall, Timed, Holder {
  readonly deadline: number
  readonly traceparent: string | undefined
  /** Monotonic; set when the handler waits. */
  dueAt = Number.POSITIVE_INFINITY
  holding: Holding | undefined
  readonly #stream: Http2Stream
  readonly #method: UnaryMethod
  readonly #calls: MethodCalls
  readonly #surroundings: UnarySurroundings
  #message: Buffer | undefined
  #reader: MessageReader | undefined
  #onCancelled: (() => void) | undefined
  #state: 'receiving' | 'handled' | 'waiting' | 'answered' = 'receiving'
  #isHeld = false
  #isTouched = true
  #isCounted = false

  constructor(
    stream: Http2Stream,
    { method, calls }: { readonly method: UnaryMethod; readonly calls: MethodCalls },
    { timeout, traceparent }: CallHead,
    surroundings: UnarySurroundings,
  ) {
    this.#stream = stream
    this.#method = method
    this.#calls = calls
    this.#surroundings = surroundings
    this.deadline = timeout === undefined ? Number.POSITIVE_INFINITY : surroundings.now() + timeout
    this.traceparent = traceparent
    surroundings.touched.push(this)
  }

  onCancelled(listener: () => void): void {
    if (this.#stream.isClosed) listener()
    else this.#onCancelled = listener
  }

  data(bytes: Buffer, start: number, end: number, isLast: boolean): void {
    const length = end - start - PREFIX_BYTES
    const { maxMessage } = this.#surroundings
    const isWhole =
      this.#reader === undefined &&
      this.#message === undefined &&
      length >= 0 &&
      length <= maxMessage &&
      bytes[start] === 0 &&
      bytes.readUInt32BE(start + 1) === length
    if (!isWhole) return this.#readPart(bytes.subarray(start, end), isLast)
    const message = bytes.subarray(start + PREFIX_BYTES, end)
    this.#message = isLast ? message : Buffer.from(message)
  }

  finished(): void {
    if (this.#reader?.held !== undefined) return this.#refuse(CUT_SHORT)
    const message = this.#message
    if (message === undefined) return this.#refuse(NO_MESSAGE)
    this.#release()
    if (this.deadline <= this.#surroundings.now()) return this.#refuse(TOO_LATE)
    this.#message = undefined
    this.#state = 'handled'
    this.#surroundings.running.count += 1
    if (!this.#isTouched) {
      this.#isTouched = true
      this.#surroundings.touched.push(this)
    }
    try {
      this.#method.handle(message, this)
    } catch (cause) {
      this.#surroundings.onFault(cause)
      this.#settle()
      this.#refuse(INTERNAL)
    }
  }

  answer(message: Uint8Array): void {
    if (this.#state === 'answered') return
    this.#settle()
    this.#count(GRPC_CODES.ok)
    const { length } = message
    PREFIX[1] = length >>> 24
    PREFIX[2] = length >>> 16
    PREFIX[3] = length >>> 8
    PREFIX[4] = length
    this.#stream.sendResponse(RESPONSE_HEAD, PREFIX, message, OK_TRAILERS)
    if (this.#stream.waitingBytes > 0) this.#hold(this.#stream.waitingBytes)
  }

  /** The deadline has passed. */
  due(): void {
    this.#refuse(TOO_LATE)
  }

  /** What the call holds is too much, or has been held for too long. */
  drop(): void {
    this.#count(GRPC_CODES.resourceExhausted) // as a client reads ENHANCE_YOUR_CALM
    this.#surroundings.onDropped(this.#stream)
    this.#stream.resetForFault(ERROR.enhanceYourCalm)
  }

  drained(): void {}

  closed(): void {
    if (this.#state === 'waiting') this.#surroundings.deadlines.delete(this)
    this.#release()
    this.#count(GRPC_CODES.cancelled) // where it has no other end
    if (this.#state !== 'answered') this.#onCancelled?.()
    this.#onCancelled = undefined
  }

  /** Called when a read has been taken: the message is incomplete, or its handler waits. */
  readEnd(): void {
    this.#isTouched = false
    if (this.#stream.isClosed) return
    if (this.#state === 'receiving') this.#holdMessage()
    if (this.#state !== 'handled') return
    this.#state = 'waiting'
    if (this.deadline === Number.POSITIVE_INFINITY) return
    const { clock, deadlines } = this.#surroundings
    this.dueAt = clock.monotonic() + this.deadline - clock.now()
    deadlines.add(this)
  }

  #holdMessage(): void {
    this.#hold(this.#reader?.held ?? this.#message?.length ?? 0)
  }

  #readPart(part: Buffer, isLast: boolean): void {
    if (this.#stream.isClosed) return
    if (this.#message !== undefined) return this.#refuse(SECOND_MESSAGE)
    const reader = (this.#reader ??= new MessageReader(this.#surroundings.maxMessage))
    const messages: Buffer[] = []
    const fault = reader.read(part, messages)
    if (fault !== undefined) return this.#refuse(refusal(fault))
    const [message, second] = messages
    if (second !== undefined) return this.#refuse(SECOND_MESSAGE)
    if (message !== undefined) this.#message = isLast ? message : Buffer.from(message)
    if (message !== undefined && reader.held !== undefined) return this.#refuse(SECOND_MESSAGE)
    this.#holdMessage()
  }

  #hold(bytes: number): void {
    if (this.#stream.isClosed) return
    this.#isHeld = true
    this.#surroundings.bytes.hold(this, bytes)
  }

  #release(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    this.#surroundings.bytes.release(this)
  }

  #settle(): void {
    if (this.#state === 'waiting') this.#surroundings.deadlines.delete(this)
    this.#state = 'answered'
    this.#surroundings.running.count -= 1
  }

  #count(code: number): void {
    if (this.#isCounted) return
    this.#isCounted = true
    this.#calls.ended(code)
  }

  #refuse({ code, block }: Refusal): void {
    this.#count(code)
    this.#stream.sendTrailers(block)
  }
}
