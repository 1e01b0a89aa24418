// The keys of the own issuer: those that it publishes now, whatever is fetched.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ownKeySet } from '../../../src/authenticate/bearer/own-key-set.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { madeKey, signingKeysOf } from '../../fakes/signing-keys.ts'

const DAY = 86_400_000

describe('the key set of the own issuer', () => {
  it('has the keys that are published, and the same object while these are the same', async () => {
    const clock = new FakeClock()
    const now = clock.now()
    const [old, next] = [await madeKey('ES256', now - DAY), await madeKey('RS256', now - DAY)]
    const set = ownKeySet(signingKeysOf([old, next], clock))
    const keys = set.current()
    assert.deepEqual(keys?.ids.toSorted(), [old.entry.kid, next.entry.kid].toSorted())
    assert.equal(set.current(), keys)
    assert.deepEqual(await set.newer(keys), { outcome: 'same' })
    assert.deepEqual(await set.newer(undefined), { outcome: 'keys', keys })
  })

  it('changes with the clock, when a key is no longer published', async () => {
    let published = ['a', 'b']
    const made = new Map(
      await Promise.all(
        published.map(async (name) => [name, (await madeKey('ES256')).entry] as const),
      ),
    )
    const set = ownKeySet({
      published: () =>
        published.flatMap((name) => {
          const entry = made.get(name)
          return entry ? [{ ...entry.jwk, kid: entry.kid, alg: 'ES256', use: 'sig' }] : []
        }),
    })
    const before = set.current()
    assert.equal(before?.size, 2)
    published = ['b']
    const renewal = await set.newer(before)
    assert.equal(renewal.outcome, 'keys')
    assert.deepEqual(set.current()?.ids, [made.get('b')?.kid])
    published = []
    assert.equal(set.current()?.size, 0)
  })
})
