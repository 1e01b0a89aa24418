// A caller that may write anything: HTTP/1.1 requests given as bytes, and the streams that follow
// an upgrade.

import { connect, type TLSSocket } from 'node:tls'
import { connectionTo, type Answer, type HeaderLine, type Target } from './client.ts'

/** A request of which every byte is chosen; strings are latin1, one character a byte. */
export interface RawRequest {
  /** Default: `GET / HTTP/1.1`. */
  readonly line?: string
  /** Written as they are, `name: value`, in this order. `Host` is not added. */
  readonly headers: readonly HeaderLine[]
  readonly body?: string
}

/** A connection that was switched to another protocol, or the answer that refused it. */
export interface Upgraded extends Disposable {
  readonly answer: Answer
  readonly socket: TLSSocket
  /** Bytes that came right behind the answer's head. */
  readonly rest: Buffer
}

/** The bytes of a request. */
const rawBytes = ({ line = 'GET / HTTP/1.1', headers, body = '' }: RawRequest): Buffer => {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`${line}\r\n${lines.join('')}\r\n${body}`, 'latin1')
}

/**
 * Sends bytes on a connection of its own and waits for one answer, as long as the server keeps the
 * connection open. A connection that ends before an answer yields status 0.
 */
export const sendRaw = async (target: Target, request: RawRequest | Buffer): Promise<Answer> => {
  const socket = await open(target)
  try {
    socket.write(Buffer.isBuffer(request) ? request : rawBytes(request))
    return await readAnswer(socket)
  } finally {
    socket.destroy()
  }
}

/** Sends a request to upgrade; the answer's head decides what the socket is good for. */
export const upgradeRaw = async (target: Target, request: RawRequest): Promise<Upgraded> => {
  const socket = await open(target)
  socket.write(rawBytes(request))
  const { head, rest } = await readHead(socket)
  return {
    answer: { ...parseHead(head), body: '' },
    socket,
    rest,
    [Symbol.dispose]: () => socket.destroy(),
  }
}

const open = async (target: Target): Promise<TLSSocket> => {
  const options = await connectionTo(target)
  return await new Promise((resolve, reject) => {
    const socket = connect({ ...options, ALPNProtocols: ['http/1.1'] }, () => {
      socket.off('error', reject)
      // A reset shows as the end of the stream to its readers.
      socket.on('error', () => undefined)
      resolve(socket)
    })
    socket.once('error', reject)
  })
}

const END_OF_HEAD = '\r\n\r\n'

/** Reads up to the empty line; what lies behind it is handed back. */
const readHead = async (
  socket: TLSSocket,
  start: Buffer = Buffer.alloc(0),
): Promise<{ readonly head: string; readonly rest: Buffer }> => {
  const bytes = await readUntil(socket, start, (all) => all.includes(END_OF_HEAD))
  const end = bytes.indexOf(END_OF_HEAD)
  if (end === -1) return { head: '', rest: bytes }
  const head = bytes.toString('latin1', 0, end)
  const rest = bytes.subarray(end + END_OF_HEAD.length)
  // RFC 9110 §15.2: interim answers precede the answer; 101 is one by itself.
  return /^HTTP\/1\.1 1(?!01)/.test(head) ? await readHead(socket, rest) : { head, rest }
}

const readUntil = (
  socket: TLSSocket,
  start: Buffer,
  enough: (bytes: Buffer) => boolean,
): Promise<Buffer> =>
  new Promise((resolve) => {
    let bytes = start
    const finish = (): void => {
      socket.off('data', take)
      socket.off('close', finish)
      socket.off('end', finish)
      socket.pause()
      resolve(bytes)
    }
    const take = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk])
      if (enough(bytes)) finish()
    }
    if (enough(bytes) || socket.readableEnded || socket.destroyed) {
      resolve(bytes)
      return
    }
    socket.on('data', take)
    socket.on('close', finish)
    socket.on('end', finish)
    socket.resume()
  })

const readAnswer = async (socket: TLSSocket): Promise<Answer> => {
  const { head, rest } = await readHead(socket)
  const { status, headers } = parseHead(head)
  const value = (name: string): string | undefined =>
    headers.find(([candidate]) => candidate === name)?.[1]
  if (status === 204 || status === 304) return { status, headers, body: '' }
  if (value('transfer-encoding') === 'chunked') {
    const bytes = await readUntil(
      socket,
      rest,
      (all) => all.includes('\r\n0\r\n\r\n') || all.equals(EMPTY),
    )
    return { status, headers, body: joinChunks(bytes) }
  }
  const length = Number(value('content-length') ?? Number.POSITIVE_INFINITY)
  const bytes = await readUntil(socket, rest, (all) => all.length >= length)
  return { status, headers, body: bytes.toString() }
}

const EMPTY = Buffer.from('0\r\n\r\n')

const joinChunks = (bytes: Buffer): string => {
  const parts: Buffer[] = []
  let offset = 0
  for (;;) {
    const end = bytes.indexOf('\r\n', offset)
    const size = Number.parseInt(bytes.toString('latin1', offset, end), 16)
    if (end === -1 || !(size > 0)) return Buffer.concat(parts).toString()
    parts.push(bytes.subarray(end + 2, end + 2 + size))
    offset = end + 2 + size + 2
  }
}

const parseHead = (head: string): Omit<Answer, 'body'> => {
  const [first = '', ...lines] = head.split('\r\n')
  return {
    status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1] ?? 0),
    headers: lines.map((line): HeaderLine => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
    }),
  }
}
