// The upstreams of pages: each answers with the headers that it received, as JSON.

import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { join } from 'node:path'

/** Running applications. */
export interface Applications extends AsyncDisposable {
  /** The port of the one that speaks HTTP. */
  readonly plain: number
  /** The port of the one with TLS. */
  readonly tls: number
}

const answer: RequestListener = ({ headers }, response) => {
  response.setHeader('content-type', 'application/json').end(`${JSON.stringify(headers)}\n`)
}

/**
 * Starts them on loopback.
 *
 * @param folder has `server.pem` and `server.key`
 */
export const startApplications = async (folder: string): Promise<Applications> => {
  const [cert, key] = await Promise.all(
    ['server.pem', 'server.key'].map((name) => readFile(join(folder, name))),
  )
  const servers = [createServer(answer), createTlsServer({ cert, key }, answer)]
  const [plain = 0, tls = 0] = await Promise.all(servers.map(listen))
  return {
    plain,
    tls,
    async [Symbol.asyncDispose]() {
      for (const server of servers) {
        server.closeAllConnections()
        server.close()
      }
    },
  }
}

const listen = async (server: Server): Promise<number> => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
