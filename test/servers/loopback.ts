// A listening HTTP or HTTPS server on loopback.

import type { Server } from 'node:http'
import type { Server as TlsServer } from 'node:https'

/** A server that listens. */
export interface LoopbackServer {
  readonly port: number
  /** Closes it, and every connection. */
  readonly stop: () => Promise<void>
}

/** Has a server listen on 127.0.0.1. @param port default: chosen by the system */
export const listenOnLoopback = async (
  server: Server | TlsServer,
  port = 0,
): Promise<LoopbackServer> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject).listen(port, '127.0.0.1', resolve)
  await promise
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new TypeError('no TCP server')
  let stopped: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    stopped ??= new Promise((settle) => {
      server.close(() => settle())
      server.closeAllConnections()
    })
    await stopped
  }
  return { port: address.port, stop }
}
