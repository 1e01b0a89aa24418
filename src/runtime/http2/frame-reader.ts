// Finds the preface and the frames in what a socket reads (RFC 9113 §3.4, §4.1).

import { ConnectionError, ERROR, FRAME_HEAD_BYTES, PREFACE, read31 } from './frames.ts'

/** Takes the frames. */
export interface FrameSink {
  /**
   * Takes a frame whose payload is `bytes` from `start` to `end`. The bytes are valid during the call.
   *
   * @throws ConnectionError
   */
  frame(
    type: number,
    flags: number,
    stream: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): void
}

/**
 * Reads frames where they lie in the chunks; one that spans chunks is put together in a buffer of its
 * size, which `maxFrameSize` bounds.
 */
export class FrameReader {
  readonly #sink: FrameSink
  readonly #maxFrameSize: number
  #prefaceBytes = 0
  readonly #head = Buffer.alloc(FRAME_HEAD_BYTES)
  #headBytes = 0
  #payload: Buffer | undefined
  #payloadBytes = 0

  constructor(sink: FrameSink, maxFrameSize: number) {
    this.#sink = sink
    this.#maxFrameSize = maxFrameSize
  }

  /** Whether the client's preface is complete. */
  get hasPreface(): boolean {
    return this.#prefaceBytes === PREFACE.length
  }

  /**
   * Takes what was read next.
   *
   * @throws ConnectionError, also of the sink
   */
  read(chunk: Buffer): void {
    let at = this.hasPreface ? 0 : this.#readPreface(chunk)
    if (this.#headBytes > 0) at = this.#complete(chunk, at)
    while (chunk.length - at >= FRAME_HEAD_BYTES) {
      const length = this.#lengthIn(chunk, at)
      const start = at + FRAME_HEAD_BYTES
      const end = start + length
      if (end > chunk.length) break
      this.#give(chunk, at, chunk, start, end)
      at = end
    }
    if (at < chunk.length) this.#complete(chunk, at)
  }

  #readPreface(chunk: Buffer): number {
    let at = 0
    while (at < chunk.length && this.#prefaceBytes < PREFACE.length) {
      if (chunk[at] !== PREFACE[this.#prefaceBytes]) {
        throw new ConnectionError(ERROR.protocol, 'wrong preface')
      }
      at += 1
      this.#prefaceBytes += 1
    }
    return at
  }

  /** Continues, or begins, the frame that spans chunks; gives the place after what it took. */
  #complete(chunk: Buffer, from: number): number {
    let at = from
    while (this.#headBytes < FRAME_HEAD_BYTES) {
      if (at === chunk.length) return at
      this.#head[this.#headBytes++] = chunk[at++] ?? 0
    }
    this.#payload ??= Buffer.allocUnsafeSlow(this.#lengthIn(this.#head, 0))
    const payload = this.#payload
    const end = Math.min(chunk.length, at + payload.length - this.#payloadBytes)
    chunk.copy(payload, this.#payloadBytes, at, end)
    this.#payloadBytes += end - at
    if (this.#payloadBytes < payload.length) return end
    this.#headBytes = 0
    this.#payload = undefined
    this.#payloadBytes = 0
    this.#give(this.#head, 0, payload, 0, payload.length)
    return end
  }

  #lengthIn(head: Buffer, at: number): number {
    const length = ((head[at] ?? 0) << 16) | ((head[at + 1] ?? 0) << 8) | (head[at + 2] ?? 0)
    if (length <= this.#maxFrameSize) return length
    throw new ConnectionError(ERROR.frameSize, `a frame of ${length} octets`) // §4.2
  }

  #give(head: Buffer, at: number, bytes: Buffer, start: number, end: number): void {
    this.#sink.frame(head[at + 3] ?? 0, head[at + 4] ?? 0, read31(head, at + 5), bytes, start, end)
  }
}
