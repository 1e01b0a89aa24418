// A small HTTP/1.1 server of pages that are read, and of what an application does where there is one.
// It does not trust its clients: what each of them can hold of the process is bounded.

import { constants } from 'node:crypto'
import type {
  IncomingMessage,
  OutgoingHttpHeaders,
  RequestListener,
  Server,
  ServerResponse,
} from 'node:http'
import { duplexPair, type Duplex } from 'node:stream'
import type { SecureContextOptions, TLSSocket } from 'node:tls'
import { ConnectionBounds, type ConnectionLimits } from './connection-bounds.ts'
import {
  admitToSocket,
  boundAddress,
  listen,
  prepareSocket,
  type ListenAddress,
  type SocketAccess,
} from '../listen.ts'
import type { Logger } from '../logger.ts'
import { nodeHttp, nodeHttps } from '../lazy-modules.ts'
import { tooLarge, type RequestSize } from './request-size.ts'
import type { ReplaceableTls } from '../server-tls.ts'

/** What a page depends on. */
export interface PageRequest {
  /** The part of the URL after the question mark. */
  readonly query: URLSearchParams
  readonly accept: string | undefined
}

/** A page. */
export interface Page {
  readonly status: number
  /** Its media type. */
  readonly type: string
  readonly body: string
  /** Further headers, or replacements of the default ones, by lower-case name. */
  readonly headers?: OutgoingHttpHeaders
}

/** Makes a page, anew for each request. */
export type PageMaker = (request: PageRequest) => Page | Promise<Page>

/** Answers any request. Never rejects. */
export type Application = (
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
) => Promise<void>

/** What a server needs; who may use it goes for a UNIX socket. */
export interface HttpServerOptions extends SocketAccess {
  readonly address: ListenAddress
  /** By path; looked up for every request. */
  readonly pages: Pick<ReadonlyMap<string, PageMaker>, 'get'>
  /** Answers where there is no page; called for every such request. */
  readonly application?: () => Application | undefined
  readonly limits?: HttpLimits
  /** Called for every request; by default, the limit of header bytes bounds all else. */
  readonly requestSize?: () => RequestSize
  /** Mutual TLS; without it, HTTP in the clear. */
  readonly tls?: HttpServerTls | undefined
  readonly logger: Logger
}

/** Mutual TLS of a server: a peer without a certificate of its CA is refused in the handshake. */
interface HttpServerTls {
  readonly material: ReplaceableTls
  /** Whether the peer with this certificate (DER), which the CA signed, may send requests. */
  readonly admits: (certificate: Buffer) => boolean
}

/** How much of the process all clients together can hold. */
interface HttpLimits extends ConnectionLimits {
  /** Of the header of one request. */
  readonly headerBytes: number
}

/** A running server. When it closes, every connection is closed. */
export interface HttpServer extends AsyncDisposable {
  /** The address, with the port that the system chose when it was 0. */
  readonly address: ListenAddress
  /** Opens a connection from this process, in memory: no TLS, and no address of a peer. */
  connect(): Duplex
}

const LIMITS: HttpLimits = { connections: 64, connectionsPerAddress: 8, headerBytes: 8_192 }

// For one request, from its first byte to its last.
const REQUEST_MS = 5_000
// For the next one on a connection: above Prometheus' usual interval of 15 s, so that it keeps its own.
const KEEP_ALIVE_MS = 20_000
// For a connection on which nothing moves, as when an answer is not taken.
const IDLE_MS = 25_000
const LOOK_MS = 1_000

/**
 * Starts a server.
 *
 * @throws CountersignError `listen-failed`
 */
