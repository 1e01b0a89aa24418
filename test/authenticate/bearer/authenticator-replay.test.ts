// A DPoP proof is accepted once (RFC 9449 §11.1).

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ProcessReplayMemory, type ReplayMemory } from '../../../src/state/replay-memory.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { requestOf, type RequestParts } from '../../fakes/envoy.ts'
import { answerTo, ask, authenticatorWith, bound, caller, key } from './holding.ts'
import { claimsOf, NOW } from './issuing.ts'
import { makeCaller, presentedWith, type Caller } from './proving.ts'

describe('a DPoP proof', () => {
  it('is accepted once', async () => {
    const authenticator = authenticatorWith()
    const proof = await caller.proof(bound)
    assert.equal(await ask(authenticator, presentedWith(bound, proof)), 'authenticated')
    assert.equal(await ask(authenticator, presentedWith(bound, proof)), 'proof-replayed')
  })

  it('is accepted once when several requests present it at the same time', async () => {
    const authenticator = authenticatorWith()
    const slow = await makeCaller('ES384') // verified on another thread
    const token = await key.token(claimsOf({ cnf: { jkt: slow.thumbprint } }))
    const proof = await slow.proof(token)
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, () => ask(authenticator, presentedWith(token, proof))),
    )
    assert.equal(outcomes.filter((outcome) => outcome === 'authenticated').length, 1)
    assert.equal(outcomes.filter((outcome) => outcome === 'proof-replayed').length, 7)
  })

  it('is accepted once by its jti, whatever else differs', async () => {
    const authenticator = authenticatorWith()
    const presented = async (claims: Record<string, unknown>, parts: RequestParts = {}) =>
      await ask(authenticator, presentedWith(bound, await caller.proof(bound, claims)), parts)
    assert.equal(await presented({ jti: 'a' }), 'authenticated')
    assert.equal(await presented({ jti: 'a', iat: NOW - 1 }), 'proof-replayed')
    assert.equal(await presented({ jti: 'a', htm: 'PUT' }, { method: 'PUT' }), 'proof-replayed')
    assert.equal(await presented({ jti: 'A' }), 'authenticated')
  })

  it('is accepted each time the same request is authenticated', async () => {
    const authenticator = authenticatorWith()
    const proof = await caller.proof(bound)
    const request = requestOf({ headers: presentedWith(bound, proof) })
    const { signal } = new AbortController()
    for (let time = 0; time < 2; time += 1) {
      const { outcome } = await authenticator.authenticate(request, signal)
      assert.equal(outcome, 'authenticated')
    }
    assert.equal(await ask(authenticator, presentedWith(bound, proof)), 'proof-replayed')
  })

  it('does not use up the jti of another key', async () => {
    const authenticator = authenticatorWith()
    const neighbour = await makeCaller()
    const theirs = await key.token(claimsOf({ cnf: { jkt: neighbour.thumbprint } }))
    const presented = async (by: Caller, token: string) =>
      await ask(authenticator, presentedWith(token, await by.proof(token, { jti: 'a' })))
    assert.equal(await presented(caller, bound), 'authenticated')
    assert.equal(await presented(neighbour, theirs), 'authenticated')
  })

  it('a DPoP proof that is refused does not use up its jti', async () => {
    const authenticator = authenticatorWith()
    const forged = await (await makeCaller()).proof(bound, { jti: 'a' }, { jwk: caller.jwk })
    assert.equal(await ask(authenticator, presentedWith(bound, forged)), 'proof-invalid')
    const wrong = await caller.proof(bound, { jti: 'a', htm: 'PUT' })
    assert.equal(await ask(authenticator, presentedWith(bound, wrong)), 'proof-invalid')
    const good = await caller.proof(bound, { jti: 'a' })
    assert.equal(await ask(authenticator, presentedWith(bound, good)), 'authenticated')
  })

  it('is accepted once by all replicas that share the store', async () => {
    const clock = new FakeClock()
    const replays = new ProcessReplayMemory(clock)
    const [one, two] = [
      authenticatorWith({ replays }, clock),
      authenticatorWith({ replays }, clock),
    ]
    const proof = await caller.proof(bound)
    assert.equal(await ask(one, presentedWith(bound, proof)), 'authenticated')
    assert.equal(await ask(two, presentedWith(bound, proof)), 'proof-replayed')
  })

  it('is not accepted while the store is unavailable', async () => {
    const cause = new Error('no route to host')
    const replays: ReplayMemory = { use: () => Promise.resolve({ outcome: 'unavailable', cause }) }
    const headers = presentedWith(bound, await caller.proof(bound))
    assert.deepEqual(await answerTo(authenticatorWith({ replays }), headers), {
      outcome: 'unavailable',
      cause,
    })
  })

  it('is stored for as long as it is valid', async () => {
    const clock = new FakeClock()
    const authenticator = authenticatorWith({ skew: 30_000 }, clock)
    // The clock of the caller is ahead by the most that is tolerated, so the proof is valid for the longest time.
    const proof = await caller.proof(bound, { iat: NOW + 30 })
    assert.equal(await ask(authenticator, presentedWith(bound, proof)), 'authenticated')
    for (const elapsed of [59_000, 30_000, 30_999]) {
      clock.advance(elapsed)
      assert.equal(await ask(authenticator, presentedWith(bound, proof)), 'proof-replayed')
    }
    clock.advance(1)
    assert.equal(await ask(authenticator, presentedWith(bound, proof)), 'proof-invalid')
  })

  it('is needed for every request, also when the token is cached', async () => {
    const authenticator = authenticatorWith()
    await ask(authenticator, presentedWith(bound, await caller.proof(bound)))
    assert.equal(await ask(authenticator, [['authorization', `DPoP ${bound}`]]), 'proof-invalid')
    assert.equal(await ask(authenticator, [['authorization', `Bearer ${bound}`]]), 'token-binding')
  })
})
