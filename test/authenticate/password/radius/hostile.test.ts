// Forged RADIUS replies. Each forgery is Access-Accept and arrives before the genuine Access-Reject: a client that
// accepts it authenticates the attacker.

import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { RadiusFailure } from '../../../../src/clients/radius/failure.ts'
import { CALLER } from '../../../fakes/caller.ts'
import {
  ACCEPT,
  makeReply,
  REJECT,
  startFakeRadius,
  type RadiusBehaviour,
  type SeenRequest,
} from '../../../fakes/radius-server.ts'
import { radiusAt } from './verifying.ts'

type Forge = (request: SeenRequest) => Buffer

const changed = (packet: Buffer, change: (copy: Buffer) => void): Buffer => {
  const copy = Buffer.from(packet)
  change(copy)
  return copy
}

const accept = ({ bytes }: SeenRequest): Buffer => makeReply(bytes)

const FORGERIES: readonly { name: string; forge: Forge; fault: string }[] = [
  {
    name: 'under another secret',
    forge: ({ bytes }) => makeReply(bytes, { secret: 'a guess' }),
    fault: 'authenticator-wrong',
  },
  {
    name: 'with a random Response Authenticator',
    forge: (request) => changed(accept(request), (copy) => copy.fill(7, 4, 20)),
    fault: 'authenticator-wrong',
  },
  {
    name: 'without Message-Authenticator, as CVE-2024-3596 forges it',
    forge: ({ bytes }) => makeReply(bytes, { mac: 'none' }),
    fault: 'message-authenticator-missing',
  },
  {
    name: 'with a Message-Authenticator of zeros under the right Response Authenticator',
    forge: ({ bytes }) => makeReply(bytes, { mac: 'none', attributes: [[80, Buffer.alloc(16)]] }),
    fault: 'message-authenticator-wrong',
  },
  {
    name: 'of a reject made an accept',
    forge: ({ bytes }) =>
      changed(makeReply(bytes, { code: REJECT }), (copy) => copy.writeUInt8(ACCEPT, 0)),
    fault: 'authenticator-wrong',
  },
  {
    name: 'with another identifier',
    forge: ({ bytes, identifier }) => makeReply(bytes, { identifier: (identifier + 1) % 256 }),
    fault: 'identifier-unexpected',
  },
  {
    name: 'to another request',
    forge: ({ bytes }) => makeReply(changed(bytes, (copy) => copy.fill(1, 4, 20))),
    fault: 'authenticator-wrong',
  },
  {
    name: 'cut off',
    forge: (request) => accept(request).subarray(0, -1),
    fault: 'length-wrong',
  },
  { name: 'of four bytes', forge: () => Buffer.of(2, 0, 0, 4), fault: 'too-short' },
  { name: 'that is empty', forge: () => Buffer.alloc(0), fault: 'too-short' },
  {
    name: 'of 60000 bytes',
    forge: ({ identifier }) =>
      changed(Buffer.alloc(60_000, 2), (copy) => {
        copy.writeUInt8(identifier, 1)
        copy.writeUInt16BE(60_000, 2)
      }),
    fault: 'length-wrong',
  },
  ...[0, 1, 255].map((length) => ({
    name: `with an attribute of length ${length}`,
    forge: ({ bytes }: SeenRequest) =>
      changed(makeReply(bytes, { attributes: [[25, 'staff']] }), (copy) =>
        copy.writeUInt8(length, 39),
      ),
    fault: 'attribute-length-wrong',
  })),
  {
    name: 'that is the request itself',
    forge: ({ bytes }) => bytes,
    fault: 'code-unexpected',
  },
]

