// The credential cache: what is cached, for how long, and for which requests.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Authentication } from '../../src/authenticate/authenticator.ts'
import { CredentialCache } from '../../src/authenticate/credential-cache.ts'
import { credentialOf } from '../fakes/authenticator.ts'
import { FakeClock } from '../fakes/clock.ts'

const MINUTE = 60_000

const setUp = () => {
  const clock = new FakeClock()
  const memory = new CredentialCache(clock)
  const key = memory.keyOf('g1', 'alice:secret')
  return { clock, memory, key }
}

/** A verification that yields this user, so that a test sees which verification was used. */
const proof =
  (user: string, expires?: number): (() => Promise<Authentication>) =>
  () =>
    Promise.resolve({ outcome: 'authenticated', credential: credentialOf({ user, expires }) })

const userOf = (authentication: Authentication): string =>
  authentication.outcome === 'authenticated'
    ? authentication.credential.user
    : authentication.outcome

describe('a cached credential', () => {
  it('lasts its lifetime and no longer', async () => {
    const { clock, memory, key } = setUp()
    await memory.getOrVerify(key, MINUTE, proof('first'))
    clock.advance(MINUTE - 1)
    assert.equal(userOf(await memory.getOrVerify(key, MINUTE, proof('second'))), 'first')
    clock.advance(1)
    assert.equal(userOf(await memory.getOrVerify(key, MINUTE, proof('second'))), 'second')
  })

  it('is not prolonged by a lookup', async () => {
    const { clock, memory, key } = setUp()
    await memory.getOrVerify(key, MINUTE, proof('first'))
    for (let seconds = 0; seconds < 60; seconds += 10) {
      assert.equal(userOf(await memory.getOrVerify(key, MINUTE, proof('second'))), 'first')
      clock.advance(10_000)
    }
    assert.equal(userOf(await memory.getOrVerify(key, MINUTE, proof('second'))), 'second')
  })

  it('is not kept with a lifetime of 0', async () => {
    const { memory, key } = setUp()
    await memory.getOrVerify(key, 0, proof('first'))
    assert.equal(userOf(await memory.getOrVerify(key, 0, proof('second'))), 'second')
  })

  it('expires with the credential when that expires first', async () => {
    const { clock, memory, key } = setUp()
    await memory.getOrVerify(key, MINUTE, proof('first', clock.now() + 1_000))
    clock.advance(999)
    assert.equal(userOf(await memory.getOrVerify(key, MINUTE, proof('second'))), 'first')
    clock.advance(1)
    assert.equal(userOf(await memory.getOrVerify(key, MINUTE, proof('second'))), 'second')
  })

  it('is not kept when the credential has expired', async () => {
    const { clock, memory, key } = setUp()
    await memory.getOrVerify(key, MINUTE, proof('first', clock.now() - 1))
    assert.equal(userOf(await memory.getOrVerify(key, MINUTE, proof('second'))), 'second')
  })

  it('lasts its lifetime when the credential expires later', async () => {
    const { clock, memory, key } = setUp()
    await memory.getOrVerify(key, MINUTE, proof('first', clock.now() + 10 * MINUTE))
    clock.advance(MINUTE)
    assert.equal(userOf(await memory.getOrVerify(key, MINUTE, proof('second'))), 'second')
  })

  it('lasts from when its verification ended, not from when it was requested', async () => {
    const { clock, memory, key } = setUp()
    await memory.getOrVerify(key, MINUTE, async () => {
      clock.advance(MINUTE)
      return await proof('slow')()
    })
    clock.advance(MINUTE - 1)
    assert.equal(userOf(await memory.getOrVerify(key, MINUTE, proof('second'))), 'slow')
  })

  it('is the very object that was verified', async () => {
    const { memory, key } = setUp()
    const first = await memory.getOrVerify(key, MINUTE, proof('first'))
    const again = await memory.getOrVerify(key, MINUTE, proof('second'))
    assert.ok(first.outcome === 'authenticated' && again.outcome === 'authenticated')
    assert.equal(first.credential, again.credential)
  })
})

const broken = (): never => {
  throw new Error('bug')
}

