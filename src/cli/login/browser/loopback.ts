// The redirection URI of a login in a browser: a server on 127.0.0.1 that takes one answer, the one with
// the expected state (RFC 8252 §7.3). Every program and every web page on this machine can reach it, so any
// other request is refused, not quoted in the answer, and changes nothing.

import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { CountersignError, describeError } from '../../../runtime/errors.ts'
import { CONTENT_SECURITY_POLICY, DONE, FAILED, SPENT, STRANGE, type AnswerPage } from './pages.ts'

/** What is waited for. */
interface AwaitedAnswer<T> {
  readonly state: string
  /** Takes the answer, which has the expected state; the rest is not checked. The browser waits for its end. */
  readonly take: (answer: URL) => Promise<T>
}

/** A server that waits for the answer to one login. */
export interface Loopback extends AsyncDisposable {
  readonly redirectUri: string
  /**
   * What the answer was taken for; rejects with whatever `take` does, or the reason of the signal.
   * Called once.
   */
  answer<T>(awaited: AwaitedAnswer<T>, signal: AbortSignal): Promise<T>
}

const ADDRESS = '127.0.0.1'
const PATH = '/callback'
// For one request, from its first byte to its last; browsers open connections ahead of need.
const REQUEST_MS = 5_000
const MAX_CONNECTIONS = 32

/**
 * Starts listening.
 *
 * @param port 0 for one of the system's choice
 * @throws CountersignError `listen-failed`
 */
export const startLoopback = async (port: number): Promise<Loopback> => {
  const server = createServer({
    headersTimeout: REQUEST_MS,
    requestTimeout: REQUEST_MS,
    connectionsCheckingInterval: REQUEST_MS,
  })
  server.maxConnections = MAX_CONNECTIONS
  const bound = await listen(server, port)
  const host = `${ADDRESS}:${bound}`
  server.on('request', refuse)
  return {
    redirectUri: `http://${host}${PATH}`,
    async answer<T>({ state, take }: AwaitedAnswer<T>, signal: AbortSignal): Promise<T> {
      signal.throwIfAborted()
      const { promise, resolve, reject } = Promise.withResolvers<T>()
      const abort = (): void => reject(signal.reason)
      signal.addEventListener('abort', abort, { once: true })
      let taken = false
      server.off('request', refuse)
      server.on('request', (request: IncomingMessage, response: ServerResponse) => {
        const reading = read(request, host, state)
        if (reading.outcome === 'strange') return send(response, STRANGE[reading.status])
        if (taken) return send(response, SPENT)
        taken = true
        void take(reading.answer).then(
          (result) => send(response, DONE, () => resolve(result)),
          (cause: unknown) => send(response, FAILED, () => reject(cause)),
        )
      })
      try {
        return await promise
      } finally {
        signal.removeEventListener('abort', abort)
      }
    },
    async [Symbol.asyncDispose]() {
      const { promise, resolve } = Promise.withResolvers<void>()
      server.close(() => resolve())
      server.closeAllConnections()
      await promise
    },
  }
}

const listen = async (server: Server, port: number): Promise<number> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(port, ADDRESS, resolve)
  try {
    await promise
  } catch (cause) {
    const message = `cannot listen on ${ADDRESS}:${port} for the answer of the browser: ${describeError(cause)}`
    throw new CountersignError('listen-failed', message, { cause })
  } finally {
    server.off('error', reject)
  }
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('a socket of no port')
  return address.port
}

/** What a request is. */
type Reading =
  | { readonly outcome: 'answer'; readonly answer: URL }
  | { readonly outcome: 'strange'; readonly status: 400 | 404 | 405 }

const read = (
  { method, url = '', headers }: IncomingMessage,
  host: string,
  state: string,
): Reading => {
  // DNS rebinding: under another name of this machine, a page of another origin could read the response.
  if (headers.host !== host) return { outcome: 'strange', status: 400 }
  const answer = URL.parse(url, `http://${host}`)
  if (answer?.origin !== `http://${host}` || answer.pathname !== PATH) {
    return { outcome: 'strange', status: 404 }
  }
  if (method !== 'GET') return { outcome: 'strange', status: 405 }
  const states = answer.searchParams.getAll('state')
  const [given] = states
  // A response without the expected state is not for this login (RFC 6749 §10.12): wait for the right one.
  if (given === undefined || states.length > 1 || !equal(given, state)) {
    return { outcome: 'strange', status: 400 }
  }
  return { outcome: 'answer', answer }
}

const equal = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b))

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

const refuse = (_request: IncomingMessage, response: ServerResponse): void =>
  send(response, STRANGE[404])

const send = (response: ServerResponse, { status, body }: AnswerPage, sent?: () => void): void => {
  // Sent, or the browser has disconnected: there is no reason to wait longer.
  if (response.closed) return sent?.()
  if (sent !== undefined) response.once('close', sent)
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'content-security-policy': CONTENT_SECURITY_POLICY,
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    connection: 'close',
  })
  response.end(body)
}
