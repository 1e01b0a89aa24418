// A peer that writes HTTP/2 frames as the test has them, in any order and number (RFC 9113), and counts
// what comes back. It does nothing by itself but to take what it is sent.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { ListenAddress } from '../../src/runtime/listen.ts'

/** Frame types (RFC 9113 §6). */
export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

/** Flags of frames. */
export const FLAG = { ack: 1, endStream: 1, endHeaders: 4, padded: 8 } as const

/** What a client sends first (RFC 9113 §3.4). */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

const FRAME_HEAD = 9

/** A frame. */
export const frame = (type: number, flags: number, stream: number, payload: Buffer): Buffer => {
  const head = Buffer.alloc(FRAME_HEAD)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** The payload of a frame that is a number, such as that of RST_STREAM or WINDOW_UPDATE. */
export const number32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** The payload of SETTINGS with one parameter. */
export const setting = (id: number, value: number): Buffer => {
  const bytes = Buffer.alloc(6)
  bytes.writeUInt16BE(id, 0)
  bytes.writeUInt32BE(value, 2)
  return bytes
}

/** RFC 7541 §6.2.2: a literal without indexing, with a new name, not Huffman-coded. */
export const literal = (name: string, value: string): Buffer =>
  Buffer.concat([Buffer.from([0]), text(name), text(value)])

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value, 'latin1')
  return Buffer.concat([length7(bytes.length), bytes])
}

/** RFC 7541 §5.1: an integer with a 7-bit prefix. */
const length7 = (value: number): Buffer => {
  if (value < 127) return Buffer.from([value])
  const bytes = [127]
  let rest = value - 127
  while (rest >= 128) {
    bytes.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  return Buffer.from([...bytes, rest])
}

/** The header block of a gRPC call. */
export const callHeaders = (path: string): Buffer =>
  Buffer.concat([
    literal(':method', 'POST'),
    literal(':scheme', 'http'),
    literal(':path', path),
    literal(':authority', 'localhost'),
    literal('content-type', 'application/grpc'),
    literal('te', 'trailers'),
  ])

/** One connection. */
export class FrameClient implements Disposable {
  /** Resolves when the connection is closed, by either side. */
  readonly closed: Promise<void>
  /** How many frames of each type have come. */
  readonly received = new Map<number, number>()
  /** The error code of GOAWAY. */
  goaway: number | undefined
  /** The error code of the last RST_STREAM. */
  reset: number | undefined
  isClosed = false
  readonly #socket: Socket
  #rest: Buffer = Buffer.alloc(0)

  private constructor(socket: Socket) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#socket = socket
    this.closed = promise
    socket.on('error', () => {})
    socket.once('close', () => {
      this.isClosed = true
      resolve()
    })
    socket.on('data', (bytes: Buffer) => this.#take(bytes))
  }

  /** Connects, and sends the preface unless the test sends another. */
  static async connect(address: ListenAddress, first: Buffer = HELLO): Promise<FrameClient> {
    const socket = connect(
      address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port },
    )
    const client = new FrameClient(socket)
    await once(socket, 'connect')
    socket.write(first)
    return client
  }

  /** Sends frames; resolves when the socket takes more. Does nothing on a connection that is over. */
  async send(...frames: readonly Buffer[]): Promise<void> {
    if (this.isClosed || this.#socket.destroyed) return
    if (this.#socket.write(Buffer.concat(frames))) return
    await Promise.race([once(this.#socket, 'drain').catch(() => undefined), this.closed])
  }

  /** Takes nothing of what is sent from now on. */
  pause(): void {
    this.#socket.pause()
  }

  /** Takes again what is sent. */
  resume(): void {
    this.#socket.resume()
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }

  #take(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    let at = 0
    while (this.#rest.length - at >= FRAME_HEAD) {
      const length = this.#rest.readUIntBE(at, 3)
      if (this.#rest.length - at < FRAME_HEAD + length) break
      const type = this.#rest.readUInt8(at + 3)
      this.received.set(type, (this.received.get(type) ?? 0) + 1)
      if (type === FRAME.reset) this.reset = this.#rest.readUInt32BE(at + FRAME_HEAD)
      if (type === FRAME.goaway) this.goaway = this.#rest.readUInt32BE(at + FRAME_HEAD + 4)
      at += FRAME_HEAD + length
    }
    this.#rest = this.#rest.subarray(at)
  }
}

const HELLO = Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0, Buffer.alloc(0))])