describe('an outcome without a credential', () => {
  const OUTCOMES: readonly Authentication[] = [
    { outcome: 'rejected', code: 'credential-wrong' },
    { outcome: 'unavailable', cause: new Error('down') },
    { outcome: 'not-applicable' },
  ]
  for (const outcome of OUTCOMES) {
    it(`is shared by concurrent requests, and not cached: ${outcome.outcome}`, async () => {
      const { memory, key } = setUp()
      const { promise, resolve } = Promise.withResolvers<Authentication>()
      const waiting = [
        memory.getOrVerify(key, MINUTE, () => promise),
        memory.getOrVerify(key, MINUTE, proof('second')),
      ]
      resolve(outcome)
      assert.deepEqual(await Promise.all(waiting.map(async (one) => await one)), [outcome, outcome])
      assert.equal(userOf(await memory.getOrVerify(key, MINUTE, proof('third'))), 'third')
    })
  }

  it('is shared by concurrent requests, and not cached: an exception', async () => {
    const { memory, key } = setUp()
    const { promise, reject } = Promise.withResolvers<Authentication>()
    const waiting = [
      memory.getOrVerify(key, MINUTE, () => promise),
      memory.getOrVerify(key, MINUTE, proof('second')),
    ]
    reject(new Error('bug'))
    const settled = await Promise.allSettled(waiting.map(async (one) => await one))
    assert.deepEqual(
      settled.map(({ status }) => status),
      ['rejected', 'rejected'],
    )
    assert.equal(userOf(await memory.getOrVerify(key, MINUTE, proof('third'))), 'third')
  })

  it('is not cached: a synchronous exception', async () => {
    const { memory, key } = setUp()
    assert.throws(() => memory.getOrVerify(key, MINUTE, broken), /bug/)
    assert.equal(userOf(await memory.getOrVerify(key, MINUTE, proof('next'))), 'next')
  })
})

describe('equal credentials of concurrent requests', () => {
  it('are verified once', async () => {
    const { memory, key } = setUp()
    const results = await Promise.all(
      Array.from(
        { length: 50 },
        async (_, index) => await memory.getOrVerify(key, 0, proof(`caller ${index}`)),
      ),
    )
    assert.deepEqual(new Set(results.map(userOf)), new Set(['caller 0']))
  })

  it('do not wait for another credential', async () => {
    const { memory, key } = setUp()
    const { promise, resolve } = Promise.withResolvers<Authentication>()
    const slow = memory.getOrVerify(key, MINUTE, () => promise)
    const other = memory.keyOf('g1', 'bob:secret')
    assert.equal(userOf(await memory.getOrVerify(other, MINUTE, proof('bob'))), 'bob')
    resolve(await proof('alice')())
    assert.equal(userOf(await slow), 'alice')
  })
})

describe('the key of a credential', () => {
  it('is the same for the same credential in the same generation', () => {
    const { memory, key } = setUp()
    assert.equal(memory.keyOf('g1', 'alice:secret'), key)
  })

  it('differs by credential and by generation', () => {
    const { memory, key } = setUp()
    const others = [
      memory.keyOf('g2', 'alice:secret'),
      memory.keyOf('g1', 'alice:secret2'),
      memory.keyOf('g1', 'bob:secret'),
      memory.keyOf('', 'g1alice:secret'),
    ]
    assert.equal(new Set([key, ...others]).size, 5)
  })

  it('differs between processes', () => {
    assert.notEqual(setUp().key, setUp().key)
  })

  it('does not contain the credential', () => {
    assert.doesNotMatch(setUp().key, /alice|secret/)
  })

  it('of an earlier generation finds nothing in the next', async () => {
    const { memory, key } = setUp()
    await memory.getOrVerify(key, MINUTE, proof('before'))
    const next = memory.keyOf('g2', 'alice:secret')
    assert.equal(userOf(await memory.getOrVerify(next, MINUTE, proof('after'))), 'after')
  })
})

