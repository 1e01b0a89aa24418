// One request over HTTPS, answered whole or not at all. It follows no redirect: a redirecting server could replace
// an issuer's keys. Bounded in size, and by the caller's signal in time.

import type { Agent, ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { LookupFunction } from 'node:net'
import type { Duplex } from 'node:stream'
import { describeError, hasCode } from '../errors.ts'
import { nodeHttp, nodeHttps } from '../lazy-modules.ts'
import { concatInSlices } from '../long-bytes.ts'

/** An HTTP request without its URL. */
export interface HttpRequest {
  readonly method?: 'GET' | 'POST'
  /** By lower-case name. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer | string
  /** The longest body that is taken. */
  readonly maxBytes: number
  /** The setting that {@link maxBytes} is from, for the message about a longer body. */
  readonly maxBytesSetting?: string
  /** Sent again where a kept connection turns out to be dead; only for what may be done twice. */
  readonly repeatable?: boolean
}

/** What was answered; any status. */
export interface HttpResponse {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/**
 * Sends one request.
 *
 * Rejects, with a message for operators that begins with the URL, when there is no whole answer:
 * no connection, the signal, too long a body or one in very small chunks, a content coding that was not
 * accepted, a switch of protocols, or more than 16 interim answers.
 */
export type HttpFetch = (
  url: URL,
  request: HttpRequest,
  signal: AbortSignal,
) => Promise<HttpResponse>

/** How connections are made. */
export interface HttpFetchOptions {
  /** PEM of the only certificate authorities to trust; without it, those that Node trusts. */
  readonly ca?: Buffer | undefined
  /** A client certificate to show, PEM. */
  readonly client?: { readonly certificate: Buffer; readonly key: Buffer } | undefined
  /** The name in the server's certificate, where it is not the host of the URL. */
  readonly serverName?: string | undefined
  /** How many connections are kept for the next request; 0, the default, for none. */
  readonly kept?: number
  /** Name resolution; without it, the system's. Not called for hosts that are addresses. */
  readonly lookup?: LookupFunction | undefined
  /** Opens the connection, in place of TCP and TLS to the host of the URL. */
  readonly connect?: (() => Duplex) | undefined
}

/** An {@link HttpFetch} with the connections that it keeps, which end with it. */
export interface HttpFetcher extends Disposable {
  readonly fetch: HttpFetch
}

// RFC 9110 §15.2: any number of interim answers may come before the answer. Servers send one or two,
// and an endless row of them keeps the event loop busy.
const MAX_INTERIM = 16

// A body comes in pieces, as its server chunks it, and each costs time of its own: a mebibyte in chunks of
// one byte half a second. Servers write hundreds of bytes at a time.
const FREE_PIECES = 1_024
const LEAST_MEAN_PIECE = 64

// Shorter than servers' own limits (5 s in Node, 60 s in most proxies), so that a kept connection
// is seldom one that the server is just closing.
const KEPT_MS = 4_000

/** Makes an {@link HttpFetch} over https, or over http where the caller let such a URL pass. */
export const httpFetcher = ({
  ca,
  client,
  serverName,
  kept = 0,
  lookup,
  connect,
}: HttpFetchOptions): HttpFetcher => {
  const keep = kept > 0 ? { keepAlive: true, maxFreeSockets: kept, timeout: KEPT_MS } : undefined
  // Made with the first request, as the modules are loaded.
  const agents = new Map<string, Agent>()
  const agentFor = (protocol: string): Agent | undefined => {
    if (keep === undefined) return undefined
    const module = protocol === 'https:' ? nodeHttps() : nodeHttp()
    const agent = agents.get(protocol) ?? new module.Agent(keep)
    agents.set(protocol, agent)
    return agent
  }
  const connection = {
    ...(lookup === undefined ? {} : { lookup }),
    ...(connect === undefined ? {} : { createConnection: connect }),
    ...(ca === undefined ? {} : { ca }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    ...(client === undefined ? {} : { cert: client.certificate, key: client.key }),
  }
  return {
    async fetch(url, request, signal) {
      const { request: send } = url.protocol === 'https:' ? nodeHttps() : nodeHttp()
      // With an agent, Node would not call `createConnection`.
      const none = connect === undefined ? false : undefined
      const agent = agentFor(url.protocol) ?? none
      const headers = { 'accept-encoding': 'identity', ...lengthOf(request), ...request.headers }
      const options = { method: request.method ?? 'GET', agent, headers, signal, ...connection }
      const attempt = async (): Promise<IncomingMessage> => {
        const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
        const sent = send(url, options, resolve).on('error', reject)
        // All that Node says of a server that switches protocols (101): it emits no error, and the signal
        // no longer has an effect.
        sent.on('close', () => reject(new Error('the connection ended without an answer')))
        boundInterim(sent)
        sent.end(request.body)
        try {
          return await promise
        } catch (cause) {
          // The server closed the connection before it read the request, as after a restart. The pool no longer has
          // that connection, so the last attempt is on a new one.
          const again = request.repeatable === true && sent.reusedSocket && isReset(cause)
          if (again && !signal.aborted) return await attempt()
          throw failure(url, cause, signal)
        }
      }
      const response = await attempt()
      const coding = response.headers['content-encoding'] ?? 'identity'
      if (coding !== 'identity') {
        response.destroy()
        throw new Error(`${url.href} sent content-encoding ${coding}, which was not accepted`)
      }
      const body = await bodyOf(url, response, request, signal)
      return { status: response.statusCode ?? 0, headers: response.headers, body }
    },
    [Symbol.dispose]() {
      for (const agent of agents.values()) agent.destroy()
    },
  }
}

// nodejs.org, http: what request.reusedSocket is for.
const isReset = (cause: unknown): boolean => hasCode(cause, 'ECONNRESET', 'EPIPE')

const lengthOf = ({ body }: HttpRequest): Record<string, string> =>
  body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }

const boundInterim = (sent: ClientRequest): void => {
  let count = 0
  sent.on('information', () => {
    count += 1
    if (count > MAX_INTERIM) sent.destroy(new Error(`more than ${MAX_INTERIM} interim answers`))
  })
}

const bodyOf = async (
  url: URL,
  response: IncomingMessage,
  { maxBytes, maxBytesSetting }: HttpRequest,
  signal: AbortSignal,
): Promise<Buffer> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const pieces: Buffer[] = []
  let size = 0
  const stop = (reason: string): void => {
    reject(new Error(reason)) // first: all of it may be here already
    response.destroy()
  }
  response.on('data', (piece: Buffer) => {
    size += piece.length
    if (size > maxBytes) stop('too long')
    else if (pieces.length > FREE_PIECES && size < pieces.length * LEAST_MEAN_PIECE) {
      stop(`more than ${FREE_PIECES} chunks, of less than ${LEAST_MEAN_PIECE} bytes on average`)
    } else pieces.push(Buffer.from(piece)) // a copy: it is a part of what was read from the socket
  })
  response.on('error', reject).on('end', resolve)
  response.on('close', () => reject(new Error('the connection ended in the body')))
  try {
    await promise
    const body = await concatInSlices(pieces)
    // A body without a length ends with its connection, also where the signal has ended that.
    signal.throwIfAborted()
    return body
  } catch (cause) {
    if (size > maxBytes) {
      const limit = maxBytesSetting === undefined ? '' : `, the limit (${maxBytesSetting})`
      throw new Error(`${url.href} sent more than ${maxBytes} bytes${limit}`, { cause })
    }
    throw failure(url, cause, signal)
  }
}

const failure = (url: URL, cause: unknown, signal: AbortSignal): Error => {
  const reason = describeError(signal.aborted ? signal.reason : cause)
  return new Error(`${url.href} cannot be fetched: ${reason}`, { cause })
}
