// The RADIUS verifier against a fake server: its requests, how it evaluates the replies, and that it leaks no secret.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { SharedSecret } from '../../../../src/clients/radius/secret.ts'
import { RadiusFailure } from '../../../../src/clients/radius/failure.ts'
import { CALLER } from '../../../fakes/caller.ts'
import {
  CHALLENGE,
  FAKE_SECRET,
  REJECT,
  silent,
  startFakeRadius,
  valueIn,
  type SeenRequest,
} from '../../../fakes/radius-server.ts'
import { until } from '../../../fakes/until.ts'
import { radiusAt } from './verifying.ts'

describe('a RADIUS request', () => {
  const ask = async (
    options: Parameters<typeof radiusAt>[1],
    user = 'jürgen',
    password = 'pässwörd 😀',
  ): Promise<SeenRequest> => {
    await using server = await startFakeRadius()
    await using radius = radiusAt([server], options)
    await radius.verify(user, password, CALLER)
    const [request] = server.requests
    assert.ok(request !== undefined)
    return request
  }

  it('has the user and the password in UTF-8', async () => {
    const { code, user, password } = await ask({})
    assert.deepEqual({ code, user, password }, { code: 1, user: 'jürgen', password: 'pässwörd 😀' })
  })

  it('carries a password of up to 128 bytes, and a user of up to 253', async () => {
    const { user, password } = await ask({}, 'u'.repeat(253), 'ä'.repeat(64))
    assert.deepEqual([user.length, password], [253, 'ä'.repeat(64)])
  })

  it('contains NAS-Identifier, Service-Type Login and NAS-Port-Type Virtual', async () => {
    for (const nasIdentifier of ['countersign', 'edge-1']) {
      const { bytes } = await ask({ nasIdentifier })
      assert.equal(valueIn(bytes, 32).toString(), nasIdentifier)
      assert.deepEqual(valueIn(bytes, 4), Buffer.alloc(0))
      assert.equal(valueIn(bytes, 6).readUInt32BE(), 1)
      assert.equal(valueIn(bytes, 61).readUInt32BE(), 5)
    }
  })

  it('is not sent with an empty password, nor with what an attribute cannot carry', async () => {
    await using server = await startFakeRadius()
    await using radius = radiusAt([server])
    for (const [user, password] of [
      ['alice', ''],
      ['', 'right'],
      ['alice', 'x'.repeat(129)],
      ['x'.repeat(254), 'right'],
    ] as const) {
      const verification = await radius.verify(user, password, CALLER)
      assert.deepEqual(verification, { outcome: 'wrong-password' })
    }
    assert.deepEqual(server.requests, [])
  })

  it('has another authenticator and identifier each time', async () => {
    await using server = await startFakeRadius()
    await using radius = radiusAt([server])
    await Promise.all(Array.from({ length: 50 }, () => radius.verify('alice', 'x', CALLER)))
    const seen = server.requests.map(({ bytes }) => bytes.toString('hex', 4, 20))
    assert.equal(new Set(seen).size, 50)
    assert.equal(new Set(server.requests.map(({ identifier }) => identifier)).size, 50)
  })
})

describe('a RADIUS reply', () => {
  it('is wrong-password for Access-Reject', async () => {
    await using server = await startFakeRadius()
    await using strict = radiusAt([server])
    await using lenient = radiusAt([server], { onReject: 'unknown-user' })
    assert.deepEqual(await strict.verify('a', 'x', CALLER), { outcome: 'wrong-password' })
    assert.deepEqual(await lenient.verify('a', 'x', CALLER), { outcome: 'unknown-user' })
    assert.deepEqual(await lenient.verify('a', 'x'.repeat(129), CALLER), {
      outcome: 'unknown-user',
    })
  })

  it('is unavailable with an invalid User-Name', async () => {
    await using server = await startFakeRadius((_, reply) => [reply({ attributes: [[1, 'a\nb']] })])
    await using radius = radiusAt([server], { user: 'from-reply' })
    const verification = await radius.verify('alice', 'right', CALLER)
    assert.ok(verification.outcome === 'unavailable')
    assert.ok(verification.cause instanceof RadiusFailure)
    assert.equal(verification.cause.reason, 'not-understood')
  })
})