describe('the credential cache', () => {
  it('is bounded', async () => {
    const { memory, key } = setUp()
    memory.resize(1_000_000)
    await memory.getOrVerify(key, MINUTE, proof('first'))
    await Promise.all(
      Array.from(
        { length: 10_000 },
        async (_, index) =>
          await memory.getOrVerify(memory.keyOf('g1', `user${index}:x`), MINUTE, proof('other')),
      ),
    )
    assert.equal(userOf(await memory.getOrVerify(key, MINUTE, proof('second'))), 'second')
  })

  it('keeps a credential that is used while 10,000 further ones are used once', async () => {
    const { memory, key } = setUp()
    memory.resize(1_000_000)
    await memory.getOrVerify(key, MINUTE, proof('first'))
    assert.ok(memory.get(key) !== undefined)
    for (let index = 0; index < 10_000; index++) {
      await memory.getOrVerify(memory.keyOf('g1', `user${index}:x`), MINUTE, proof('other'))
    }
    assert.equal(userOf(await memory.getOrVerify(key, MINUTE, proof('second'))), 'first')
  })

  it('says when a credential is evicted before it expires', async () => {
    let evicted = 0
    const memory = new CredentialCache(new FakeClock(), { onEvicted: () => (evicted += 1) })
    const scope = memory.scopeOf('staff')
    for (let index = 0; index < 100; index++) {
      await scope.getOrVerify(memory.keyOf('g1', `user${index}:x`), MINUTE, proof('other'))
    }
    assert.equal(evicted, 0)
    memory.resize(10_000)
    assert.ok(evicted > 50 && evicted < 100, `${evicted}`)
    const { proofs, maxBytes } = memory.statistics()
    assert.equal(proofs.evictions, evicted)
    assert.ok(proofs.bytes <= maxBytes)
  })
})

describe('a cached credential in the last fifth of its time', () => {
  const due = async () => {
    const site = setUp()
    const { clock, memory, key } = site
    await memory.getOrVerify(key, MINUTE, proof('first'))
    clock.advance(0.8 * MINUTE - 1)
    assert.equal(memory.find(key)?.isDue, false)
    clock.advance(1)
    assert.equal(memory.find(key)?.isDue, true)
    return site
  }

  it('is prolonged, and stays the same, when it is verified again', async () => {
    const { clock, memory, key } = await due()
    const before = memory.get(key)
    memory.renew(key, MINUTE, proof('first'))
    await turn()
    assert.equal(memory.find(key)?.isDue, false)
    clock.advance(MINUTE - 1)
    assert.equal(memory.get(key), before)
    clock.advance(1)
    assert.equal(memory.get(key), undefined)
  })

  it('is verified once for all who use it meanwhile', async () => {
    const { memory, key } = await due()
    let proofs = 0
    const slow = async (): Promise<Authentication> => {
      proofs += 1
      await turn()
      return await proof('first')()
    }
    for (let use = 0; use < 5; use++) memory.renew(key, MINUTE, slow)
    await turn()
    await turn()
    assert.equal(proofs, 1)
  })

  it('is verified after the request that found it, and is not counted as a miss', async () => {
    const { memory, key } = await due()
    const scope = memory.scopeOf('staff')
    await scope.getOrVerify(memory.keyOf('g1', 'bob'), MINUTE, proof('bob'))
    let proofs = 0
    scope.renew(key, MINUTE, () => {
      proofs += 1
      return proof('first')()
    })
    assert.equal(proofs, 0)
    await turn()
    assert.equal(proofs, 1)
    assert.equal(memory.statistics().lookups.get('staff')?.misses, 1)
  })

  it('is removed when it is rejected now', async () => {
    const { memory, key } = await due()
    memory.renew(key, MINUTE, () =>
      Promise.resolve({ outcome: 'rejected', code: 'token-signature' }),
    )
    await turn()
    assert.equal(memory.get(key), undefined)
  })

  it('stays until its time is over when it cannot be verified', async () => {
    const { clock, memory, key } = await due()
    memory.renew(key, MINUTE, () => Promise.reject(new Error('no answer')))
    memory.renew(memory.keyOf('g1', 'other'), MINUTE, () =>
      Promise.resolve({ outcome: 'unavailable', cause: 'no answer' }),
    )
    await turn()
    assert.ok(memory.get(key) !== undefined)
    clock.advance(0.2 * MINUTE)
    assert.equal(memory.get(key), undefined)
  })

  it('does not come back when all were revoked meanwhile', async () => {
    const { memory, key } = await due()
    memory.renew(key, MINUTE, proof('first'))
    memory.revoke()
    await turn()
    assert.equal(memory.get(key), undefined)
  })

  it('is not verified while the limit of renewals is reached', async () => {
    const { memory, key } = await due()
    const never = (): Promise<Authentication> => new Promise(() => undefined)
    for (let other = 0; other < 100; other++) {
      memory.renew(memory.keyOf('g1', `other-${other}`), MINUTE, never)
    }
    memory.renew(key, MINUTE, () => assert.fail('verified'))
    await turn()
    assert.equal(memory.find(key)?.isDue, true)
  })
})
