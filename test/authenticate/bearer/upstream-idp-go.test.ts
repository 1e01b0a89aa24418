// Tokens of another implementation of an OpenID provider, found through its discovery document.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { KeySets } from '../../../src/authenticate/bearer/key-sets.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { memoryLogger } from '../../fakes/logger.ts'
import { skipWithoutOidcProvider, startOidcProvider } from '../../servers/oidc-provider.ts'
import { bearerWith, outcomeOf, show } from './asking.ts'

const COOL_DOWN = 100
const TIMES = {
  refresh: { min: 60_000, max: 60_000 },
  coolDown: COOL_DOWN,
  maxAge: 60_000,
  timeout: 5_000,
}

describe('an OpenID provider', { skip: skipWithoutOidcProvider() }, () => {
  it('is trusted for its configured clients only, and across a key rotation', async () => {
    await using provider = await startOidcProvider()
    using sets = new KeySets(systemClock, memoryLogger().logger)
    const { issuer } = provider
    const keys = sets.acquire({ source: { kind: 'discovery', issuer }, times: TIMES })
    const options = { issuer, audiences: ['native'], clock: systemClock }
    const authenticator = bearerWith(keys, options)

    // 1. A token of alice.
    const token = await provider.idToken()
    const result = await show(authenticator, token)
    assert.ok(result.outcome === 'authenticated', JSON.stringify(result))
    assert.equal(result.credential.user, `${issuer}#u-alice`)
    assert.deepEqual(result.credential.claims?.['aud'], ['native'])

    // 2. Its audience is one client, it is an ID token, and the slash is part of the issuer.
    const otherClient = bearerWith(keys, { ...options, audiences: ['web'] })
    assert.equal(await outcomeOf(otherClient, token), 'token-audience')
    const strict = bearerWith(keys, { ...options, kind: 'access' })
    assert.equal(await outcomeOf(strict, token), 'token-type')
    const plain = bearerWith(keys, { ...options, issuer: issuer.slice(0, -1) })
    assert.equal(await outcomeOf(plain, token), 'not-applicable')

    // 3. After a key rotation the new tokens are accepted, and the old ones are not.
    await provider.restart()
    await sleep(COOL_DOWN)
    assert.equal(await outcomeOf(authenticator, await provider.idToken()), 'authenticated')
    assert.equal(await outcomeOf(authenticator, token), 'token-key-unknown')
  })
})
