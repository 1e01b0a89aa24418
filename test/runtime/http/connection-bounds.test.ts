// Clients that hold connections without a request: probes and other requests are answered all the same.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { request as requestHttps } from 'node:https'
import { Socket } from 'node:net'
import { describe, it } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { startAdminServer } from '../../../src/runtime/http/admin.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { ConnectionBounds } from '../../../src/runtime/http/connection-bounds.ts'
import {
  startHttpServer,
  type HttpServer,
  type PageMaker,
} from '../../../src/runtime/http/server.ts'
import type { ListenAddress } from '../../../src/runtime/listen.ts'
import { ReplaceableTls } from '../../../src/runtime/server-tls.ts'
import { memoryLogger } from '../../fakes/logger.ts'
import { QUIET, quietClients, QuietClients } from '../../fakes/quiet-clients.ts'
import { read } from '../../fakes/scraping.ts'
import { createPki } from '../../servers/pki.ts'
import { temporaryFolder } from '../../servers/temporary.ts'

const LOOPBACK = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const
const PROBES = 20
const CONNECTIONS_FOR_EACH = 50

const startAdmin = async (address: ListenAddress): Promise<HttpServer> => {
  const { logger } = memoryLogger()
  const parts = { checks: [], metrics: [], clock: systemClock, logger }
  return await startAdminServer({ address, mode: 0o600, ...parts })
}

describe('an admin listener with 1,000 connections on which clients send', () => {
  for (const [kind, quiet] of Object.entries(QUIET)) {
    for (const transport of ['TCP', 'a UNIX socket']) {
      it(`${kind}, answers every probe over ${transport}`, async () => {
        await using folder = await temporaryFolder()
        const path = folder.file('admin.sock')
        await using server = await startAdmin(
          transport === 'TCP' ? LOOPBACK : { kind: 'unix', path },
        )
        using clients = quietClients(server.address)
        const statuses: number[] = []
        for (let probe = 0; probe < PROBES; probe += 1) {
          await clients.add(CONNECTIONS_FOR_EACH, quiet)
          statuses.push((await read(server.address, '/livez')).status)
        }
        assert.deepEqual(statuses, Array(PROBES).fill(200))
      })
    }
  }

  it('nothing, has closed all but 64 of them a moment later', async () => {
    await using server = await startAdmin(LOOPBACK)
    using clients = quietClients(server.address)
    await clients.add(1_000, { sent: '' })
    while (clients.left > 64) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(clients.left, 64)
  })
})

describe('a probe', () => {
  for (const path of ['/livez', '/readyz', '/readyz?verbose']) {
    it(`of ${path} does not keep its connection`, async () => {
      await using server = await startAdmin(LOOPBACK)
      const headers = { connection: 'keep-alive' }
      assert.equal((await read(server.address, path, { headers })).headers.connection, 'close')
    })
  }
})

/** A page that is made when the test says so. */
const latePage = () => {
  const requested = Promise.withResolvers<void>()
  const made = Promise.withResolvers<void>()
  const page: PageMaker = async () => {
    requested.resolve()
    await made.promise
    return { status: 200, type: 'text/plain', body: 'late' }
  }
  const pages = new Map([['/late', page]])
  return { pages, requested: requested.promise, make: made.resolve }
}

describe('a connection with a request in flight', () => {
  it('is not closed, whatever else is opened', async () => {
    const { pages, requested, make } = latePage()
    const { logger, lines } = memoryLogger()
    await using server = await startHttpServer({ address: LOOPBACK, mode: 0o600, pages, logger })
    using clients = quietClients(server.address)
    const answer = read(server.address, '/late')
    await requested
    await clients.add(500, { sent: '' })
    while (clients.left > 64) await new Promise((resolve) => setImmediate(resolve))
    make()
    assert.equal((await answer).body, 'late')
    assert.match(lines.join(), /too many connections: idle ones are closed/)
  })

  it('over TLS is not closed, and new ones are answered', async () => {
    await using pki = await createPki()
    const [certificate, key, clientCa, cert, ownKey] = await Promise.all([
      readFile(pki.edge.certificate),
      readFile(pki.edge.key),
      readFile(pki.ca),
      readFile(pki.alice.certificate),
      readFile(pki.alice.key),
    ])
    const { pages, requested, make } = latePage()
    await using server = await startHttpServer({
      address: LOOPBACK,
      mode: 0o600,
      pages,
      tls: { material: new ReplaceableTls({ certificate, key, clientCa }), admits: () => true },
      logger: memoryLogger().logger,
    })
    assert.ok(server.address.kind === 'tcp')
    const { host, port } = server.address
    const identity = {
      cert,
      key: ownKey,
      ca: clientCa,
      servername: '',
      checkServerIdentity: () => undefined,
    }
    const ask = async (path: string): Promise<number | undefined> => {
      const { promise, resolve, reject } = Promise.withResolvers<number | undefined>()
      requestHttps({ host, port, path, agent: false, ...identity }, (response) =>
        resolve(response.resume().statusCode),
      )
        .on('error', reject)
        .end()
      return await promise
    }
    const answer = ask('/late')
    await Promise.race([requested, answer])
    // Some in the handshake, and some that have ended it.
    using inHandshake = quietClients(server.address)
    await inHandshake.add(300, { sent: '' })
    using connected = new QuietClients(() => connectTls({ host, port, ...identity }))
    await connected.add(100, { sent: '' })
    for (let probe = 0; probe < PROBES; probe += 1) {
      assert.equal(await ask('/none'), 404)
    }
    while (inHandshake.left + connected.left > 64) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    make()
    assert.equal(await answer, 200)
  })
})

/** A connection from some address. */
const socketFrom = (address: string | undefined): Socket =>
  Object.defineProperty(new Socket(), 'remoteAddress', { value: address })

describe('the limit for an address', () => {
  const LIMITS = { connections: 64, connectionsPerAddress: 8 }
  const openFrom = (addresses: readonly (string | undefined)[]): readonly Socket[] => {
    const server: Server = createServer()
    new ConnectionBounds(LIMITS, memoryLogger().logger).watch(server)
    const sockets = addresses.map((address) => socketFrom(address))
    for (const socket of sockets) server.emit('connection', socket)
    server.emit('drop') // applies the limits at once
    return sockets
  }
  const openOf = (sockets: readonly Socket[], address: string | undefined): number =>
    sockets.filter((socket) => socket.remoteAddress === address && !socket.destroyed).length

  it('takes none from another, and keeps the newest', () => {
    const addresses = [...Array(3).fill('10.0.0.2'), ...Array(40).fill('10.0.0.1')]
    const sockets = openFrom(addresses)
    assert.deepEqual([openOf(sockets, '10.0.0.2'), openOf(sockets, '10.0.0.1')], [3, 8])
    assert.deepEqual(
      sockets.slice(3).map(({ destroyed }) => destroyed),
      [...Array(32).fill(true), ...Array(8).fill(false)],
    )
  })

  for (const address of ['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1', undefined]) {
    it(`is not for ${address ?? 'a UNIX socket'}`, () => {
      assert.equal(openOf(openFrom(Array(40).fill(address)), address), 40)
    })
  }

  for (const address of ['fe80::1%eth0', '::ffff:10.0.0.1', '2001:db8::1']) {
    it(`is for ${address}`, () => {
      assert.equal(openOf(openFrom(Array(40).fill(address)), address), 8)
    })
  }
})
