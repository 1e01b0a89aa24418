// Replies over UDP without Message-Authenticator, as FreeRADIUS before 3.2.5 sends them without EAP.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RadiusFailure } from '../../../../src/clients/radius/failure.ts'
import { CALLER } from '../../../fakes/caller.ts'
import { ACCEPT, makeReply, REJECT, silent, startFakeRadius } from '../../../fakes/radius-server.ts'
import { until } from '../../../fakes/until.ts'
import { pause, radiusAt } from './verifying.ts'

const ZEROS = { mac: 'none', attributes: [[80, Buffer.alloc(16)]] } as const

describe('RADIUS replies without Message-Authenticator', () => {
  const CASES = [
    { name: 'are discarded by default', options: {}, want: 'wrong-password' },
    {
      name: 'are discarded with "require"',
      options: { messageAuthenticator: 'require' },
      want: 'wrong-password',
    },
    {
      name: 'are accepted with "prefer"',
      options: { messageAuthenticator: 'prefer' },
      want: 'verified',
    },
  ] as const
  for (const { name, options, want } of CASES) {
    it(name, async () => {
      // The accept is unsigned, and the reject behind it is signed.
      await using server = await startFakeRadius(({ bytes }, reply) => [
        makeReply(bytes, { mac: 'none' }),
        reply({ code: REJECT }),
      ])
      await using radius = radiusAt([server], options)
      assert.equal((await radius.verify('alice', 'x', CALLER)).outcome, want)
    })
  }

  it('are rejects, too, with "prefer"', async () => {
    await using server = await startFakeRadius(({ bytes }) => [
      makeReply(bytes, { mac: 'none', code: REJECT }),
    ])
    await using radius = radiusAt([server], { messageAuthenticator: 'prefer' })
    assert.equal((await radius.verify('alice', 'x', CALLER)).outcome, 'wrong-password')
  })

  it('are discarded where a Message-Authenticator is wrong, also with "prefer"', async () => {
    await using server = await startFakeRadius(({ bytes }, reply) => [
      makeReply(bytes, ZEROS),
      reply({ code: REJECT }),
    ])
    await using radius = radiusAt([server], { messageAuthenticator: 'prefer' })
    assert.equal((await radius.verify('alice', 'x', CALLER)).outcome, 'wrong-password')
    assert.ok(radius.lines.some((line) => line.includes('message-authenticator-wrong')))
  })

  it('end a request soon, with their own reason, where none that is signed follows', async () => {
    await using server = await startFakeRadius(({ bytes, password }) => [
      makeReply(bytes, { mac: 'none', code: password === 'right' ? ACCEPT : REJECT }),
    ])
    // The test fails by its own limit if the request lasts as long as the timeout.
    await using radius = radiusAt([server], { timeout: 600_000, retransmitAfter: 50 })
    const [accept, reject] = [
      await radius.verify('alice', 'right', CALLER),
      await radius.verify('alice', 'wrong', CALLER),
    ]
    assert.ok(accept.outcome === 'unavailable' && reject.outcome === 'unavailable')
    assert.ok(accept.cause instanceof RadiusFailure && reject.cause instanceof RadiusFailure)
    assert.deepEqual([accept.cause.reason, accept.counts], ['unsigned', undefined])
    assert.deepEqual([reject.cause.reason, reject.counts], ['unsigned-reject', true])
    assert.match(accept.cause.summary, /^RADIUS: 127\.0\.0\.1:\d+: a reply without Message-Auth/)
  })

  it('let the next server be called', async () => {
    await using first = await startFakeRadius(({ bytes }) => [makeReply(bytes, { mac: 'none' })])
    await using second = await startFakeRadius()
    await using radius = radiusAt([first, second], { retransmitAfter: 50 })
    assert.equal((await radius.verify('alice', 'right', CALLER)).outcome, 'verified')
  })

  it('close the circuit of a server that was down, since it is up', async () => {
    await using server = await startFakeRadius(silent)
    await using radius = radiusAt([server], { timeout: 200, retransmitAfter: 50, coolDown: 1 })
    const tries = Array.from({ length: 3 }, () => radius.verify('alice', 'right', CALLER))
    await Promise.all(tries)
    assert.deepEqual(
      radius.servers.map(({ isUp }) => isUp()),
      [false],
    )
    server.behave = ({ bytes }) => [makeReply(bytes, { mac: 'none' })]
    await until(async () => {
      await radius.verify('alice', 'right', CALLER)
      return radius.servers.every(({ isUp }) => isUp())
    })
  })

  it('that do not prove the secret neither end a request nor keep a circuit closed', async () => {
    const forged = { mac: 'none', secret: 'a guess' } as const
    await using server = await startFakeRadius(async ({ bytes }, reply) => {
      await pause(200)
      return [makeReply(bytes, forged), reply()]
    })
    await using radius = radiusAt([server], { retransmitAfter: 50 })
    assert.equal((await radius.verify('alice', 'right', CALLER)).outcome, 'verified')
    server.behave = ({ bytes }) => [makeReply(bytes, forged)]
    await using hurried = radiusAt([server], { timeout: 200, retransmitAfter: 50 })
    const tries = Array.from({ length: 3 }, () => hurried.verify('alice', 'right', CALLER))
    for (const { outcome, ...rest } of await Promise.all(tries)) {
      assert.equal(outcome, 'unavailable')
      assert.ok('cause' in rest && rest.cause instanceof RadiusFailure)
      assert.equal(rest.cause.reason, 'unanswered')
    }
    assert.deepEqual(
      hurried.servers.map(({ isUp }) => isUp()),
      [false],
    )
  })
})
