// An application that trusts every client that reaches it, and shows what it received.

import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

/** One, running. */
export interface PlainApplication extends AsyncDisposable {
  readonly port: number
  /** The header lines of every request, oldest first: name, value, name, value … */
  readonly requests: readonly (readonly string[])[]
  clear(): void
}

/** Starts one, over HTTP/1.1 without TLS. It grants every upgrade, and then echoes. */
export const startPlainApplication = async (): Promise<PlainApplication> => {
  const requests: (readonly string[])[] = []
  const sockets = new Set<Duplex>()
  const describe = ({ rawHeaders }: IncomingMessage): string => {
    requests.push(rawHeaders)
    return JSON.stringify({ rawHeaders })
  }
  const server = createServer((request, response) => response.end(describe(request)))
    .on('connection', (socket: Duplex) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    })
    .on('upgrade', (request, socket) => {
      describe(request)
      const { upgrade = '' } = request.headers
      socket.on('error', () => socket.destroy())
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}\r\n\r\n`,
      )
      socket.pipe(socket)
    })
    .listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return {
    port: address.port,
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
