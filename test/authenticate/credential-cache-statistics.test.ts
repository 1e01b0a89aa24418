// The statistics of the credential cache, and its bounds.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Authentication } from '../../src/authenticate/authenticator.ts'
import { CredentialCache } from '../../src/authenticate/credential-cache.ts'
import { heapSizeOf } from '../../src/runtime/heap-size.ts'
import { credentialOf } from '../fakes/authenticator.ts'
import { FakeClock } from '../fakes/clock.ts'

const BOTH = { proof: 60_000, rejection: 60_000 }
const REJECTED: Authentication = { outcome: 'rejected', code: 'token-signature' }
const PROVEN: Authentication = { outcome: 'authenticated', credential: credentialOf() }

describe('cache lookups', () => {
  it('are counted by authenticator and outcome', async () => {
    const cache = new CredentialCache(new FakeClock())
    const [staff, tokens] = [cache.scopeOf('staff'), cache.scopeOf('tokens')]
    const key = cache.keyOf('g', 'alice')
    const proof = Promise.withResolvers<Authentication>()
    const first = staff.getOrVerify(key, BOTH, () => proof.promise)
    const joining = [1, 2].map(() => staff.getOrVerify(key, BOTH, () => proof.promise))
    proof.resolve(PROVEN)
    await Promise.all([first, ...joining])
    staff.get(key)
    await staff.getOrVerify(key, BOTH, () => Promise.resolve(REJECTED))
    const wrong = cache.keyOf('g', 'eve')
    assert.equal(tokens.get(wrong), undefined)
    for (let time = 0; time < 4; time += 1) {
      await tokens.getOrVerify(wrong, BOTH, () => Promise.resolve(REJECTED))
    }
    assert.deepEqual(
      cache.statistics().lookups,
      new Map([
        ['staff', { hits: 2, refusals: 0, joined: 2, misses: 1 }],
        ['tokens', { hits: 0, refusals: 3, joined: 0, misses: 1 }],
      ]),
    )
  })

  it('are counted for the authenticator of that name after a reload as before', async () => {
    const cache = new CredentialCache(new FakeClock())
    const ask = async (): Promise<unknown> =>
      await cache
        .scopeOf('staff')
        .getOrVerify(cache.keyOf('g', 'alice'), BOTH, () => Promise.resolve(PROVEN))
    await ask()
    await ask()
    assert.equal(cache.scopeOf('staff'), cache.scopeOf('staff'))
    assert.deepEqual(cache.statistics().lookups.get('staff'), {
      hits: 1,
      refusals: 0,
      joined: 0,
      misses: 1,
    })
  })

  it('share one cache between authenticators', async () => {
    const cache = new CredentialCache(new FakeClock())
    const key = cache.keyOf('g', 'alice')
    await cache.scopeOf('staff').getOrVerify(key, BOTH, () => Promise.resolve(PROVEN))
    assert.equal(cache.scopeOf('tokens').get(key)?.user, 'alice')
    assert.equal(cache.statistics().proofs.entries, 1)
  })
})

describe('the credential cache', () => {
  it('is bounded in bytes, for users in thousands of groups', async () => {
    const cache = new CredentialCache(new FakeClock())
    const groups = Array.from({ length: 10_000 }, (_, index) => `cn=group-${index},dc=example`)
    for (let index = 0; index < 300; index += 1) {
      const credential = credentialOf({ groups })
      await cache.getOrVerify(cache.keyOf('g', String(index)), BOTH, () =>
        Promise.resolve({ outcome: 'authenticated', credential }),
      )
    }
    const { entries, bytes, evictions } = cache.statistics().proofs
    assert.ok(entries > 50 && entries < 200, String(entries))
    assert.equal(entries + evictions, 300)
    assert.ok(bytes <= 64 * 1_024 * 1_024 && bytes > 32 * 1_024 * 1_024, String(bytes))
  })

  it('needs no space for credentials that have expired or are not cached', async () => {
    const clock = new FakeClock()
    const cache = new CredentialCache(clock)
    const key = cache.keyOf('g', 'alice')
    const credential = credentialOf({ expires: clock.now() })
    await cache.getOrVerify(key, BOTH, () =>
      Promise.resolve({ outcome: 'authenticated', credential }),
    )
    assert.equal(cache.statistics().proofs.entries, 0)
    await cache.getOrVerify(key, 0, () => Promise.resolve(PROVEN))
    assert.equal(cache.statistics().proofs.entries, 0)
  })

  it('does not cache a credential larger than its bound', async () => {
    const cache = new CredentialCache(new FakeClock())
    const credential = credentialOf({ groups: ['g'.repeat(70 * 1_024 * 1_024)] })
    const key = cache.keyOf('g', 'alice')
    const proof = await cache.getOrVerify(key, BOTH, () =>
      Promise.resolve({ outcome: 'authenticated', credential }),
    )
    assert.equal(proof.outcome, 'authenticated')
    assert.equal(cache.get(key), undefined)
  })

  it('does not extend a lifetime when the system clock is set back', async () => {
    const clock = new (class extends FakeClock {
      setBack = 0
      override now(): number {
        return super.now() - this.setBack
      }
    })()
    const cache = new CredentialCache(clock)
    const key = cache.keyOf('g', 'alice')
    await cache.getOrVerify(key, BOTH, () => Promise.resolve(PROVEN))
    clock.setBack = 3_600_000
    clock.advance(60_000)
    assert.equal(cache.get(key), undefined)
  })
})

describe('the estimated size of a credential', () => {
  const CASES = [
    { name: 'a short string', value: 'abc', least: 16, most: 64 },
    { name: 'a long string', value: 'x'.repeat(10_000), least: 10_000, most: 10_100 },
    { name: 'a list', value: Array.from({ length: 100 }, () => 1), least: 800, most: 1_000 },
    { name: 'bytes', value: Buffer.alloc(5_000), least: 5_000, most: 5_100 },
    {
      name: 'nested values',
      value: { a: { b: [{ c: 'x'.repeat(1_000) }] } },
      least: 1_000,
      most: 1_400,
    },
    { name: 'nothing', value: undefined, least: 0, most: 16 },
  ]
  for (const { name, value, least, most } of CASES) {
    it(`counts what is stored for ${name}`, () => {
      const size = heapSizeOf(value)
      assert.ok(size >= least && size <= most, String(size))
    })
  }

  it('accepts a list that is longer than the arguments of a call may be', () => {
    assert.ok(heapSizeOf(Array.from({ length: 1_000_000 }, () => 1)) > 8_000_000)
  })
})
