// The small HTTP server: its pages, and peers that want more than that of it.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmod, readFile, stat } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import {
  startHttpServer,
  type HttpServer,
  type PageMaker,
} from '../../../src/runtime/http/server.ts'
import type { ListenAddress } from '../../../src/runtime/listen.ts'
import { ReplaceableTls } from '../../../src/runtime/server-tls.ts'
import { memoryLogger } from '../../fakes/logger.ts'
import { read } from '../../fakes/scraping.ts'
import { createPki } from '../../servers/pki.ts'
import { temporaryFolder } from '../../servers/temporary.ts'

const LOOPBACK = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const
// More than the buffers of both sides take.
const LARGE = 'x'.repeat(24_000_000)

const PAGES = new Map<string, PageMaker>([
  ['/page', ({ query }) => ({ status: 200, type: 'text/x', body: `page ${String(query)} é` })],
  ['/late', async ({ accept = '' }) => ({ status: 503, type: 'text/x', body: accept })],
  ['/large', () => ({ status: 200, type: 'text/x', body: LARGE })],
  [
    '/broken',
    () => {
      throw new Error('secret detail')
    },
  ],
  ['/rejected', () => Promise.reject(new Error('secret detail'))],
])

const start = async (
  address: ListenAddress = LOOPBACK,
): Promise<HttpServer & { lines: readonly string[] }> => {
  const { logger, lines } = memoryLogger()
  const server = await startHttpServer({ address, mode: 0o640, pages: PAGES, logger })
  return { ...server, lines }
}

const dial = async ({ address }: HttpServer): Promise<Socket> => {
  assert.ok(address.kind === 'tcp')
  const socket = connect(address.port, address.host)
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** Writes the parts and gives all that comes back until the end. */
const talk = async (server: HttpServer, ...parts: readonly string[]): Promise<string> => {
  const socket = await dial(server)
  let got = ''
  socket.on('data', (chunk: Buffer) => (got += chunk.toString()))
  for (const part of parts) socket.write(part)
  await once(socket, 'close')
  return got
}

describe('a page', () => {
  it('is read, with its query, and not kept', async () => {
    await using server = await start()
    const { status, headers, body } = await read(server.address, '/page?a=1&b')
    assert.deepEqual({ status, body }, { status: 200, body: 'page a=1&b= é' })
    assert.equal(headers['content-type'], 'text/x')
    assert.equal(headers['cache-control'], 'no-store')
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['access-control-allow-origin'], undefined)
  })

  it('may be anything, and may know what is accepted', async () => {
    await using server = await start()
    const got = await read(server.address, '/late', { headers: { accept: 'text/x' } })
    assert.deepEqual([got.status, got.body], [503, 'text/x'])
  })

  it('has a head', async () => {
    await using server = await start()
    const { status, headers, body } = await read(server.address, '/page', { method: 'HEAD' })
    assert.deepEqual([status, body, headers['content-length']], [200, '', '8'])
  })

  it('is read through a UNIX socket by those who may use it', async () => {
    await using folder = await temporaryFolder()
    const address = { kind: 'unix', path: folder.file('run/http.sock') } as const
    {
      await using _ = await start(address)
      assert.equal((await stat(address.path)).mode & 0o777, 0o640)
      assert.equal((await read(address, '/page')).status, 200)
      await assert.rejects(start(address), { code: 'listen-failed', message: /already/ })
      assert.equal((await read(address, '/page')).status, 200)
    }
    await using again = await start(address)
    assert.equal((await read(again.address, '/page')).status, 200)
  })

  it('is not read through a UNIX socket in a folder where every user could replace it', async () => {
    await using folder = await temporaryFolder()
    await chmod(folder.path, 0o777)
    await assert.rejects(start({ kind: 'unix', path: folder.file('http.sock') }), {
      code: 'listen-failed',
      message: /every user may write to .* and replace the socket/,
    })
  })
})

describe('what is not a page', () => {
  const PATHS = ['/', '/pag', '/page/', '/page%00', '//page', '/PAGE', '/../page', 'http://a/page']
  for (const path of PATHS) {
    it(`${path} is not found`, async () => {
      await using server = await start()
      assert.equal((await read(server.address, path)).status, 404)
    })
  }

  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE']) {
    it(`${method} is refused`, async () => {
      await using server = await start()
      const { status, headers } = await read(server.address, '/page', { method })
      assert.deepEqual([status, headers.allow], [405, 'GET, HEAD'])
      assert.equal((await read(server.address, '/other', { method })).status, 404)
    })
  }

  for (const path of ['/broken', '/rejected']) {
    it(`${path} is said to be so in the log alone`, async () => {
      await using server = await start()
      const { status, body } = await read(server.address, path)
      assert.equal(status, 500)
      assert.doesNotMatch(body, /secret/)
      assert.match(server.lines.join(), /page failed/)
    })
  }

  it('is an address that is taken', async () => {
    await using other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const bound = other.address()
    assert.ok(bound !== null && typeof bound === 'object')
    await assert.rejects(start({ ...LOOPBACK, port: bound.port }), { code: 'listen-failed' })
  })
})

