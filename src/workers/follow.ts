// `listen.debug` of several workers: what `countersign debug` shows is that of all of them. The supervisor asks each over a
// socket that no other user may open, and passes whole lines on.

import { request, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Config } from '../configuration/schema.ts'
import { debugAddress } from '../configuration/workers.ts'
import { startHttpServer, type HttpServer } from '../runtime/http/server.ts'
import type { Logger } from '../runtime/logger.ts'

/** What the listener needs. */
export interface JointFollowParts {
  readonly count: number
  readonly logger: Logger
}

// Of a worker that is replaced.
const AGAIN_MS = 500
// Of lines that the client has not taken; a worker then leaves lines out, and says how many.
const MOST_WAITING_BYTES = 262_144
const NEWLINE = 0x0a

/**
 * Starts the listener.
 *
 * @throws CountersignError `listen-failed`
 */
export const startJointFollowListener = async (
  { address, mode }: NonNullable<Config['listen']['debug']>,
  { count, logger }: JointFollowParts,
): Promise<HttpServer> => {
  const sockets = Array.from({ length: count }, (_, index) => {
    const socket = debugAddress(address, index)
    return socket.kind === 'unix' ? socket.path : ''
  })
  return await startHttpServer({
    address,
    mode: Number.parseInt(mode, 8),
    pages: new Map(),
    application: () => async (_path, asked, response) => {
      const path = asked.method === 'GET' ? (asked.url ?? '') : FOLLOW_REFUSED
      await new Following(sockets, path, response).begin()
    },
    logger,
  })
}

/** No page of a worker: it answers with its refusal. */
const FOLLOW_REFUSED = '/'

/** One client, and the streams of all workers to it. */
class Following {
  readonly #sockets: readonly string[]
  readonly #path: string
  readonly #response: ServerResponse
  readonly #end = new AbortController()

  constructor(sockets: readonly string[], path: string, response: ServerResponse) {
    this.#sockets = sockets
    this.#path = path
    this.#response = response
    response.once('close', () => this.#end.abort())
  }

  /** Follows all that answer; answers with the refusal of one that refuses. Never rejects. */
  async begin(): Promise<void> {
    const streams = await Promise.all(this.#sockets.map((socket) => this.#open(socket)))
    const refusal = streams.find((stream) => stream !== undefined && stream.statusCode !== 200)
    const head = refusal ?? streams.find((stream) => stream !== undefined)
    if (head === undefined || refusal !== undefined) {
      const body = head === undefined ? 'No worker answers.\n' : await text(head).catch(() => '')
      this.#end.abort()
      this.#response
        .writeHead(head?.statusCode ?? 503, { 'content-type': 'text/plain; charset=utf-8' })
        .end(body)
      return
    }
    this.#response.writeHead(200, {
      'content-type': 'application/x-ndjson',
      'cache-control': 'no-store',
    })
    this.#response.flushHeaders()
    for (const [index, socket] of this.#sockets.entries()) void this.#follow(socket, streams[index])
  }

  /** The stream of a worker, and that of the one that takes its place. */
  async #follow(socket: string, first: IncomingMessage | undefined): Promise<void> {
    let stream = first
    while (!this.#end.signal.aborted) {
      if (stream?.statusCode === 200) await this.#copy(stream)
      else stream?.resume() // its refusal
      await this.#pause()
      if (!this.#end.signal.aborted) stream = await this.#open(socket)
    }
  }

  async #copy(stream: IncomingMessage): Promise<void> {
    let rest: Buffer = Buffer.alloc(0)
    try {
      for await (const chunk of stream) {
        const bytes = Buffer.concat([rest, chunk])
        const end = bytes.lastIndexOf(NEWLINE) + 1
        rest = bytes.subarray(end)
        if (end === 0) continue
        this.#response.write(bytes.subarray(0, end))
        if (this.#response.writableLength > MOST_WAITING_BYTES) await this.#drained()
      }
    } catch {
      // The worker has ended, or the client has closed the connection.
    }
  }

  /** Resolves too when the client goes. */
  async #drained(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#response.once('drain', resolve)
    this.#end.signal.addEventListener('abort', () => resolve(), { once: true })
    await promise
  }

  async #pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, AGAIN_MS)
    this.#end.signal.addEventListener('abort', () => resolve(), { once: true })
    await promise
    clearTimeout(timer)
  }

  async #open(socketPath: string): Promise<IncomingMessage | undefined> {
    const { promise, resolve } = Promise.withResolvers<IncomingMessage | undefined>()
    const { signal } = this.#end
    if (signal.aborted) return undefined
    request({ socketPath, path: this.#path, headers: { host: 'authz' }, signal }, resolve)
      .on('error', () => resolve(undefined))
      .end()
    return await promise
  }
}
