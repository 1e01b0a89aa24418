// Which connections of an HTTP server are closed when there are too many: those without a request, idle
// ones that never sent one first. New ones are taken, so that a client that holds many connections
// keeps neither a probe of the kubelet nor Envoy from getting one.

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { BlockList, isIPv6, Socket } from 'node:net'
import type { Logger } from '../logger.ts'

/** How many connections there may be. */
export interface ConnectionLimits {
  readonly connections: number
  /**
   * From one IP address. Not for loopback and UNIX sockets, where the address does not tell clients
   * apart. Absent: as many as there may be.
   */
  readonly connectionsPerAddress?: number
}

interface Held {
  readonly socket: Socket
  readonly address: string | undefined
  /** When it was opened, in ms of the monotonic clock. */
  readonly opened: number
  hasAsked: boolean
  /** Of requests that are in flight. */
  readonly responses: Set<ServerResponse>
}

/**
 * The time to send a first request in ms, after which connections that have sent one are preferred. Longer than a
 * client on a busy machine needs.
 */
const FIRST_REQUEST_MS = 1_000

/**
 * How long connections beyond the limits may be open, in ms: a burst of connections is taken from the
 * system at once, before the first request of any of them can be read.
 */
const SWEEP_MS = 100

/** How many there may be beyond the limits until then. More are not accepted. */
const SURPLUS = 1_024

/** How often the limits are applied while none are accepted, in ms: it may be that none can be closed. */
const DROP_SWEEP_MS = 10

const WARN_EVERY_MS = 60_000

/** Keeps the connections of one server within the limits. Without requests in flight, that is. */
export class ConnectionBounds {
  readonly #limits: ConnectionLimits
  readonly #logger: Logger
  // In the order of their last activity.
  readonly #held = new Map<Socket, Held>()
  readonly #byPeer = new Map<string, Held>()
  #timer: NodeJS.Timeout | undefined
  #swept = Number.NEGATIVE_INFINITY
  #warned = Number.NEGATIVE_INFINITY

  constructor(limits: ConnectionLimits, logger: Logger) {
    this.#limits = limits
    this.#logger = logger
  }

  /**
   * Watches a server, before it listens. Connections in memory are not counted.
   *
   * With TLS the server must have a TCP address: the socket of a request is not the one that was
   * accepted, and only the address of the peer shows that they are one connection.
   */
  watch(server: Server): void {
    server.maxConnections = this.#limits.connections + SURPLUS
    server.prependListener('connection', (socket) => this.#onConnection(socket))
    server.prependListener('request', (request, response) => this.#onRequest(request, response))
    // Accepting none would serve those who hold them.
    server.on('drop', () => {
      if (performance.now() - this.#swept >= DROP_SWEEP_MS) this.#sweep()
    })
    server.once('close', () => clearTimeout(this.#timer))
  }

  #onConnection(socket: unknown): void {
    if (!(socket instanceof Socket)) return
    const { remoteAddress: address } = socket
    const opened = performance.now()
    const held: Held = { socket, address, opened, hasAsked: false, responses: new Set() }
    const peer = peerOf(socket)
    this.#held.set(socket, held)
    if (peer !== undefined) this.#byPeer.set(peer, held)
    socket.once('close', () => {
      this.#held.delete(socket)
      if (peer !== undefined && this.#byPeer.get(peer) === held) this.#byPeer.delete(peer)
    })
    this.#timer ??= setTimeout(() => this.#sweep(), SWEEP_MS).unref()
  }

  #onRequest({ socket }: IncomingMessage, response: ServerResponse): void {
    const held = this.#held.get(socket) ?? this.#byPeer.get(peerOf(socket) ?? '')
    if (held === undefined) return
    held.hasAsked = true
    held.responses.add(response)
    response.once('close', () => {
      held.responses.delete(response)
      this.#moved(held)
    })
    this.#moved(held)
  }

  #moved(held: Held): void {
    if (this.#held.delete(held.socket)) this.#held.set(held.socket, held)
  }

  #sweep(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const { connections, connectionsPerAddress = connections } = this.#limits
    let closed = 0
    for (const [address, held] of Map.groupBy(this.#held.values(), (one) => one.address)) {
      if (tellsClientsApart(address)) closed += close(held, connectionsPerAddress)
    }
    closed += close([...this.#held.values()].filter(isOpen), connections)
    const now = performance.now()
    this.#swept = now
    if (closed === 0 || now - this.#warned < WARN_EVERY_MS) return
    this.#warned = now
    this.#logger.warn({ closed, connections }, 'too many connections: idle ones are closed')
  }
}

/** Closes as many as there are too many, as far as they have no request in flight, and says how many. */
const close = (held: readonly Held[], most: number): number => {
  const surplus = held.length - most
  if (surplus <= 0) return 0
  const chosen = inOrder(held).slice(0, surplus)
  for (const { socket } of chosen) socket.destroy()
  return chosen.length
}

/** Those that may be closed, the first to be closed first. */
const inOrder = (held: readonly Held[]): readonly Held[] => {
  const since = performance.now() - FIRST_REQUEST_MS
  const {
    silent = [],
    idle = [],
    untaken = [],
  } = Object.groupBy(held, (one) => {
    if (one.responses.size > 0) return one.responses.values().every(isMade) ? 'untaken' : 'busy'
    return !one.hasAsked && one.opened < since ? 'silent' : 'idle'
  })
  return [...silent, ...idle, ...untaken]
}

/** Whether all of an answer is there: a client that does not take it can hold its connection so. */
const isMade = ({ writableEnded }: ServerResponse): boolean => writableEnded

const isOpen = ({ socket }: Held): boolean => !socket.destroyed

const peerOf = ({ remoteAddress, remotePort }: Socket): string | undefined =>
  remoteAddress === undefined ? undefined : `${remoteAddress} ${remotePort}`

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

/** A UNIX socket has no address. IPv4 in the form of IPv6 is found under its own. */
const tellsClientsApart = (address: string | undefined): boolean =>
  address !== undefined && !LOOPBACK.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
