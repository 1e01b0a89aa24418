// A RADIUS server that answers as a test says, also what no server should. It signs and reveals by code of
// its own, so that a mistake in Countersign's does not cancel itself out.

import { createHash, createHmac } from 'node:crypto'
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'

/** A request as the server saw it. */
export interface SeenRequest {
  readonly bytes: Buffer
  readonly code: number
  readonly identifier: number
  readonly user: string
  readonly password: string
  /** When, in milliseconds (monotonic). */
  readonly time: number
  /** The port that it came from. */
  readonly from: number
}

/** What a reply is to be. */
export interface ReplyOptions {
  /** Default: 2, Access-Accept. */
  readonly code?: number
  /** Type and value, in order. */
  readonly attributes?: readonly (readonly [type: number, value: Buffer | string])[]
  /** Where `Message-Authenticator` is. Default: first. */
  readonly mac?: 'first' | 'last' | 'none'
  /** Default: the request's. */
  readonly identifier?: number
  /** Default: the server's. */
  readonly secret?: string
}

/** What a server does with a request; what it returns is sent back, in order. */
export type RadiusBehaviour = (
  request: SeenRequest,
  reply: (options?: ReplyOptions) => Buffer,
) => readonly Buffer[] | Promise<readonly Buffer[]>

/** A running server, at 127.0.0.1. */
export interface FakeRadius extends AsyncDisposable {
  readonly port: number
  /** Every request, oldest first. */
  readonly requests: readonly SeenRequest[]
  behave: RadiusBehaviour
}

/** The secret of every fake server. */
export const FAKE_SECRET = 'a secret between friends'

/**
 * Accepts every user with the password `right`, and rejects the rest. Its answer to Status-Server is
 * unsigned, like the example of RFC 5997 §6.1.
 */
export const judge: RadiusBehaviour = ({ code, password }, reply) => [
  code === STATUS
    ? reply({ mac: 'none' })
    : reply({ code: password === 'right' ? ACCEPT : REJECT }),
]

/** Answers nothing. */
export const silent: RadiusBehaviour = () => []

export const ACCEPT = 2
export const REJECT = 3
export const CHALLENGE = 11
const STATUS = 12

/** Starts a server on a port, by default a free one. */
export const startFakeRadius = async (
  behave: RadiusBehaviour = judge,
  port = 0,
): Promise<FakeRadius> => {
  const socket = createSocket('udp4')
  socket.bind(port, '127.0.0.1')
  await once(socket, 'listening')
  const requests: SeenRequest[] = []
  const fake = { port: socket.address().port, requests, behave }
  let closed = false
  const answer = async (bytes: Buffer, { port: from }: RemoteInfo): Promise<void> => {
    const request = see(bytes, from)
    requests.push(request)
    const reply = (options?: ReplyOptions): Buffer => makeReply(request.bytes, options)
    const replies = await fake.behave(request, reply)
    // A copy of a request may be answered when the test is over.
    if (!closed) await sendAll(socket, replies, from)
  }
  socket.on('message', (bytes: Buffer, from: RemoteInfo) => void answer(bytes, from))
  return Object.assign(fake, {
    async [Symbol.asyncDispose]() {
      closed = true
      const ended = once(socket, 'close')
      socket.close()
      await ended
    },
  })
}

const sendAll = async (socket: Socket, replies: readonly Buffer[], to: number): Promise<void> => {
  for (const reply of replies) {
    await new Promise((resolve) => socket.send(reply, to, '127.0.0.1', resolve))
  }
}

/** A reply to a request, signed as RFC 2865 §3 and RFC 3579 §3.2 have it. */
export const makeReply = (request: Buffer, options: ReplyOptions = {}): Buffer => {
  const { code = ACCEPT, attributes = [], mac = 'first', secret = FAKE_SECRET } = options
  const placeholder = attribute(80, Buffer.alloc(16))
  const others = Buffer.concat(attributes.map(([type, value]) => attribute(type, value)))
  const body = {
    first: Buffer.concat([placeholder, others]),
    last: Buffer.concat([others, placeholder]),
    none: others,
  }[mac]
  const packet = Buffer.concat([request.subarray(0, 20), body])
  packet.writeUInt8(code, 0)
  packet.writeUInt8(options.identifier ?? request.readUInt8(1), 1)
  packet.writeUInt16BE(packet.length, 2)
  if (mac !== 'none') {
    const start = mac === 'first' ? 22 : packet.length - 16
    packet.set(createHmac('md5', secret).update(packet).digest(), start)
  }
  packet.set(createHash('md5').update(packet).update(secret).digest(), 4)
  return packet
}

const attribute = (type: number, value: Buffer | string): Buffer => {
  const bytes = Buffer.from(value)
  return Buffer.concat([Buffer.of(type, bytes.length + 2), bytes])
}

const see = (bytes: Buffer, from: number): SeenRequest => ({
  bytes,
  code: bytes.readUInt8(0),
  identifier: bytes.readUInt8(1),
  user: valueIn(bytes, 1).toString(),
  password: reveal(valueIn(bytes, 2), bytes.subarray(4, 20)),
  time: performance.now(),
  from,
})

/** The first value of an attribute of a request; empty where it has none. */
export const valueIn = (bytes: Buffer, wanted: number): Buffer => {
  for (let start = 20; start < bytes.length; start += bytes.readUInt8(start + 1)) {
    const value = bytes.subarray(start + 2, start + bytes.readUInt8(start + 1))
    if (bytes.readUInt8(start) === wanted) return value
  }
  return Buffer.alloc(0)
}

const reveal = (hidden: Buffer, authenticator: Buffer): string => {
  const decrypted: number[] = []
  for (let start = 0; start < hidden.length; start += 16) {
    const before = start === 0 ? authenticator : hidden.subarray(start - 16, start)
    const mask = createHash('md5').update(FAKE_SECRET).update(before).digest()
    const block = hidden.subarray(start, start + 16)
    decrypted.push(...block.map((octet, index) => octet ^ mask.readUInt8(index)))
  }
  return Buffer.from(decrypted).toString().replace(/\0+$/, '')
}
