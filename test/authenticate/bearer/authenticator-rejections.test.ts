// A wrong token is verified once within some seconds; a valid token is not refused for an earlier rejection.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CredentialCache } from '../../../src/authenticate/credential-cache.ts'
import type { KeySet } from '../../../src/authenticate/bearer/key-set.ts'
import type { Condition } from '../../../src/expression/cel.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { bearerWith, outcomeOf } from './asking.ts'
import { keySetOf, makeKey } from './issuing.ts'

const key = await makeKey('ES256', 'k1')
const other = await makeKey('ES256', 'k1')

const setUp = () => {
  const clock = new FakeClock()
  const cache = new CredentialCache(clock)
  const misses = (): number => cache.statistics().lookups.get('tokens')?.misses ?? 0
  return { clock, cache: cache.scopeOf('tokens'), misses }
}

describe('a wrong token', () => {
  it('is verified once within some seconds', async () => {
    const { clock, cache, misses } = setUp()
    const authenticator = bearerWith(keySetOf(key), { clock, cache })
    const token = await other.token()
    for (let time = 0; time < 5; time += 1) {
      assert.equal(await outcomeOf(authenticator, token), 'token-signature')
    }
    assert.equal(misses(), 1)
    clock.advance(5_000)
    assert.equal(await outcomeOf(authenticator, token), 'token-signature')
    assert.equal(misses(), 2)
  })

  it('is verified each time when rejections are not cached', async () => {
    const { clock, cache, misses } = setUp()
    const authenticator = bearerWith(keySetOf(key), { clock, cache, cacheTtl: 0 })
    const token = await other.token()
    await outcomeOf(authenticator, token)
    await outcomeOf(authenticator, token)
    assert.equal(misses(), 2)
  })

  const PUBLISHED = [
    { name: 'a token of a replaced key', kid: 'k1', remaining: [], refusal: 'token-signature' },
    {
      name: 'a token of an unknown kid',
      kid: 'k9',
      remaining: [key],
      refusal: 'token-key-unknown',
    },
  ]
  for (const { name, kid, remaining, refusal } of PUBLISHED) {
    it(`${name} is accepted once its issuer publishes the new key`, async () => {
      const { clock, cache } = setUp()
      const newKey = await makeKey('ES256', kid)
      const [old, next] = [keySetOf(key).current(), keySetOf(...remaining, newKey).current()]
      assert.ok(old !== undefined && next !== undefined)
      let published = false
      const keys: KeySet = {
        current: () => old,
        newer: () =>
          Promise.resolve(published ? { outcome: 'keys', keys: next } : { outcome: 'same' }),
      }
      const authenticator = bearerWith(keys, { clock, cache })
      const token = await newKey.token()
      assert.equal(await outcomeOf(authenticator, token), refusal)
      published = true
      assert.equal(await outcomeOf(authenticator, token), 'authenticated')
    })
  }

  it('a wrong token that was refused under the old keys is accepted at once under the new ones', async () => {
    const { clock, cache } = setUp()
    let keys = keySetOf(key)
    const changing: KeySet = {
      current: () => keys.current(),
      newer: () => Promise.resolve({ outcome: 'same' }),
    }
    const authenticator = bearerWith(changing, { clock, cache })
    const token = await other.token()
    assert.equal(await outcomeOf(authenticator, token), 'token-signature')
    keys = keySetOf(other)
    assert.equal(await outcomeOf(authenticator, token), 'authenticated')
  })

  it('is accepted at once under another configuration', async () => {
    const { clock, cache } = setUp()
    const condition = (source: string, holds: boolean): Condition => ({
      source,
      evaluate: () => holds,
      explain: () => '',
    })
    const token = await key.token()
    const ask = (require: Condition): Promise<string> =>
      outcomeOf(bearerWith(keySetOf(key), { clock, cache, require }), token)
    assert.equal(await ask(condition('strict', false)), 'token-claims')
    assert.equal(await ask(condition('strict', true)), 'token-claims') // cached
    assert.equal(await ask(condition('lenient', true)), 'authenticated')
  })
})
