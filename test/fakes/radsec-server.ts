// A RADIUS server over TLS (RFC 6614) that answers as a test says.

import { readFile } from 'node:fs/promises'
import { once } from 'node:events'
import { createServer, type TLSSocket } from 'node:tls'
import type { KeyPair } from '../servers/pki.ts'
import { makeReply, valueIn, type ReplyOptions } from './radius-server.ts'

/** A request as the server saw it. */
interface RadSecRequest {
  readonly bytes: Buffer
  readonly code: number
  readonly user: string
  /** Counted from 1. */
  readonly connection: number
  readonly socket: TLSSocket
}

/** What the server does with a request. */
export type RadSecBehaviour = (
  request: RadSecRequest,
  reply: (options?: ReplyOptions) => Buffer,
) => void

/** A running server, at 127.0.0.1. */
export interface FakeRadSec extends AsyncDisposable {
  readonly port: number
  readonly requests: readonly RadSecRequest[]
  /** How many connections there have been, TLS or not. */
  readonly connections: number
  behave: RadSecBehaviour
  /** Closes every connection, as servers do with those that are idle. */
  hangUp(): Promise<void>
}

/** Accepts every user. */
const welcome: RadSecBehaviour = ({ socket }, reply) => socket.write(reply())

const SECRET = 'radsec' // RFC 6614 §2.3

/** Starts a server with this certificate. */
export const startFakeRadSec = async (
  identity: KeyPair,
  behave: RadSecBehaviour = welcome,
): Promise<FakeRadSec> => {
  const requests: RadSecRequest[] = []
  const sockets = new Set<TLSSocket>()
  let greeted = 0
  const state = { behave, connections: 0 }
  const server = createServer({
    cert: await readFile(identity.certificate),
    key: await readFile(identity.key),
  })
  server.on('connection', () => (state.connections += 1))
  server.on('tlsClientError', () => undefined)
  server.on('secureConnection', (socket) => {
    greeted += 1
    const connection = greeted
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => sockets.delete(socket))
    socket.on('data', (chunk: Buffer) => {
      for (const bytes of split(chunk)) {
        const user = valueIn(bytes, 1).toString()
        const request = { bytes, code: bytes.readUInt8(0), user, connection, socket }
        requests.push(request)
        state.behave(request, (options) => makeReply(bytes, { secret: SECRET, ...options }))
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const hangUp = async (): Promise<void> => {
    const closed = [...sockets].map((socket) => once(socket, 'close'))
    for (const socket of sockets) socket.destroy()
    await Promise.all(closed)
  }
  return Object.assign(state, {
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    requests,
    hangUp,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      await hangUp()
      await closed
    },
  })
}

/** The packets in one piece of what came; on the loopback interface none comes in two. */
const split = (chunk: Buffer): readonly Buffer[] => {
  const packets: Buffer[] = []
  for (let start = 0; start < chunk.length; start += chunk.readUInt16BE(start + 2)) {
    packets.push(chunk.subarray(start, start + chunk.readUInt16BE(start + 2)))
  }
  return packets
}
