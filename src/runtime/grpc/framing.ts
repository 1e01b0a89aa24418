// What travels within a stream of gRPC ("gRPC over HTTP2"): messages, each behind a flag and its
// length, and a status at the end.

/** How a stream ended. */
export interface GrpcStatus {
  readonly code: number
  readonly details: string
  /** Further fields of a response that consists of a status alone. */
  readonly fields?: Readonly<Record<string, string>>
}

/** The codes that calls and checks end with (grpc.io, "Status codes and their use in gRPC"). */
export const GRPC_CODES = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  aborted: 10,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const

/** The end of a stream on which all went well. */
export const GRPC_OK: GrpcStatus = { code: GRPC_CODES.ok, details: '' }

/** The trailers that carry a status. */
export const trailersOf = ({ code, details }: GrpcStatus): Record<string, string> => ({
  'grpc-status': String(code),
  'grpc-message': encodeURI(details), // percent-encoded, says the specification
})

/** Before each message: a flag and its length. */
export const PREFIX_BYTES = 5

/** A message with its prefix. */
export const frame = (message: Uint8Array): Buffer => {
  const framed = Buffer.allocUnsafe(PREFIX_BYTES + message.length)
  framed.writeUInt8(0, 0) // not compressed
  framed.writeUInt32BE(message.length, 1)
  framed.set(message, PREFIX_BYTES)
  return framed
}

// "Compression": the answer says what would have been accepted.
const COMPRESSED: GrpcStatus = {
  code: GRPC_CODES.unimplemented,
  details: 'compressed messages are not supported',
  fields: { 'grpc-accept-encoding': 'identity' },
}

// The buffer for a message that comes in parts has at first this size, or that of the first part.
const FIRST_BYTES = 256

/**
 * Puts the messages of one stream together. Of a message it holds what has arrived, whatever length is
 * announced, and between messages nothing: a server of many quiet streams is as large as what its
 * readers keep.
 */
export class MessageReader {
  readonly #longest: number
  #prefixSeen = 0
  #length = 0
  #message: Buffer | undefined
  #filled = 0

  /** @param longest the most bytes that a message may have */
  constructor(longest: number) {
    this.#longest = longest
  }

  /** Bytes that are kept of a message that has begun; undefined between messages. */
  get held(): number | undefined {
    return this.#prefixSeen === 0 ? undefined : (this.#message?.length ?? 0)
  }

  /**
   * Takes the bytes that came next and adds each message that they complete to `messages`. A message
   * may be a view into `chunk`.
   *
   * Gives the status to end the stream with when the peer breaks the rules; undefined otherwise.
   */
  read(chunk: Buffer, messages: Buffer[]): GrpcStatus | undefined {
    let at = 0
    while (at < chunk.length) {
      if (this.#prefixSeen < PREFIX_BYTES) {
        const refusal = this.#readPrefix(chunk.readUInt8(at))
        if (refusal !== undefined) return refusal
        at += 1
        if (this.#prefixSeen < PREFIX_BYTES || this.#length > 0) continue
      }
      const end = Math.min(chunk.length, at + this.#length - this.#filled)
      this.#readMessage(chunk.subarray(at, end), messages)
      at = end
    }
    return undefined
  }

  #readPrefix(byte: number): GrpcStatus | undefined {
    if (this.#prefixSeen === 0 && byte !== 0) return COMPRESSED
    this.#length = this.#length * 256 + byte
    this.#prefixSeen += 1
    if (this.#length <= this.#longest) return undefined
    return {
      code: GRPC_CODES.resourceExhausted,
      details: `a message is longer than ${this.#longest} bytes`,
    }
  }

  #readMessage(part: Buffer, messages: Buffer[]): void {
    const whole = part.length === this.#length
    if (!whole) {
      // A copy, since the part is a view into what the socket read, along with other streams' bytes.
      this.#roomFor(part.length).set(part, this.#filled)
      this.#filled += part.length
      if (this.#filled < this.#length) return
    }
    messages.push(this.#message?.subarray(0, this.#length) ?? part)
    this.#prefixSeen = 0
    this.#length = 0
    this.#message = undefined
    this.#filled = 0
  }
  /** The buffer, at least so much larger than it is filled: twice as large each time that it grows. */
  #roomFor(bytes: number): Buffer {
    const needed = this.#filled + bytes
    const before = this.#message
    if (before !== undefined && needed <= before.length) return before
    const size = Math.max(needed, FIRST_BYTES, 2 * (before?.length ?? 0))
    const message = Buffer.allocUnsafeSlow(Math.min(this.#length, size))
    before?.copy(message)
    this.#message = message
    return message
  }
}
