// A connection of HTTP/2 (RFC 9113) that sends prepared requests and hands over whole answers. What it costs
// is some microseconds a request: as many requests leave in one write as there are to send, and nothing is
// allocated for a stream but its entry in a map. A peer that breaks the protocol ends the run.

import { connect, type Socket } from 'node:net'
import {
  clientPreface,
  FLAG,
  frame,
  FRAME,
  HEADER_LENGTH,
  INITIAL_WINDOW,
  SETTING,
  windowUpdate,
  type PreparedRequest,
} from './frames.ts'

/** An answer. The buffers are valid until the receiver returns. */
export interface Answer {
  /** Header block of the response. */
  readonly headers: Buffer
  readonly body: Buffer
  /** Header block of the trailers, if there were any. */
  readonly trailers: Buffer | undefined
}

/** Receives the answer, or why there is none. */
export type Receive = (answer: Answer | Error) => void

interface Stream {
  readonly receive: Receive
  headers: Buffer | undefined
  body: Buffer
  trailers: Buffer | undefined
}

interface Waiting {
  readonly request: PreparedRequest
  readonly receive: Receive
}

const NOTHING = Buffer.alloc(0)
const OUT_BYTES = 1_048_576
const GRANT_AFTER = 2 ** 29

/** A connection to a server that knows HTTP/2 from the start (§3.3). */
export class Http2Connection implements Disposable {
  readonly #socket: Socket
  readonly #streams = new Map<number, Stream>()
  readonly #waiting: Waiting[] = []
  readonly #spare: Buffer[] = []
  #out: Buffer = Buffer.allocUnsafeSlow(OUT_BYTES)
  #outLength = 0
  #flushing = false
  #rest: Buffer = NOTHING
  #nextStream = 1
  #window = INITIAL_WINDOW
  #streamWindow = INITIAL_WINDOW
  #maxStreams = Number.MAX_SAFE_INTEGER
  #consumed = 0
  #continued: { readonly stream: number; readonly flags: number; block: Buffer } | undefined
  #failure: Error | undefined
  readonly #settled = Promise.withResolvers<void>()

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      try {
        this.#read(chunk)
      } catch (cause) {
        this.#fail(cause instanceof Error ? cause : new Error(String(cause)))
      }
    })
    socket.on('error', (cause) => this.#fail(cause))
    socket.on('close', () => this.#fail(new Error('the connection was closed')))
  }

  /** Connects to a UNIX socket, or to a port of this machine. */
  static async open(address: string | number): Promise<Http2Connection> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const socket =
      typeof address === 'string'
        ? connect({ path: address })
        : connect({ host: '127.0.0.1', port: address, noDelay: true })
    socket.once('connect', resolve)
    socket.once('error', reject)
    await promise
    socket.off('error', reject)
    const connection = new Http2Connection(socket)
    socket.write(clientPreface())
    // Its limits are known before the first request (§3.4: SETTINGS come first).
    await connection.#settled.promise
    return connection
  }

  /** Sends a request as soon as the peer accepts one more. */
  send(request: PreparedRequest, receive: Receive): void {
    if (this.#failure !== undefined) receive(this.#failure)
    else if (this.#waiting.length > 0 || !this.#accepts(request)) {
      this.#waiting.push({ request, receive })
    } else this.#begin(request, receive)
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }

  /** §5.1.2, §6.9.1 */
  #accepts({ dataLength }: PreparedRequest): boolean {
    if (dataLength > this.#streamWindow) throw new Error('the peer has no room for a request')
    return this.#streams.size < this.#maxStreams && dataLength <= this.#window
  }

  #begin({ bytes, dataAt, dataLength }: PreparedRequest, receive: Receive): void {
    const id = this.#nextStream
    this.#nextStream += 2
    this.#streams.set(id, { receive, headers: undefined, body: NOTHING, trailers: undefined })
    const at = this.#append(bytes)
    this.#out.writeUInt32BE(id, at + 5)
    if (dataAt > 0) this.#out.writeUInt32BE(id, at + dataAt + 5)
    this.#window -= dataLength
  }

  /** Copies bytes behind those that are to be written, and says where they are. */
  #append(bytes: Buffer): number {
    if (this.#outLength + bytes.length > OUT_BYTES) this.#flush()
    const at = this.#outLength
    bytes.copy(this.#out, at)
    this.#outLength += bytes.length
    if (!this.#flushing) {
      this.#flushing = true
      queueMicrotask(() => this.#flush())
    }
    return at
  }

  #flush(): void {
    this.#flushing = false
    if (this.#outLength === 0) return
    const written = this.#out
    this.#socket.write(written.subarray(0, this.#outLength), () => this.#spare.push(written))
    this.#out = this.#spare.pop() ?? Buffer.allocUnsafeSlow(OUT_BYTES)
    this.#outLength = 0
  }

  #read(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    while (at + HEADER_LENGTH <= bytes.length) {
      const length = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
      const end = at + HEADER_LENGTH + length
      if (end > bytes.length) break
      const type = bytes[at + 3] ?? 0
      const stream = bytes.readUInt32BE(at + 5) & 0x7fff_ffff
      this.#frame(type, bytes[at + 4] ?? 0, stream, bytes.subarray(at + HEADER_LENGTH, end))
      at = end
    }
    this.#rest = at === bytes.length ? NOTHING : bytes.subarray(at)
  }

  #frame(type: number, flags: number, id: number, payload: Buffer): void {
    switch (type) {
      case FRAME.data:
        return this.#data(flags, id, payload)
      case FRAME.headers:
        return this.#headers(flags, id, unpadded(flags, payload))
      case FRAME.continuation:
        return this.#continuation(flags, payload)
      case FRAME.resetStream:
        return this.#end(id, new Error(`the stream was reset (${payload.readUInt32BE(0)})`))
      case FRAME.settings:
        return this.#settings(flags, payload)
      case FRAME.ping:
        if ((flags & FLAG.ack) === 0) this.#append(frame(FRAME.ping, FLAG.ack, 0, payload))
        return
      case FRAME.goAway:
        throw new Error(`GOAWAY (${payload.readUInt32BE(4)})`)
      case FRAME.windowUpdate:
        // That of a stream is of no use: no request is longer than a stream's first window.
        if (id === 0) this.#window += payload.readUInt32BE(0)
        return this.#sendWaiting()
    }
  }

  #settings(flags: number, payload: Buffer): void {
    if ((flags & FLAG.ack) !== 0) return
    for (let at = 0; at < payload.length; at += 6) {
      const value = payload.readUInt32BE(at + 2)
      const setting = payload.readUInt16BE(at)
      if (setting === SETTING.maxConcurrentStreams) this.#maxStreams = value
      if (setting === SETTING.initialWindowSize) this.#streamWindow = value
    }
    this.#append(frame(FRAME.settings, FLAG.ack, 0, NOTHING))
    this.#settled.resolve()
    this.#sendWaiting()
  }

  #headers(flags: number, id: number, block: Buffer): void {
    if ((flags & FLAG.endHeaders) === 0) {
      this.#continued = { stream: id, flags, block }
      return
    }
    const stream = this.#streams.get(id)
    if (stream === undefined) return
    if (stream.headers === undefined) stream.headers = block
    else stream.trailers = block
    if ((flags & FLAG.endStream) !== 0) this.#complete(id, stream)
  }

  #continuation(flags: number, payload: Buffer): void {
    const begun = this.#continued
    if (begun === undefined) throw new Error('CONTINUATION without HEADERS')
    begun.block = Buffer.concat([begun.block, payload])
    if ((flags & FLAG.endHeaders) === 0) return
    this.#continued = undefined
    this.#headers(begun.flags | FLAG.endHeaders, begun.stream, begun.block)
  }

  #data(flags: number, id: number, payload: Buffer): void {
    this.#consumed += payload.length
    if (this.#consumed > GRANT_AFTER) {
      this.#append(windowUpdate(this.#consumed))
      this.#consumed = 0
    }
    const stream = this.#streams.get(id)
    if (stream === undefined) return
    const part = unpadded(flags & FLAG.padded, payload)
    stream.body = stream.body.length === 0 ? part : Buffer.concat([stream.body, part])
    if ((flags & FLAG.endStream) !== 0) this.#complete(id, stream)
  }

  #complete(id: number, { headers, body, trailers }: Stream): void {
    this.#end(id, headers === undefined ? new Error('no headers') : { headers, body, trailers })
  }

  #end(id: number, answer: Answer | Error): void {
    const stream = this.#streams.get(id)
    if (stream === undefined) return
    this.#streams.delete(id)
    stream.receive(answer)
    this.#sendWaiting()
  }

  #sendWaiting(): void {
    for (;;) {
      const [next] = this.#waiting
      if (next === undefined || !this.#accepts(next.request)) return
      this.#waiting.shift()
      this.#begin(next.request, next.receive)
    }
  }

  #fail(cause: Error): void {
    if (this.#failure !== undefined) return
    this.#failure = cause
    this.#settled.reject(cause)
    const receivers = [...this.#streams.values(), ...this.#waiting]
    this.#streams.clear()
    this.#waiting.length = 0
    for (const { receive } of receivers) receive(cause)
    this.#socket.destroy()
  }
}

/** Without padding (§6.1, §6.2) and priority (§6.2). */
const unpadded = (flags: number, payload: Buffer): Buffer => {
  if ((flags & (FLAG.padded | FLAG.priority)) === 0) return payload
  const isPadded = (flags & FLAG.padded) !== 0
  const start = (isPadded ? 1 : 0) + ((flags & FLAG.priority) === 0 ? 0 : 5)
  return payload.subarray(start, payload.length - (isPadded ? (payload[0] ?? 0) : 0))
}
