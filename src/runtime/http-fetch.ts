// One request over HTTPS, answered whole or not at all. Follows nothing: whoever could redirect us
// could choose our keys. Bounded in size, and by the caller's signal in time.

import { Agent as HttpAgent, request as requestHttp, type IncomingHttpHeaders } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import type { LookupFunction } from 'node:net'
import type { Duplex } from 'node:stream'
import { describeError } from './errors.ts'

/** What is asked. */
export interface HttpRequest {
  readonly method?: 'GET' | 'POST'
  /** By lower-case name. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer | string
  /** The longest body that is taken. */
  readonly maxBytes: number
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
 * no connection, the signal, too long a body, a content coding that was not asked for.
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
  /** How many connections are kept for the next request; 0, the default, for none. */
  readonly kept?: number
  /** Name resolution; without it, the system's. Not asked about hosts that are addresses. */
  readonly lookup?: LookupFunction | undefined
  /** Opens the connection, in place of TCP and TLS to the host of the URL. */
  readonly connect?: (() => Duplex) | undefined
}

/** An {@link HttpFetch} with the connections that it keeps, which end with it. */
export interface HttpFetcher extends Disposable {
  readonly fetch: HttpFetch
}

// Shorter than servers' own limits (5 s in Node, 60 s in most proxies), so that a kept connection
// is seldom one that the server is just closing.
const KEPT_MS = 4_000

/** Makes an {@link HttpFetch} over https, or over http where the caller let such a URL pass. */
export const httpFetcher = ({
  ca,
  client,
  kept = 0,
  lookup,
  connect,
}: HttpFetchOptions): HttpFetcher => {
  const keep = kept > 0 ? { keepAlive: true, maxFreeSockets: kept, timeout: KEPT_MS } : undefined
  const agents = keep && { http: new HttpAgent(keep), https: new HttpsAgent(keep) }
  const connection = {
    ...(lookup === undefined ? {} : { lookup }),
    ...(connect === undefined ? {} : { createConnection: connect }),
    ...(ca === undefined ? {} : { ca }),
    ...(client === undefined ? {} : { cert: client.certificate, key: client.key }),
  }
  return {
    async fetch(url, request, signal) {
      const secure = url.protocol === 'https:'
      const send = secure ? requestHttps : requestHttp
      // With an agent, `createConnection` would not be asked.
      const none = connect === undefined ? false : undefined
      const agent = (secure ? agents?.https : agents?.http) ?? none
      const headers = { 'accept-encoding': 'identity', ...lengthOf(request), ...request.headers }
      const options = { method: request.method ?? 'GET', agent, headers, signal, ...connection }
      const attempt = async (): Promise<IncomingMessage> => {
        const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
        const sent = send(url, options, resolve).on('error', reject)
        sent.end(request.body)
        try {
          return await promise
        } catch (cause) {
          // The other end closed it before it heard us, as after a restart. A dead connection is gone
          // from the kept ones, so the last attempt is on a new one.
          const again = request.repeatable === true && sent.reusedSocket && isReset(cause)
          if (again && !signal.aborted) return await attempt()
          throw failure(url, cause, signal)
        }
      }
      const response = await attempt()
      const coding = response.headers['content-encoding'] ?? 'identity'
      if (coding !== 'identity') {
        response.destroy()
        throw new Error(`${url.href} sent ${coding}, which was not asked for`)
      }
      const body = await bodyOf(url, response, request.maxBytes, signal)
      return { status: response.statusCode ?? 0, headers: response.headers, body }
    },
    [Symbol.dispose]() {
      agents?.http.destroy()
      agents?.https.destroy()
    },
  }
}

// nodejs.org, http: what request.reusedSocket is for.
const isReset = (cause: unknown): boolean =>
  cause instanceof Error &&
  'code' in cause &&
  (cause.code === 'ECONNRESET' || cause.code === 'EPIPE')

const lengthOf = ({ body }: HttpRequest): Record<string, string> =>
  body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }

const bodyOf = async (
  url: URL,
  response: IncomingMessage,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Buffer> => {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of response) {
      const bytes = Buffer.from(chunk)
      size += bytes.length
      chunks.push(bytes)
      if (size > maxBytes) break // which ends the connection
    }
  } catch (cause) {
    throw failure(url, cause, signal)
  }
  if (size > maxBytes) throw new Error(`${url.href} sent more than ${maxBytes} bytes`)
  return Buffer.concat(chunks)
}

const failure = (url: URL, cause: unknown, signal: AbortSignal): Error => {
  const reason = describeError(signal.aborted ? signal.reason : cause)
  return new Error(`${url.href} cannot be fetched: ${reason}`, { cause })
}
