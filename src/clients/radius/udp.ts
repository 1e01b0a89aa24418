// RADIUS over UDP (RFC 2865 §2.4): one connected socket, so that the kernel drops whatever comes from
// another address or port than the server's.

import { createSocket, type Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { describeError } from '../../runtime/errors.ts'
import { RadiusFailure } from './failure.ts'
import type { OpenTransport, Transport, TransportEvents } from './transport.ts'

/** Where a server is. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** An opener of UDP sockets to one server. */
export const udpTransport =
  (endpoint: Endpoint): OpenTransport =>
  (events) =>
    new UdpTransport(endpoint, events)

class UdpTransport implements Transport {
  readonly #events: TransportEvents
  #socket: Socket | undefined
  #closed = false

  constructor(endpoint: Endpoint, events: TransportEvents) {
    this.#events = events
    this.#open(endpoint).catch((cause: unknown) => events.lost(unreachable(cause)))
  }

  send(bytes: Uint8Array): void {
    // Where nothing listens, Linux says so at the next send or receive (ICMP port unreachable).
    this.#socket?.send(bytes, (cause) => {
      if (cause !== null) this.#refused(cause)
    })
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#socket?.close()
  }

  async #open({ host, port }: Endpoint): Promise<void> {
    const addresses = await lookup(host, { all: true })
    for (const [index, { address, family }] of addresses.entries()) {
      const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
      socket.unref() // a pending request has a timer that keeps the process alive
      try {
        await connected(socket, port, address)
      } catch (cause) {
        // No route by this family, for example. Whether the port is closed shows only later.
        if (index === addresses.length - 1) throw cause
        continue
      }
      if (this.#closed) socket.close()
      else this.#use(socket)
      return
    }
  }

  #use(socket: Socket): void {
    this.#socket = socket
    socket.on('message', (bytes: Buffer) => this.#events.received(bytes))
    socket.on('error', (cause) => this.#refused(cause))
    this.#events.opened()
  }

  #refused(cause: Error): void {
    if (!this.#closed) this.#events.refused(unreachable(cause))
  }
}

const connected = async (socket: Socket, port: number, address: string): Promise<void> => {
  socket.connect(port, address)
  try {
    await once(socket, 'connect')
  } catch (cause) {
    socket.close()
    throw cause
  }
}

const unreachable = (cause: unknown): RadiusFailure =>
  new RadiusFailure('unreachable', describeError(cause), { cause })