export const startHttpServer = async (options: HttpServerOptions): Promise<HttpServer> => {
  const { address, logger, limits = LIMITS } = options
  if (address.kind === 'unix') await prepareSocket(address.path)
  const bounds = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: REQUEST_MS,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: LOOK_MS,
  }
  const take: RequestListener = (request, response) => void answer(request, response, options)
  const own = nodeHttp().createServer(bounds, take)
  const server = options.tls === undefined ? own : overTls(options.tls, bounds, take, logger)
  // Without an address of a peer, a TLS socket cannot be matched with the connection that was accepted.
  const isBounded = options.tls === undefined || address.kind === 'tcp'
  if (isBounded) new ConnectionBounds(limits, logger).watch(server)
  else server.maxConnections = limits.connections
  // Read the address now: after a reset of the connection the system no longer has it.
  server.prependListener('connection', ({ remoteAddress }) => remoteAddress)
  server.setTimeout(IDLE_MS, (socket) => socket.destroy())
  await listen(server, address)
  server.on('error', (cause) => logger.error({ err: cause }, 'listener failed'))
  const close = async (): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>()
    server.close(() => resolve())
    server.closeAllConnections()
    await promise
  }
  if (address.kind === 'unix') {
    try {
      await admitToSocket(address.path, options)
    } catch (cause) {
      await close()
      throw cause
    }
  }
  return {
    address: boundAddress(server, address),
    connect() {
      const [here, there] = duplexPair()
      own.emit('connection', there)
      return here
    },
    [Symbol.asyncDispose]: close,
  }
}

/** A server that takes requests from peers with an admitted client certificate alone. */
const overTls = (
  { material, admits }: HttpServerTls,
  bounds: object,
  take: RequestListener,
  logger: Logger,
): Server => {
  const context = (): SecureContextOptions => {
    const { certificate, key, clientCa } = material.current
    // A resumed session would bring a certificate back without validating it again.
    const secureOptions = constants.SSL_OP_NO_TICKET
    return { cert: certificate, key, ca: clientCa, minVersion: 'TLSv1.2', secureOptions }
  }
  const server = nodeHttps().createServer(
    {
      ...bounds,
      ...context(),
      requestCert: true,
      rejectUnauthorized: true,
      handshakeTimeout: REQUEST_MS,
    },
    take,
  )
  material.onReplaced(() => server.setSecureContext(context()))
  // Before the HTTP parser gets the connection.
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    const certificate = socket.getPeerX509Certificate()
    if (certificate !== undefined && admits(certificate.raw)) return
    logger.warn({ subject: certificate?.subject }, 'client certificate refused')
    socket.destroy()
  })
  server.on('tlsClientError', (cause) => logger.debug({ err: cause }, 'handshake failed'))
  return server
}

const TEXT = 'text/plain; charset=utf-8'

const text = (status: number, body: string): Page => ({ status, type: TEXT, body: `${body}\n` })

/** Answers a request. Never rejects. */
const answer = async (
  request: IncomingMessage,
  response: ServerResponse,
  { pages, application, requestSize, logger }: HttpServerOptions,
): Promise<void> => {
  const excess = requestSize && tooLarge(request, requestSize())
  if (excess !== undefined) {
    return send(response, text(excess.status, excess.text), { connection: 'close' })
  }
  const { method = '', url = '', headers } = request
  const [path = '', query = ''] = url.split('?', 2)
  const page = pages.get(path)
  const elsewhere = page === undefined ? application?.() : undefined
  if (elsewhere !== undefined) return await elsewhere(path, request, response)
  // Pages need no body: if the request has one, it is not read and the connection closes.
  const hasBody = 'content-length' in headers || 'transfer-encoding' in headers
  const connection: OutgoingHttpHeaders = hasBody ? { connection: 'close' } : {}
  if (page === undefined) return send(response, text(404, 'There is no such page.'), connection)
  if (method !== 'GET' && method !== 'HEAD') {
    const refusal = text(405, 'This page can only be read.')
    return send(response, refusal, { ...connection, allow: 'GET, HEAD' })
  }
  try {
    const { accept } = headers
    send(response, await page({ query: new URLSearchParams(query), accept }), connection)
  } catch (cause) {
    logger.error({ err: cause, path }, 'page failed')
    send(response, text(500, 'Internal error. The log has the reason.'), connection)
  }
}

const send = (
  response: ServerResponse,
  { status, type, body, headers: own }: Page,
  headers: OutgoingHttpHeaders,
): void => {
  if (response.headersSent) return
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...own,
    ...headers,
  })
  response.end(body) // Node omits it for HEAD
}
