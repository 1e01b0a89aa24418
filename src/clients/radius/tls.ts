// RADIUS over TLS (RFC 6614): one connection. Nothing is sent on it before the server's certificate
// and name have been verified.

import { isIP } from 'node:net'
import { checkServerIdentity, connect, type SecureContext, type TLSSocket } from 'node:tls'
import { describeError } from '../../runtime/errors.ts'
import { RadiusFailure } from './failure.ts'
import type { Endpoint } from './udp.ts'
import type { OpenTransport, Transport, TransportEvents } from './transport.ts'

/** A server that speaks TLS. */
export interface TlsEndpoint extends Endpoint {
  /** The CAs of its certificate, and our own certificate. */
  readonly context: SecureContext
  /** The DNS name or IP address that its certificate must be for. */
  readonly serverName: string
}

/** An opener of TLS connections to one server. */
export const tlsTransport =
  (endpoint: TlsEndpoint): OpenTransport =>
  (events) =>
    new TlsTransport(endpoint, events)

// A NAT forgets a silent connection after some minutes; five is common.
const KEEP_ALIVE = 60_000

class TlsTransport implements Transport {
  readonly #events: TransportEvents
  readonly #socket: TLSSocket
  readonly #packets = new PacketStream()
  #stage: 'connecting' | 'greeting' | 'open' | 'ended' = 'connecting'

  constructor({ host, port, context, serverName }: TlsEndpoint, events: TransportEvents) {
    this.#events = events
    this.#socket = connect({
      host,
      port,
      secureContext: context,
      // RFC 6066 §3: no IP addresses.
      ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
      checkServerIdentity: (_, certificate) => checkServerIdentity(serverName, certificate),
      rejectUnauthorized: true,
    })
    this.#socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE).unref()
    this.#socket.once('connect', () => (this.#stage = 'greeting'))
    this.#socket.once('secureConnect', () => {
      this.#stage = 'open'
      events.opened()
    })
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk))
    this.#socket.on('error', (cause) => this.#end(cause))
    this.#socket.once('close', () => this.#end(new Error('the server closed the connection')))
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  close(): void {
    this.#stage = 'ended'
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    for (const packet of this.#packets.push(chunk)) {
      if (this.#stage === 'open') this.#events.received(packet)
    }
    if (this.#packets.broken) this.#end(new Error('the server sent an invalid RADIUS packet'))
  }

  #end(cause: Error): void {
    const stage = this.#stage
    if (stage === 'ended') return
    this.close()
    this.#events.lost(new RadiusFailure(REASONS[stage], describeError(cause), { cause }))
  }
}

const REASONS = {
  connecting: 'unreachable',
  greeting: 'untrusted',
  open: 'connection-lost',
} as const

// RFC 2865 §3.
const LENGTH_END = 4
const SHORTEST_PACKET = 20
const LONGEST_PACKET = 4_096

/** Cuts a stream into packets by their own length fields. */
export class PacketStream {
  #rest: Buffer = Buffer.alloc(0)
  /** A length was impossible: where the next packet begins is unknown for the rest of the stream. */
  broken = false

  /** The packets that are complete now. */
  push(chunk: Buffer): readonly Buffer[] {
    const packets: Buffer[] = []
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    while (this.#rest.length >= LENGTH_END) {
      const length = this.#rest.readUInt16BE(2)
      this.broken = length < SHORTEST_PACKET || length > LONGEST_PACKET
      if (this.broken || this.#rest.length < length) break
      packets.push(this.#rest.subarray(0, length))
      this.#rest = this.#rest.subarray(length)
    }
    return packets
  }
}
