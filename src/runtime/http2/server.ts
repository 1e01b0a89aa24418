// A server of HTTP/2 alone (RFC 9113) on a UNIX socket or a TCP port, with or without TLS.

import { constants } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  createServer as createTlsServer,
  type SecureContextOptions,
  type TLSSocket,
} from 'node:tls'
import { systemClock, type Clock } from '../clock.ts'
import {
  admitToSocket,
  boundAddress,
  listen,
  prepareSocket,
  type ListenAddress,
  type SocketAccess,
} from '../listen.ts'
import type { Logger } from '../logger.ts'
import type { ReplaceableTls } from '../server-tls.ts'
import { Connection } from './connection.ts'
import { ConnectionError, ERROR } from './frames.ts'
import { DEFAULT_LIMITS, type Http2Limits } from './limits.ts'
import { BufferPool } from './output.ts'
import type { Http2Application } from './streams.ts'
import { Turn } from './turn.ts'

/** What a server needs; who may use it is said for a UNIX socket. */
export interface Http2ServerOptions<Prepared> extends SocketAccess {
  readonly address: ListenAddress
  /** Mutual TLS; without it, HTTP/2 with prior knowledge (§3.3). */
  readonly tls: ReplaceableTls | undefined
  readonly application: Http2Application<Prepared>
  readonly limits?: Partial<Http2Limits>
  readonly clock?: Clock
  readonly logger: Logger
}

/** A running server. */
export interface Http2Server {
  /** The address, with the port that the system chose when it was 0. */
  readonly address: ListenAddress
  /**
   * Accepts no connections from now on, and ends those that are open when their streams have ended.
   *
   * @param grace after so long, in milliseconds, they are closed all the same
   */
  close(grace: number): Promise<void>
}

const TICK_MS = 1_000
const MOST_TURNS = 100
const TICKS_PER_LIMIT = 4
const KEEP_ALIVE_MS = 60_000

/**
 * Starts a server.
 *
 * @throws CountersignError `listen-failed`
 */
export const startHttp2Server = async <Prepared>(
  options: Http2ServerOptions<Prepared>,
): Promise<Http2Server> => {
  const { address, tls, logger } = options
  if (address.kind === 'unix') await prepareSocket(address.path)
  const connections = new Connections(options)
  const server = tls === undefined ? plainServer(connections) : tlsServer(tls, connections, logger)
  // Those whose handshake is not over are not counted yet.
  server.maxConnections = 2 * connections.limits.maxConnections
  try {
    await listen(server, address)
  } catch (cause) {
    await connections.close(0)
    throw cause
  }
  server.on('error', (cause) => logger.error({ err: cause }, 'listener failed'))
  const close = async (grace: number): Promise<void> => {
    if (address.kind === 'unix') await rm(address.path, { force: true })
    await connections.waitingAccepted()
    const { promise, resolve } = Promise.withResolvers<void>()
    server.close(() => resolve())
    await connections.close(grace)
    await promise
  }
  if (address.kind === 'unix') {
    try {
      await admitToSocket(address.path, options)
    } catch (cause) {
      await close(0)
      throw cause
    }
  }
  return { address: boundAddress(server, address), close }
}

const SOCKET_OPTIONS = { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS }

const plainServer = (connections: Connections<unknown>): Server =>
  createServer(SOCKET_OPTIONS, (socket) => connections.admit(socket))

const tlsServer = (
  material: ReplaceableTls,
  connections: Connections<unknown>,
  logger: Logger,
): Server => {
  const context = (): SecureContextOptions => {
    const { certificate, key, clientCa } = material.current
    return {
      cert: certificate,
      key,
      ca: clientCa,
      minVersion: 'TLSv1.2', // §9.2
      // A resumed session would bring a certificate back without validating it again.
      secureOptions: constants.SSL_OP_NO_TICKET,
    }
  }
  const server = createTlsServer(
    {
      ...SOCKET_OPTIONS,
      ...context(),
      requestCert: true,
      rejectUnauthorized: true, // the default, but everything depends on it
      ALPNProtocols: ['h2'], // §3.2
      handshakeTimeout: connections.limits.prefaceTime,
    },
    (socket: TLSSocket) => {
      if (socket.alpnProtocol === 'h2') connections.admit(socket)
      else socket.destroy()
    },
  )
  material.onReplaced(() => server.setSecureContext(context()))
  server.on('tlsClientError', (cause) => logger.debug({ err: cause }, 'handshake failed'))
  return server
}

