// Idle connections at a real Envoy: one client that opens all of them does not exclude other clients.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type TLSSocket } from 'node:tls'
import { http1 } from '../servers/client.ts'
import { skipWithoutEnvoy } from '../servers/envoy.ts'
import { HOST, startEdge, type Edge } from './edge.ts'

const MOST = 200
/** Milliseconds until a new client has its answer; the idle time at the limit is 2 s. */
const PATIENCE = 30_000

const openIdle = async ({ target, pki }: Edge): Promise<readonly TLSSocket[]> => {
  const ca = await readFile(pki.ca)
  const options = { host: '127.0.0.1', port: target.port, ca, servername: HOST }
  return await Promise.all(
    Array.from({ length: MOST }, async () => {
      const socket = connect({ ...options, ALPNProtocols: ['h2', 'http/1.1'] })
      // Some are beyond the limit, and all are closed sooner or later.
      socket.on('error', () => undefined)
      await Promise.race([once(socket, 'secureConnect'), once(socket, 'close')])
      return socket
    }),
  )
}

describe('idle connections', { skip: skipWithoutEnvoy() }, () => {
  it('are closed as they become too many, and a new client has its answer', async (context) => {
    await using edge = await startEdge({ listener: { maxConnections: MOST } })
    const sockets = await openIdle(edge)
    try {
      const started = performance.now()
      const ask = async (): Promise<number> =>
        await http1({ ...edge.target, serverName: HOST }).then(
          ({ status }) => status,
          () => 0, // refused by the listener
        )
      let status = await ask()
      while (status === 0 && performance.now() - started < PATIENCE) {
        await sleep(100)
        status = await ask()
      }
      context.diagnostic(`answered after ${Math.round(performance.now() - started)} ms`)
      assert.equal(status, 200)
    } finally {
      for (const socket of sockets) socket.destroy()
    }
  })
})
