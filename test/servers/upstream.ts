// An upstream that trusts one client certificate, the front proxy's, and tells what it was sent.

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { TLSSocket } from 'node:tls'
import type { KeyPair } from './pki.ts'

/** One request as the upstream saw it. */
interface ReceivedRequest {
  readonly method: string
  readonly url: string
  /** Name, value, name, value …: repeated lines, their order and their spelling are kept. */
  readonly rawHeaders: readonly string[]
  /** CN of the client certificate that was presented. */
  readonly client: string
  readonly body: string
}

/** A running upstream. */
export interface Upstream extends AsyncDisposable {
  readonly port: number
  /** Every request that arrived, upgrades too, oldest first. */
  readonly requests: readonly ReceivedRequest[]
  /** Forgets the requests so far. */
  clear(): void
}

/** What {@link startUpstream} needs. */
export interface UpstreamOptions {
  readonly identity: KeyPair
  /** PEM file: the CA of the accepted client certificate. */
  readonly clientCa: string
  /** CN of the only client that is served; any other client gets 403. */
  readonly client?: string
  readonly host?: string
  readonly port?: number
  /** Keep a list of requests. Turn it off under load. */
  readonly record?: boolean
}

/**
 * Starts a TLS server for HTTP/1.1.
 *
 * - `/slow?interval=MS&count=N` sends N numbered lines, one each MS (default 100 ms, no end);
 * - `/form` is a page with a form, which is sent to `/orders`;
 * - a request to upgrade, to whatever protocol, is granted, and then bytes are echoed;
 * - everything else is answered with 200 and a {@link ReceivedRequest} as JSON.
 */
export const startUpstream = async (options: UpstreamOptions): Promise<Upstream> => {
  const { identity, clientCa, client = 'front-proxy', record = true } = options
  const requests: ReceivedRequest[] = []
  const sockets = new Set<Duplex>()
  const remember = (received: ReceivedRequest): void => {
    if (record) requests.push(received)
  }
  const server = createServer(
    {
      cert: await readFile(identity.certificate),
      key: await readFile(identity.key),
      ca: await readFile(clientCa),
      requestCert: true,
      rejectUnauthorized: true,
      ALPNProtocols: ['http/1.1'],
      // Envoy's limits are what is under test, and its pool decides when a connection ends.
      maxHeaderSize: 1_048_576,
      keepAliveTimeout: 0,
      requestTimeout: 0,
    },
    (request, response) => {
      answer(request, response, client, remember).catch((cause: unknown) => {
        response.destroy(cause instanceof Error ? cause : new Error(String(cause)))
      })
    },
  )
  server.on('upgrade', (request, socket) => {
    upgrade(request, socket, client, remember)
  })
  server.on('secureConnection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await listen(server, options.port ?? 0, options.host ?? '127.0.0.1')
  return {
    port: portOf(server),
    requests,
    clear: () => {
      requests.length = 0
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

const listen = (server: Server, port: number, host: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })

const portOf = (server: Server): number => {
  const address: AddressInfo | string | null = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the upstream is not bound')
  return address.port
}

const answer = async (
  request: IncomingMessage,
  response: ServerResponse,
  client: string,
  remember: (received: ReceivedRequest) => void,
): Promise<void> => {
  const url = new URL(request.url ?? '/', 'https://upstream')
  if (subjectOf(request) !== client) {
    response.writeHead(403, { 'content-type': 'text/plain' }).end('not the front proxy\n')
    return
  }
  if (url.pathname === '/slow') {
    remember(describe(request, ''))
    trickle(response, url.searchParams)
    return
  }
  if (url.pathname === '/form') {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(FORM)
    return
  }
  const received = describe(request, await text(request))
  remember(received)
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(received))
}

const FORM = `<!doctype html><html lang="en"><title>Orders</title>
<main><h1>Orders</h1><form method="post" action="/orders">
<label>Amount <input name="amount"></label> <button>Order</button></form></main>`

const trickle = (response: ServerResponse, parameters: URLSearchParams): void => {
  const count = Number(parameters.get('count') ?? Number.POSITIVE_INFINITY)
  let sent = 0
  response.writeHead(200, { 'content-type': 'text/plain' }).flushHeaders()
  const timer = setInterval(
    () => {
      sent += 1
      response.write(`${sent}\n`)
      if (sent >= count) response.end()
    },
    Number(parameters.get('interval') ?? 100),
  )
  for (const event of ['close', 'finish']) response.once(event, () => clearInterval(timer))
}

const upgrade = (
  request: IncomingMessage,
  socket: Duplex,
  client: string,
  remember: (received: ReceivedRequest) => void,
): void => {
  socket.on('error', () => socket.destroy())
  if (subjectOf(request) !== client) {
    socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n')
    return
  }
  remember(describe(request, ''))
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Connection: Upgrade',
    `Upgrade: ${request.headers.upgrade ?? ''}`,
  ]
  const key = request.headers['sec-websocket-key']
  if (key !== undefined) lines.push(`Sec-WebSocket-Accept: ${acceptance(key)}`)
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  socket.pipe(socket)
}

// RFC 6455 §4.2.2: real WebSocket clients check this, with the GUID that the RFC chose.
const acceptance = (key: string): string =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')

const describe = (request: IncomingMessage, body: string): ReceivedRequest => ({
  method: request.method ?? '',
  url: request.url ?? '',
  rawHeaders: request.rawHeaders,
  client: subjectOf(request),
  body,
})

const subjectOf = ({ socket }: IncomingMessage): string => {
  if (!(socket instanceof TLSSocket)) return ''
  const name: unknown = socket.getPeerCertificate().subject?.CN
  return typeof name === 'string' ? name : ''
}
