import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { describe, it } from 'node:test'
import { httpFetcher } from '../../../src/runtime/http/fetch.ts'
import { localhostLookup } from '../../../src/runtime/http/localhost-lookup.ts'

/** What the lookup gives for one address of a family. */
const addressOf = async (hostname: string, family: 0 | 4 | 6): Promise<unknown> => {
  const { promise, resolve } = Promise.withResolvers<unknown>()
  localhostLookup(hostname, { family }, (cause, address) => resolve(cause?.code ?? address))
  return await promise
}

describe('the lookup of names below localhost', () => {
  for (const [name, family, want] of [
    ['id.localhost', 0, '127.0.0.1'],
    ['a.b.LOCALHOST', 4, '127.0.0.1'],
    ['id.localhost.', 6, '::1'],
  ] as const) {
    it(`gives ${want} for ${name}`, async () => {
      assert.equal(await addressOf(name, family), want)
    })
  }

  for (const name of ['idlocalhost.invalid', 'localhost.invalid', 'id.localhost.invalid']) {
    it(`leaves ${name} to the system`, async () => {
      assert.notEqual(await addressOf(name, 4), '127.0.0.1')
    })
  }

  it('connects to a server of this machine', async () => {
    const server = createServer((request, response) => response.end(request.headers.host))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    assert.ok(address !== null && typeof address === 'object')
    const { port } = address
    const { fetch } = httpFetcher({ lookup: localhostLookup })
    const url = new URL(`http://id.localhost:${port}/`)
    const { body } = await fetch(url, { maxBytes: 100 }, AbortSignal.timeout(10_000))
    assert.equal(body.toString(), `id.localhost:${port}`)
    server.close()
  })
})
