// What a turn of the event loop writes on a connection: pieced together in pooled buffers, and handed to
// the socket once.

import type { Duplex } from 'node:stream'

const BUFFER_BYTES = 65_536
const MAX_POOLED = 32

/** Buffers of one size that were used before. */
export class BufferPool {
  readonly #free: Buffer[] = []

  /** A buffer with room for so many bytes; its content is undefined. */
  acquire(bytes: number): Buffer {
    if (bytes > BUFFER_BYTES) return Buffer.allocUnsafeSlow(bytes)
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES)
  }

  /** Takes a buffer back, to which nothing refers any more. */
  release(buffer: Buffer): void {
    if (buffer.length === BUFFER_BYTES && this.#free.length < MAX_POOLED) this.#free.push(buffer)
  }
}

/** The bytes of one connection that have not been handed to its socket. */
export class Output {
  readonly #pool: BufferPool
  readonly #onWritten: () => void
  #full: { readonly buffer: Buffer; readonly length: number }[] = []
  #buffer: Buffer | undefined
  #length = 0

  /** @param onWritten called whenever the socket has passed on what it was given */
  constructor(pool: BufferPool, onWritten: () => void) {
    this.#pool = pool
    this.#onWritten = onWritten
  }

  /** Whether there is nothing to hand over. */
  get isEmpty(): boolean {
    return this.#length === 0 && this.#full.length === 0
  }

  /** How many bytes there are to hand over. */
  get bytes(): number {
    if (this.#full.length === 0) return this.#length
    return this.#full.reduce((sum, { length }) => sum + length, this.#length)
  }

  /** The buffer that has room for so many bytes at {@link claim}'s place. */
  room(bytes: number): Buffer {
    const buffer = this.#buffer
    if (buffer !== undefined && buffer.length - this.#length >= bytes) return buffer
    if (buffer !== undefined) this.#full.push({ buffer, length: this.#length })
    this.#length = 0
    this.#buffer = this.#pool.acquire(bytes)
    return this.#buffer
  }

  /** Counts bytes as written, which the caller then writes into {@link room} at the place given. */
  claim(bytes: number): number {
    const at = this.#length
    this.#length += bytes
    return at
  }

  /** Appends a copy of the bytes. */
  append(bytes: Uint8Array): void {
    this.room(bytes.length).set(bytes, this.claim(bytes.length))
  }

  /** Hands everything to the socket. */
  flush(socket: Duplex): void {
    const full = this.#full
    const buffer = this.#buffer
    const length = this.#length
    this.#buffer = undefined
    this.#length = 0
    if (full.length > 0) {
      this.#full = []
      socket.cork() // one system call
      for (const part of full) this.#write(socket, part.buffer, part.length)
    }
    if (buffer !== undefined) this.#write(socket, buffer, length)
    if (full.length > 0) socket.uncork()
  }

  #write(socket: Duplex, buffer: Buffer, length: number): void {
    socket.write(buffer.subarray(0, length), () => {
      this.#pool.release(buffer)
      this.#onWritten()
    })
  }
}
