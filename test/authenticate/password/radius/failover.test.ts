// RADIUS servers that are silent, slow, down, or back again.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RadiusFailure } from '../../../../src/clients/radius/failure.ts'
import type { Verification } from '../../../../src/authenticate/password/verifier.ts'
import { CALLER, callerUntil } from '../../../fakes/caller.ts'
import {
  judge,
  silent,
  startFakeRadius,
  type RadiusBehaviour,
} from '../../../fakes/radius-server.ts'
import { radiusAt, pause } from './verifying.ts'

const timed = async (
  verification: Promise<Verification>,
): Promise<{ readonly outcome: Verification['outcome']; readonly took: number }> => {
  const began = performance.now()
  const { outcome } = await verification
  return { outcome, took: performance.now() - began }
}

const reasonOf = (verification: Verification): string => {
  assert.equal(verification.outcome, 'unavailable')
  assert.ok(verification.cause instanceof RadiusFailure)
  return verification.cause.reason
}

const unusedPort = async (): Promise<number> => {
  await using server = await startFakeRadius()
  return server.port
}

/** Ignores so many requests, and then behaves normally. */
const deaf = (count: number): RadiusBehaviour => {
  let heard = 0
  return (request, reply) => {
    heard += 1
    return heard > count ? judge(request, reply) : []
  }
}

const AGAIN = { retransmitAfter: 60 }

describe('a request that is not answered', () => {
  it('is sent again as it was, later and later (RFC 5080 §2.2.1)', async () => {
    await using server = await startFakeRadius(deaf(2))
    await using radius = radiusAt([server], AGAIN)
    assert.equal((await radius.verify('alice', 'right', CALLER)).outcome, 'verified')
    const [first, second, third] = server.requests
    assert.ok(first !== undefined && second !== undefined && third !== undefined)
    assert.ok(server.requests.every(({ bytes }) => bytes.equals(first.bytes)))
    assert.equal(new Set(server.requests.map(({ from }) => from)).size, 1)
    // 60 and 120 ms, as exactly as a busy machine measures them.
    assert.ok(third.time - first.time >= 60, `${third.time - first.time} ms`)
  })

  it('is sent as often as configured, and fails at its timeout', async () => {
    await using server = await startFakeRadius(silent)
    await using radius = radiusAt([server], { ...AGAIN, timeout: 600, retries: 1 })
    const { outcome, took } = await timed(radius.verify('alice', 'right', CALLER))
    assert.equal(outcome, 'unavailable')
    assert.ok(took >= 580 && took < 20_000, `${took} ms`)
    assert.equal(server.requests.length, 2)
  })

  it('is answered late, and is not sent again when no time is left', async () => {
    await using server = await startFakeRadius(async (request, reply) => {
      await pause(300)
      return judge(request, reply)
    })
    await using radius = radiusAt([server], { retries: 0 })
    assert.equal((await radius.verify('alice', 'right', CALLER)).outcome, 'verified')
    assert.equal(server.requests.length, 1)
  })

  it('ends at once when the caller cancels', async () => {
    await using server = await startFakeRadius(silent)
    await using radius = radiusAt([server], { timeout: 60_000 })
    const caller = new AbortController()
    const verification = radius.verify('alice', 'right', callerUntil(caller.signal))
    const reason = new Error('gone')
    setTimeout(() => caller.abort(reason), 30)
    const { outcome, took } = await timed(verification)
    assert.equal(outcome, 'unavailable')
    assert.ok(took < 5_000, `${took} ms`)
    assert.deepEqual(await verification, { outcome: 'unavailable', cause: reason })
  })

  it('is never sent for a cancelled caller', async () => {
    await using server = await startFakeRadius()
    await using radius = radiusAt([server])
    const { outcome } = await radius.verify('alice', 'right', callerUntil(AbortSignal.abort()))
    assert.equal(outcome, 'unavailable')
    await pause(30)
    assert.deepEqual(server.requests, [])
  })
})

describe('several servers', () => {
  it('are queried in order, each only when the one before does not answer', async () => {
    await using first = await startFakeRadius()
    await using second = await startFakeRadius()
    await using radius = radiusAt([first, second])
    assert.equal((await radius.verify('alice', 'wrong', CALLER)).outcome, 'wrong-password')
    assert.deepEqual([first.requests.length, second.requests.length], [1, 0])
  })

  it('share the time', async () => {
    await using first = await startFakeRadius(silent)
    await using second = await startFakeRadius()
    await using radius = radiusAt([first, second], { ...AGAIN, timeout: 2_000 })
    const { outcome, took } = await timed(radius.verify('alice', 'right', CALLER))
    assert.equal(outcome, 'verified') // within the time of all servers
    // Half of it, less the time that timers are early.
    assert.ok(took >= 900, `${took} ms`)
  })

  it('lose no time on a closed port', async () => {
    await using alive = await startFakeRadius()
    await using radius = radiusAt([{ port: await unusedPort() }, alive])
    const { outcome, took } = await timed(radius.verify('alice', 'right', CALLER))
    assert.equal(outcome, 'verified')
    assert.ok(took < 2_000, `${took} ms`)
  })

  it('are all named in the failure when all are silent', async () => {
    await using first = await startFakeRadius(silent)
    await using second = await startFakeRadius(silent)
    await using radius = radiusAt([first, second], { ...AGAIN, timeout: 300 })
    const verification = await radius.verify('alice', 'right', CALLER)
    assert.equal(reasonOf(verification), 'unanswered')
    assert.ok(verification.outcome === 'unavailable' && verification.cause instanceof Error)
    assert.match(verification.cause.message, new RegExp(`:${first.port}: .*; .*:${second.port}: `))
  })
})
