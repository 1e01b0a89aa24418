// Replies over UDP without Message-Authenticator, as FreeRADIUS before 3.2.5 sends them without EAP.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CALLER } from '../../../fakes/caller.ts'
import { makeReply, REJECT, startFakeRadius } from '../../../fakes/radius-server.ts'
import { radiusAt } from './verifying.ts'

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
})