describe('a hostile peer', { timeout: 300_000 }, () => {
  it('a hostile peer that sends a body is answered without reading it', async () => {
    await using server = await start()
    const head = 'GET /page HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n'
    const got = await talk(server, head, 'x'.repeat(100_000))
    assert.match(got, /^HTTP\/1\.1 200 /)
    assert.match(got, /connection: close/i)
    assert.equal(got.match(/HTTP\/1\.1/g)?.length, 1)
  })

  it('a hostile peer that sends headers without end is cut off', async () => {
    await using server = await start()
    const header = `X-A: ${'x'.repeat(1_000)}\r\n`
    const got = await talk(server, 'GET /page HTTP/1.1\r\nHost: a\r\n', header.repeat(10))
    assert.match(got, /^HTTP\/1\.1 431 /)
  })

  it('a hostile peer that sends nothing, or half a request, is cut off', async () => {
    await using server = await start()
    const since = performance.now()
    const [slow, silent] = await Promise.all([
      talk(server, 'GET /page HTTP/1.1\r\nHost'),
      talk(server),
    ])
    assert.match(slow, /^HTTP\/1\.1 408 /)
    assert.doesNotMatch(silent, / 200 /)
    assert.ok(performance.now() - since < 30_000)
  })

  it('a hostile peer that speaks another protocol is cut off', async () => {
    await using server = await start()
    const got = await talk(server, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    assert.doesNotMatch(got, / 200 /)
  })

  it('a hostile peer that asks on and on in one go is answered in order, each once', async () => {
    await using server = await start()
    const one = 'GET /page HTTP/1.1\r\nHost: a\r\n\r\n'
    const last = 'GET /page HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
    const got = await talk(server, one.repeat(500), last)
    assert.equal(got.match(/HTTP\/1\.1 200 /g)?.length, 501)
  })
})

// Much longer than it takes, and much shorter than such peers are borne with.
const LIMIT = { timeout: 300_000 }

describe('the end of the server', () => {
  it('does not wait for those who hold a connection or take no answer', LIMIT, async () => {
    const server = await start()
    const [idle, slow] = [await dial(server), await dial(server)]
    slow.write('GET /large HTTP/1.1\r\nHost: a\r\n\r\n')
    await once(slow, 'readable')
    await server[Symbol.asyncDispose]()
    await assert.rejects(read(server.address, '/page'))
    idle.destroy()
    slow.destroy()
  })
})

describe('the address of a peer', () => {
  it('is known after the peer has reset the connection', async () => {
    const { logger } = memoryLogger()
    const { promise, resolve } = Promise.withResolvers<string | undefined>()
    const requested = Promise.withResolvers<void>()
    const application = async (_path: string, { socket }: IncomingMessage): Promise<void> => {
      socket.once('close', () => resolve(socket.remoteAddress))
      requested.resolve()
    }
    await using server = await startHttpServer({
      address: LOOPBACK,
      mode: 0o640,
      pages: PAGES,
      application: () => application,
      logger,
    })
    const socket = await dial(server)
    socket.write('GET /anything HTTP/1.1\r\nHost: a\r\n\r\n')
    await requested.promise
    socket.resetAndDestroy()
    assert.equal(await promise, '127.0.0.1')
  })
})

describe('a server over mutual TLS', () => {
  it('closes a connection on which no handshake comes', async () => {
    await using pki = await createPki()
    const [certificate, key, clientCa] = await Promise.all(
      [pki.edge.certificate, pki.edge.key, pki.ca].map((file) => readFile(file)),
    )
    assert.ok(certificate !== undefined && key !== undefined && clientCa !== undefined)
    const material = new ReplaceableTls({ certificate, key, clientCa })
    await using server = await startHttpServer({
      address: LOOPBACK,
      mode: 0o640,
      pages: PAGES,
      tls: { material, admits: () => true },
      logger: memoryLogger().logger,
    })
    const socket = await dial(server)
    const begun = performance.now()
    await once(socket.resume(), 'close')
    const seconds = (performance.now() - begun) / 1_000
    assert.ok(seconds > 4 && seconds < 15, `${seconds} s`)
  })
})
