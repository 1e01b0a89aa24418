// The config dump as it is fetched: whatever answers is bounded in size and in time.

import assert from 'node:assert/strict'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import type { Address } from '../../src/config/values.ts'
import { fetchConfigDump } from '../../src/envoy/config-dump.ts'

interface Answering extends AsyncDisposable {
  readonly address: Address
  readonly closed: Promise<unknown>
}

const serve = async (answer: (response: ServerResponse) => void): Promise<Answering> => {
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  const server: Server = createServer((_, response) => {
    response.once('close', resolve)
    answer(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  assert.ok(typeof bound === 'object' && bound !== null)
  return {
    address: { kind: 'tcp', host: '127.0.0.1', port: bound.port },
    closed,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const MINUTE = 60_000

describe('fetchConfigDump', () => {
  it('returns the answer, in whatever pieces it arrives', async () => {
    const body = Buffer.from(JSON.stringify({ name: 'größe' }))
    await using server = await serve((response) => {
      response.write(body.subarray(0, 12)) // in the middle of a character
      setTimeout(() => response.end(body.subarray(12)), 20)
    })
    assert.equal(await fetchConfigDump(server.address, { timeout: MINUTE }), '{"name":"größe"}')
  })

  it('reads tens of megabytes', async () => {
    const piece = Buffer.alloc(1_024 * 1_024, ' ')
    await using server = await serve((response) => {
      for (let sent = 0; sent < 40; sent += 1) response.write(piece)
      response.end('{}')
    })
    const text = await fetchConfigDump(server.address, { timeout: MINUTE })
    assert.equal(text.length, 40 * piece.length + 2)
  })

  it('fails where the answer is too large, and reads no further', async () => {
    await using server = await serve((response) => {
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(10_000)));
      }
      response.on('drain', more)
      more()
    })
    await assert.rejects(fetchConfigDump(server.address, { timeout: MINUTE, largest: 100_000 }), {
      code: 'unavailable',
      message: /cannot be reached: it answers with more than 100000 bytes$/,
    })
    await server.closed
  })

  it('fails where the answer is too slow', async () => {
    await using server = await serve((response) => {
      const timer = setInterval(() => response.write(' '), 10)
      response.once('close', () => clearInterval(timer))
    })
    await assert.rejects(fetchConfigDump(server.address, { timeout: 200 }), {
      code: 'unavailable',
      message: /did not answer within 0\.2 s$/,
    })
    await server.closed
  })

  it('fails where the answer is truncated', async () => {
    await using server = await serve((response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('{')
      setTimeout(() => response.destroy(), 20)
    })
    await assert.rejects(fetchConfigDump(server.address, { timeout: MINUTE }), {
      code: 'unavailable',
      message: /cannot be reached: aborted$/,
    })
  })

  it('reports why each address of a name cannot be reached', async () => {
    await using server = await serve((response) => response.end())
    const { address } = server
    await server[Symbol.asyncDispose]()
    assert.ok(address.kind === 'tcp')
    await assert.rejects(fetchConfigDump({ ...address, host: 'localhost' }, { timeout: MINUTE }), {
      code: 'unavailable',
      message: /localhost:\d+ cannot be reached: connect ECONNREFUSED /,
    })
  })
})
