// A small HTTP/1.1 server of pages that are read, and of what an application does where there is one.
// It does not trust its clients: what each of them can hold of the process is bounded.

import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http'
import {
  admitToSocket,
  listenFailure,
  prepareSocket,
  type ListenAddress,
  type SocketAccess,
} from './listen.ts'
import type { Logger } from './logger.ts'

/** What is asked of a page. */
export interface PageRequest {
  /** What stands behind the question mark. */
  readonly query: URLSearchParams
  readonly accept: string | undefined
}

/** A page. */
export interface Page {
  readonly status: number
  /** Its media type. */
  readonly type: string
  readonly body: string
  /** Further headers, or others in place of ours, by lower-case name. */
  readonly headers?: OutgoingHttpHeaders
}

/** Makes a page, anew for each request. */
export type PageMaker = (request: PageRequest) => Page | Promise<Page>

/** Answers whatever is asked. Never rejects. */
export type Application = (
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
) => Promise<void>

/** What a server needs; who may use it goes for a UNIX socket. */
export interface HttpServerOptions extends SocketAccess {
  readonly address: ListenAddress
  /** By path; asked for every request. */
  readonly pages: Pick<ReadonlyMap<string, PageMaker>, 'get'>
  /** Answers where there is no page; asked for every such request. */
  readonly application?: () => Application | undefined
  readonly limits?: HttpLimits
  readonly logger: Logger
}

/** How much of the process all clients together can hold. */
interface HttpLimits {
  readonly connections: number
  /** Of the header of one request. */
  readonly headerBytes: number
}

/** A running server. When it closes, every connection is closed. */
export interface HttpServer extends AsyncDisposable {
  /** The address, with the port that the system chose when it was 0. */
  readonly address: ListenAddress
}

const LIMITS: HttpLimits = { connections: 64, headerBytes: 8_192 }

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
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: REQUEST_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: LOOK_MS,
    },
    (request, response) => void answer(request, response, options),
  )
  server.maxConnections = limits.connections
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
  return { address: addressOf(server, address), [Symbol.asyncDispose]: close }
}

const listen = async (server: Server, address: ListenAddress): Promise<void> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(address, resolve)
  try {
    await promise
  } catch (cause) {
    throw listenFailure(address, cause)
  } finally {
    server.off('error', reject)
  }
}

const addressOf = (server: Server, address: ListenAddress): ListenAddress => {
  const bound = server.address()
  if (address.kind === 'unix' || bound === null || typeof bound === 'string') return address
  return { ...address, port: bound.port }
}

const TEXT = 'text/plain; charset=utf-8'

const text = (status: number, body: string): Page => ({ status, type: TEXT, body: `${body}\n` })

/** Answers a request. Never rejects. */
const answer = async (
  request: IncomingMessage,
  response: ServerResponse,
  { pages, application, logger }: HttpServerOptions,
): Promise<void> => {
  const { method = '', url = '', headers } = request
  const [path = '', query = ''] = url.split('?', 2)
  const page = pages.get(path)
  const elsewhere = page === undefined ? application?.() : undefined
  if (elsewhere !== undefined) return await elsewhere(path, request, response)
  // What is asked for needs no body: of a request that has one, nothing more is read.
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
    send(response, text(500, 'The page could not be made; the log says why.'), connection)
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
  response.end(body) // Node leaves it out where HEAD asked
}
