// An HTTPS server on loopback that is written in a test, and the requests that it forwards to an API
// server.

import { readFile } from 'node:fs/promises'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { createServer, request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { pairsOf } from './client.ts'
import type { KeyPair } from './pki.ts'

/** A running server. */
export interface WebServer extends AsyncDisposable {
  readonly port: number
}

/** What answers. */
interface Answers {
  readonly request: (request: IncomingMessage, response: ServerResponse) => void
  /** Default: nothing is upgraded. */
  readonly upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
}

/** Starts one. */
export const startWebServer = async (
  identity: KeyPair,
  { request, upgrade }: Answers,
): Promise<WebServer> => {
  const server = createServer(
    { cert: await readFile(identity.certificate), key: await readFile(identity.key) },
    request,
  )
  const sockets = new Set<Duplex>()
  server.on('secureConnection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  if (upgrade !== undefined) server.on('upgrade', upgrade)
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of a TCP server it is one
  const { port } = server.address() as AddressInfo
  return {
    port,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((settle) => server.close(settle))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** The API server that a dashboard shows. */
export interface ApiServerPlace {
  readonly url: string
  /** PEM file. */
  readonly ca: string
}

/** Hands requests on to an API server, with other headers. */
export class ApiProxy {
  readonly #url: string
  readonly #ca: Buffer

  constructor(url: string, ca: Buffer) {
    this.#url = url
    this.#ca = ca
  }

  static async to({ url, ca }: ApiServerPlace): Promise<ApiProxy> {
    return new ApiProxy(url, await readFile(ca))
  }

  /** A request, and its answer as it comes. */
  request(
    path: string,
    request: IncomingMessage,
    headers: IncomingHttpHeaders,
    response: ServerResponse,
  ): void {
    const onward = this.#open(path, request.method, headers)
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
      answer.pipe(response)
    })
    onward.on('error', () => response.destroy())
    request.pipe(onward)
  }

  /** An upgrade: granted or refused as the API server does. */
  upgrade(
    path: string,
    request: IncomingMessage,
    headers: IncomingHttpHeaders,
    socket: Duplex,
  ): void {
    const onward = this.#open(path, request.method, headers)
    const headOf = (answer: IncomingMessage): string => {
      const lines = pairsOf(answer.rawHeaders).map(([name, value]) => `${name}: ${value}\r\n`)
      return `HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\n${lines.join('')}\r\n`
    }
    onward.on('upgrade', (answer, other, head) => {
      socket.write(headOf(answer))
      socket.write(head)
      for (const [one, another] of [
        [socket, other],
        [other, socket],
      ] as const) {
        one.pipe(another)
        one.on('error', () => another.destroy())
        one.on('close', () => another.destroy())
      }
    })
    onward.on('response', (answer) => {
      socket.write(headOf(answer))
      answer.pipe(socket)
    })
    onward.on('error', () => socket.destroy())
    onward.end()
  }

  #open(path: string, method: string | undefined, headers: IncomingHttpHeaders) {
    const url = new URL(this.#url)
    return httpsRequest({
      host: url.hostname,
      port: url.port,
      ca: this.#ca,
      agent: false,
      path,
      ...(method === undefined ? {} : { method }),
      headers: { ...headers, host: url.host },
    })
  }
}