describe('a RADIUS client refuses a reply', () => {
  for (const { name, forge, fault } of FORGERIES) {
    it(`refuses a reply ${name}`, async () => {
      await using server = await startFakeRadius((request, reply) => [
        forge(request),
        reply({ code: REJECT }),
      ])
      await using radius = radiusAt([server])
      const { outcome } = await radius.verify('alice', 'x', CALLER)
      assert.equal(outcome, 'wrong-password')
      assert.ok(radius.lines.some((line) => line.includes(`"fault":"${fault}","count":1`)))
    })
  }

  it('from another port, even a genuine one', async () => {
    const stranger = createSocket('udp4')
    const behave: RadiusBehaviour = async ({ bytes, from }, reply) => {
      await new Promise((resolve) => stranger.send(makeReply(bytes), from, '127.0.0.1', resolve))
      await new Promise((resolve) => setTimeout(resolve, 20))
      return [reply({ code: REJECT })]
    }
    await using server = await startFakeRadius(behave)
    await using radius = radiusAt([server])
    const { outcome } = await radius.verify('alice', 'x', CALLER)
    assert.equal(outcome, 'wrong-password')
    assert.deepEqual(radius.lines, [])
    stranger.close()
    await once(stranger, 'close')
  })

  it('from an earlier request with the same identifier', async () => {
    const accepts = new Map<number, Buffer>()
    await using server = await startFakeRadius(({ identifier, password }, reply) => {
      if (password === 'right') {
        accepts.set(identifier, reply())
        return [reply()]
      }
      return [accepts.get(identifier) ?? Buffer.alloc(0), reply({ code: REJECT })]
    })
    await using radius = radiusAt([server])
    for (let count = 0; count < 256; count += 1) {
      const { outcome } = await radius.verify('alice', 'right', CALLER)
      assert.equal(outcome, 'verified')
    }
    assert.equal((await radius.verify('alice', 'x', CALLER)).outcome, 'wrong-password')
    const [first, last] = [server.requests[0], server.requests[256]]
    assert.deepEqual([last?.identifier, last?.from], [first?.identifier, first?.from])
    assert.ok(radius.lines.some((line) => line.includes('authenticator-wrong')))
  })
})

describe('a RADIUS client accepts a reply', () => {
  const CASES: readonly { name: string; forge: Forge }[] = [
    { name: 'with Message-Authenticator first', forge: ({ bytes }) => makeReply(bytes) },
    { name: 'with it last', forge: ({ bytes }) => makeReply(bytes, { mac: 'last' }) },
    {
      name: 'with padding (RFC 2865 §3)',
      forge: (request) => Buffer.concat([accept(request), Buffer.alloc(99, 1)]),
    },
    {
      name: 'with unknown attributes',
      forge: ({ bytes }) =>
        makeReply(bytes, {
          attributes: [
            [250, 'x'],
            [26, 'short'],
            [25, ''],
          ],
        }),
    },
    {
      name: 'of 4096 bytes',
      forge: ({ bytes }) =>
        makeReply(bytes, {
          attributes: [
            ...Array.from({ length: 15 }, () => [25, 'x'.repeat(253)] as const),
            [25, 'x'.repeat(231)],
          ],
        }),
    },
  ]
  for (const { name, forge } of CASES) {
    it(name, async () => {
      await using server = await startFakeRadius((request) => [forge(request)])
      await using radius = radiusAt([server])
      assert.equal((await radius.verify('alice', 'x', CALLER)).outcome, 'verified')
      assert.deepEqual(radius.lines, [])
    })
  }
})

describe('only forged replies', () => {
  it('end as unavailable, with what is wrong with them', async () => {
    await using server = await startFakeRadius((_, reply) => [reply({ secret: 'another' })])
    await using radius = radiusAt([server], { timeout: 150 })
    const verification = await radius.verify('alice', 'x', CALLER)
    assert.equal(verification.outcome, 'unavailable')
    assert.ok(verification.cause instanceof RadiusFailure)
    assert.equal(verification.cause.reason, 'unanswered')
    assert.match(
      verification.cause.message,
      /discarded, .*authenticator-wrong; is the shared secret/,
    )
  })

  it('are logged at each doubling only', async () => {
    await using server = await startFakeRadius((request, reply) => [
      ...Array.from({ length: 100 }, () => reply({ secret: 'another' })),
      reply(),
    ])
    await using radius = radiusAt([server])
    assert.equal((await radius.verify('alice', 'x', CALLER)).outcome, 'verified')
    assert.equal(radius.lines.length, 7) // 1, 2, 4 … 64
  })

  it('never end the verification of another user', async () => {
    await using server = await startFakeRadius(({ user }, reply) =>
      user === 'mallory' ? [reply({ secret: 'another' })] : [reply()],
    )
    await using radius = radiusAt([server], { timeout: 200 })
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const user = index % 2 === 0 ? 'mallory' : 'alice'
        return { user, outcome: (await radius.verify(user, 'x', CALLER)).outcome }
      }),
    )
    for (const { user, outcome } of outcomes) {
      assert.equal(outcome, user === 'alice' ? 'verified' : 'unavailable')
    }
  })
})
