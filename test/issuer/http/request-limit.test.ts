// How many requests the authorization server works on at once: more are answered 503, the documents never.

import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { describe, it } from 'node:test'
import { RequestLimit } from '../../../src/issuer/http/request-limit.ts'

const start = async (most: number) => {
  const { promise: finished, resolve: finish } = Promise.withResolvers<void>()
  const places = new RequestLimit(most)
  const bounded = places.bounding(
    async (path, _request, response) => {
      if (path === '/waits') await finished
      response.end('done')
    },
    (path) => path === '/jwks',
  )
  const server = createServer((request, response) => {
    void bounded(request.url ?? '', request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const { port }: AddressInfo = address
  return {
    finish,
    ask: async (path: string) => await fetch(`http://127.0.0.1:${port}${path}`),
    arrived: async (count: number) => {
      for (let seen = 0; seen < count; seen += 1) {
        await once(server, 'request')
      }
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

describe('the request limit of the issuer', () => {
  it('answers requests above the limit with 503 until one has ended', async () => {
    await using server = await start(2)
    const both = server.arrived(2)
    const waiting = [server.ask('/waits'), server.ask('/waits')]
    await both
    const refused = await server.ask('/login')
    assert.equal(refused.status, 503)
    assert.equal(refused.headers.get('retry-after'), '5')
    assert.match(await refused.text(), /Too many logins are under way/)
    assert.equal((await server.ask('/jwks')).status, 200)
    server.finish()
    for (const { status } of await Promise.all(waiting)) assert.equal(status, 200)
    assert.equal((await server.ask('/login')).status, 200)
  })
})