/** The connections of a server. */
class Connections<Prepared> {
  readonly limits: Http2Limits
  readonly #options: Http2ServerOptions<Prepared>
  readonly #clock: Clock
  readonly #pool = new BufferPool()
  readonly #turn = new Turn()
  readonly #open = new Map<Socket, Connection<Prepared>>()
  readonly #ticking: NodeJS.Timeout
  #admitted = 0
  #onEmpty: (() => void) | undefined

  constructor(options: Http2ServerOptions<Prepared>) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.limits = { ...DEFAULT_LIMITS, ...options.limits }
    const { prefaceTime, settingsTime, stalledTime, lingerTime } = this.limits
    const shortest = Math.min(prefaceTime, settingsTime, stalledTime, lingerTime)
    const pause = Math.min(TICK_MS, shortest / TICKS_PER_LIMIT)
    this.#ticking = setInterval(() => this.#tick(), pause).unref()
  }

  admit(socket: Socket): void {
    const { application, logger } = this.#options
    socket.on('error', (cause) => logger.debug({ err: cause }, 'connection failed'))
    socket.once('close', () => {
      this.#open.delete(socket)
      if (this.#open.size === 0) this.#onEmpty?.()
    })
    this.#admitted += 1
    const peer = socket.remoteAddress === undefined ? 'unix' : peerOf(socket)
    const connection = new Connection(socket, {
      application,
      limits: this.limits,
      clock: this.#clock,
      pool: this.#pool,
      turn: this.#turn,
      peer,
      onFault: (cause) => this.#report(cause, peer),
    })
    this.#open.set(socket, connection)
    if (this.#onEmpty !== undefined) return connection.drain()
    if (this.#open.size > this.limits.maxConnections) this.#evict(socket)
  }

  /**
   * Waits until the connections that the system has accepted are here. Those left when the listener closes would be
   * reset with the requests on them, of which the peer cannot know whether they were processed.
   */
  async waitingAccepted(): Promise<void> {
    for (let turn = 0, before = -1; turn < MOST_TURNS && before !== this.#admitted; turn++) {
      before = this.#admitted
      await nextTurn() // of the event loop: to its end …
      await nextTurn() // … and a whole one
    }
  }

  async close(grace: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#onEmpty = resolve
    if (this.#open.size === 0) resolve()
    for (const connection of this.#open.values()) connection.drain()
    const timer = setTimeout(() => {
      for (const socket of this.#open.keys()) socket.destroy()
    }, grace)
    await promise
    clearTimeout(timer)
    clearInterval(this.#ticking)
  }

  /** Closes the connection that has been without a stream for longest, or else the new one. */
  #evict(newest: Socket): void {
    let evicted = newest
    let since = Number.POSITIVE_INFINITY
    for (const [socket, { unusedSince = Number.POSITIVE_INFINITY }] of this.#open) {
      if (unusedSince >= since) continue
      evicted = socket
      since = unusedSince
    }
    this.#options.logger.warn({ limit: this.limits.maxConnections }, 'too many connections')
    evicted.destroy()
  }

  #tick(): void {
    const now = this.#clock.monotonic()
    for (const connection of this.#open.values()) connection.tick(now)
  }

  #report(cause: unknown, peer: string): void {
    const { logger } = this.#options
    const isBug = cause instanceof TypeError || cause instanceof RangeError
    if (isBug) logger.error({ err: cause, peer }, 'connection failed')
    else if (cause instanceof ConnectionError && cause.code === ERROR.enhanceYourCalm) {
      logger.warn({ reason: cause.message, peer }, 'peer exceeds a limit: connection closed')
    } else logger.debug({ err: cause, peer }, 'connection closed')
  }
}

const peerOf = ({ remoteAddress = '', remotePort = 0 }: Socket): string =>
  remoteAddress.includes(':')
    ? `[${remoteAddress}]:${remotePort}`
    : `${remoteAddress}:${remotePort}`
