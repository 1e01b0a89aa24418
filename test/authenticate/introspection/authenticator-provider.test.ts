// The introspection endpoint of another implementation of an OpenID provider, found by discovery.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CredentialCache } from '../../../src/authenticate/credential-cache.ts'
import { introspectionAuthenticator } from '../../../src/authenticate/introspection/authenticator.ts'
import {
  secretInForm,
  secretInHeader,
  type ClientAuthentication,
} from '../../../src/clients/token-endpoint/client-authentication.ts'
import { discoveredEndpoint } from '../../../src/clients/token-endpoint/endpoint.ts'
import { jsonFetcher } from '../../../src/clients/fetch-json.ts'
import { TokenServer } from '../../../src/clients/token-endpoint/server.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { httpFetcher } from '../../../src/runtime/http/fetch.ts'
import { memoryLogger } from '../../fakes/logger.ts'
import { skipWithoutOidcProvider, startOidcProvider, WEB } from '../../servers/oidc-provider.ts'
import { conditionOf, outcomeOf, show } from '../bearer/asking.ts'
import { LIMITS } from './introspecting.ts'

describe('an OpenID provider', { skip: skipWithoutOidcProvider() }, () => {
  it('says which of its opaque tokens are active', async () => {
    await using provider = await startOidcProvider()
    using fetcher = httpFetcher({ kept: 4 })
    const { issuer } = provider
    const clock = systemClock
    const { logger } = memoryLogger()
    const server = new TokenServer({
      name: 'the provider',
      fetch: fetcher.fetch,
      limits: LIMITS,
      remedy: 'see "client"',
      clock,
      logger,
    })
    const endpoint = discoveredEndpoint({
      issuer,
      member: 'introspection_endpoint',
      mutualTls: false,
      fetchJson: jsonFetcher(undefined),
      clock,
    })
    const authenticatorOf = (
      client: ClientAuthentication,
      audienceMissing: 'accept' | 'refuse' = 'accept',
    ) =>
      introspectionAuthenticator({
        name: 'opaque',
        realm: 'Kubernetes',
        issuer,
        audiences: [WEB.id],
        audienceMissing,
        subject: 'sub',
        tokens: 'opaque',
        skew: 0,
        require: conditionOf(`claims.client_id == "${WEB.id}"`),
        endpoint,
        client,
        server,
        generation: 'g',
        cacheTtl: 0,
        clock,
        cache: new CredentialCache(clock),
      })
    const authenticator = authenticatorOf(secretInHeader(WEB.id, WEB.secret))

    // 1. A token of alice. It is encrypted, so only the provider can read it.
    const token = await provider.accessToken()
    const result = await show(authenticator, token)
    assert.ok(result.outcome === 'authenticated', JSON.stringify(result))
    assert.equal(result.credential.user, `${issuer}#u-alice`)
    assert.equal(result.credential.claims?.['email'], 'alice@example.org')
    assert.ok((result.credential.expires ?? 0) > Date.now())

    // 2. It returns no audience, and answers only the client that a token was issued to.
    const strict = authenticatorOf(secretInHeader(WEB.id, WEB.secret), 'refuse')
    assert.equal(await outcomeOf(strict, token), 'token-audience')
    const other = authenticatorOf(secretInHeader('api', WEB.secret))
    assert.equal(await outcomeOf(other, token), 'token-inactive')

    // 3. With wrong client credentials no token is accepted.
    for (const client of [secretInHeader(WEB.id, 'wrong'), secretInForm(WEB.id, WEB.secret)]) {
      const refused = await show(authenticatorOf(client), token)
      assert.ok(refused.outcome === 'unavailable')
      assert.match(String(refused.cause), /refuses our own credentials \(401\)/)
    }

    // 4. An unknown token, a changed one, a revoked one, and another active one.
    assert.equal(await outcomeOf(authenticator, 'unknown'), 'token-inactive')
    assert.equal(await outcomeOf(authenticator, `${token.slice(0, -2)}AA`), 'token-inactive')
    await provider.revoke(token)
    assert.equal(await outcomeOf(authenticator, token), 'token-inactive')
    assert.equal(await outcomeOf(authenticator, await provider.accessToken()), 'authenticated')

    // 5. A restart ends all its tokens; new ones are accepted.
    const late = await provider.accessToken()
    await provider.restart()
    assert.equal(await outcomeOf(authenticator, late), 'token-inactive')
    assert.equal(await outcomeOf(authenticator, await provider.accessToken()), 'authenticated')
  })
})