describe('a challenge', () => {
  const STATE = Buffer.from([0, 1, 2, 255])

  it('is answered to the server that sent it, with its state', async () => {
    await using first = await startFakeRadius(silent)
    await using second = await startFakeRadius(({ bytes, password }, reply) => {
      const answered = valueIn(bytes, 24).equals(STATE) && password === '123456'
      return [answered ? reply() : reply({ code: CHALLENGE, attributes: [[24, STATE]] })]
    })
    await using radius = radiusAt([first, second], { timeout: 400 })
    const challenge = await radius.verify('alice', 'right', CALLER)
    assert.ok(challenge.outcome === 'challenged')
    assert.equal(challenge.challenge.message, 'Enter the code')
    const before = first.requests.length
    const { state } = challenge.challenge
    const again = await radius.answerChallenge('alice', '654321', state, CALLER)
    assert.equal(again.outcome, 'challenged')
    const answered = await radius.answerChallenge('alice', '123456', state, CALLER)
    assert.equal(answered.outcome, 'verified')
    assert.equal(first.requests.length, before)
  })

  it('is not answered with a state that Countersign did not make, nor with an empty answer', async () => {
    await using server = await startFakeRadius()
    await using radius = radiusAt([server])
    for (const state of [Buffer.alloc(0), Buffer.alloc(3), Buffer.alloc(300, 1)]) {
      const { outcome } = await radius.answerChallenge('alice', 'right', state, CALLER)
      assert.ok(outcome === 'unavailable' || outcome === 'wrong-password')
    }
    const empty = await radius.answerChallenge('alice', '', Buffer.alloc(20), CALLER)
    assert.equal(empty.outcome, 'wrong-password')
    assert.deepEqual(server.requests, [])
  })
})

const activeSockets = (): number =>
  process.getActiveResourcesInfo().filter((name) => name.startsWith('UDP')).length

describe('many verifications', () => {
  it('share few sockets, and are answered each for its own user', async () => {
    // Without retransmissions, which would only show how busy the machine is.
    const OPTIONS = {
      groups: [{ attribute: 'Class' as const }],
      timeout: 20_000,
      retransmitAfter: 5_000,
    }
    await using server = await startFakeRadius(async ({ user, password }, reply) => {
      await new Promise((resolve) => setTimeout(resolve, Number(user.slice(1)) % 7))
      return [reply({ code: user === password ? 2 : REJECT, attributes: [[25, user]] })]
    })
    await using radius = radiusAt([server], OPTIONS)
    const all = await Promise.all(
      Array.from({ length: 500 }, async (_, index) => {
        const user = `u${index}`
        return { user, got: await radius.verify(user, index % 3 === 0 ? 'x' : user, CALLER) }
      }),
    )
    for (const [index, { user, got }] of all.entries()) {
      assert.equal(got.outcome, index % 3 === 0 ? 'wrong-password' : 'verified')
      if (got.outcome === 'verified') assert.deepEqual(got.user.groups, [user])
    }
    assert.ok(new Set(server.requests.map(({ from }) => from)).size <= 4)
  })

  it('wait beyond the concurrency, and are refused at once beyond the queue', async () => {
    await using server = await startFakeRadius(async (_, reply) => {
      await new Promise((resolve) => setTimeout(resolve, 30))
      return [reply()]
    })
    await using radius = radiusAt([server], { concurrency: 2, queue: 4 })
    const all = await Promise.all(
      Array.from({ length: 10 }, () => radius.verify('alice', 'right', CALLER)),
    )
    const counts = Object.groupBy(all, ({ outcome }) => outcome)
    assert.equal(counts.verified?.length, 6)
    assert.equal(counts.unavailable?.length, 4)
  })

  it('leave nothing that keeps the process alive', async () => {
    await using server = await startFakeRadius()
    const socketsBefore = activeSockets()
    await using radius = radiusAt([server])
    await Promise.all(Array.from({ length: 200 }, () => radius.verify('alice', 'x', CALLER)))
    assert.ok(activeSockets() <= socketsBefore)
  })

  it('are unavailable when the verifier is closed', async () => {
    await using server = await startFakeRadius(silent)
    await using radius = radiusAt([server], { timeout: 60_000 })
    const waiting = radius.verify('alice', 'right', CALLER)
    await until(() => server.requests.length > 0)
    await radius[Symbol.asyncDispose]()
    assert.equal((await waiting).outcome, 'unavailable')
  })
})

describe('secrets', () => {
  const PASSWORD = 'Tr0ub4dor&3'

  it('are in nothing that can be printed', async () => {
    await using server = await startFakeRadius((_, reply) => [reply({ secret: 'another' })])
    const secret = new SharedSecret(FAKE_SECRET)
    await using radius = radiusAt([server], { timeout: 100 })
    const verification = await radius.verify('alice', PASSWORD, CALLER)
    assert.equal(verification.outcome, 'unavailable')
    const printed = [
      inspect([secret, radius, verification], { depth: 20, showHidden: true, getters: true }),
      JSON.stringify([secret, radius, verification]),
      String(secret),
      radius.lines.join(),
    ].join()
    for (const text of [FAKE_SECRET, PASSWORD]) {
      assert.equal(printed.includes(text), false)
      assert.equal(printed.includes(Buffer.from(text).toString('hex')), false)
      assert.equal(printed.includes(Buffer.from(text).toString('base64')), false)
    }
    assert.match(printed, /\[redacted\]/)
  })

  it('are not empty', () => {
    assert.throws(() => new SharedSecret(''), RangeError)
  })
})
