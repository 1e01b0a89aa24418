// What a request leaves behind in memory: nothing that waits for a full collection.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { describe, it } from 'node:test'
import { Provider, type KoaContextWithOIDC } from 'oidc-provider'
import { keepContextsAsValues } from '../../../src/issuer/provider/request-context.ts'

describe('the context of a request to oidc-provider', () => {
  it('has no getter, whose closure V8 would retain, and is the one that oidc-provider uses', async () => {
    const provider = new Provider('http://localhost')
    keepContextsAsValues(provider)
    const contexts: KoaContextWithOIDC[] = []
    provider.use(async (ctx: KoaContextWithOIDC, next: () => Promise<void>) => {
      await next()
      contexts.push(ctx)
    })
    const answer = provider.callback()
    const server = createServer((request, response) => void answer(request, response))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const address = server.address()
      assert.ok(typeof address === 'object' && address !== null)
      const metadata = `http://127.0.0.1:${address.port}/.well-known/openid-configuration`
      assert.equal((await fetch(metadata)).status, 200)
    } finally {
      server.closeAllConnections()
      server.close()
    }
    const [ctx] = contexts
    assert.ok(ctx)
    const descriptor = Object.getOwnPropertyDescriptor(ctx, 'oidc')
    assert.ok(descriptor !== undefined && !('get' in descriptor))
    assert.equal(descriptor.value, ctx.oidc)
    assert.equal(Reflect.get(ctx.oidc, 'ctx'), ctx)
    assert.equal(ctx.oidc.route, 'discovery')
    assert.equal(ctx.oidc.provider, provider)
  })
})
