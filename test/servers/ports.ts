// Ports for servers that need a fixed one. They are below the range of the ports of outgoing connections
// (ip_local_port_range, from 32768): the kernel may assign such a port to a connection before the server listens on
// it.

import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { hasCode } from '../../src/runtime/errors.ts'

const LOWEST = 10_000
const LOWEST_OF_CONNECTIONS = 32_768
const TRIES = 100

/** A TCP port on 127.0.0.1 that nothing listens on. */
export const freePort = async (): Promise<number> => await freePorts(1)

/** The first of as many consecutive TCP ports on 127.0.0.1 that nothing listens on. */
export const freePorts = async (count: number): Promise<number> =>
  await firstFree(async (first) => {
    for (let port = first; port < first + count; port += 1) {
      const server = createServer().listen(port, '127.0.0.1')
      await once(server, 'listening')
      server.close()
      await once(server, 'close')
    }
  })

/** A UDP port on 127.0.0.1 that nothing has bound. */
export const freeUdpPort = async (): Promise<number> =>
  await firstFree(async (port) => {
    const socket = createSocket('udp4').bind(port, '127.0.0.1')
    await once(socket, 'listening')
    socket.close()
    await once(socket, 'close')
  })

const firstFree = async (tryPort: (port: number) => Promise<void>): Promise<number> => {
  for (let tries = 1; ; tries += 1) {
    const port = randomInt(LOWEST, LOWEST_OF_CONNECTIONS)
    try {
      await tryPort(port)
      return port
    } catch (cause) {
      if (!hasCode(cause, 'EADDRINUSE') || tries === TRIES) throw cause
    }
  }
}
