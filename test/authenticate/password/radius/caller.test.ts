// The attributes of the caller in a RADIUS request.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CALLER } from '../../../fakes/caller.ts'
import { CHALLENGE, startFakeRadius, valueIn } from '../../../fakes/radius-server.ts'
import { radiusAt } from './verifying.ts'

/** The attributes of a request, with their encoded lengths. */
const attributesIn = (
  bytes: Buffer,
): readonly { readonly type: number; readonly length: number }[] => {
  const found: { readonly type: number; readonly length: number }[] = []
  for (let start = 20; start < bytes.length; start += found.at(-1)?.length ?? bytes.length) {
    found.push({ type: bytes.readUInt8(start), length: bytes.readUInt8(start + 1) })
  }
  return found
}

describe('a RADIUS request', () => {
  it('has Calling-Station-Id with the address of the caller, unless that is disabled', async () => {
    const callerIn = async (source: string, callingStationId = true): Promise<string> => {
      await using server = await startFakeRadius()
      await using radius = radiusAt([server], { callingStationId })
      await radius.verify('alice', 'right', { ...CALLER, source })
      const [request] = server.requests
      assert.ok(request !== undefined)
      // No attribute may be empty (RFC 2865 §5).
      assert.ok(!attributesIn(request.bytes).some(({ length }) => length === 2))
      return valueIn(request.bytes, 31).toString()
    }
    assert.equal(await callerIn('203.0.113.7'), '203.0.113.7')
    assert.equal(await callerIn('2001:db8::7'), '2001:db8::7')
    assert.equal(await callerIn('203.0.113.7', false), '')
    // An address that no attribute can carry (RFC 2865 §5) is left out, and the password is verified.
    assert.equal(await callerIn(''), '')
    assert.equal(await callerIn(`/${'x'.repeat(253)}`), '')
  })

  it('has Calling-Station-Id also in the answer to a challenge', async () => {
    await using server = await startFakeRadius((_, reply) => [reply({ code: CHALLENGE })])
    await using radius = radiusAt([server])
    const challenge = await radius.verify('alice', 'right', CALLER)
    assert.ok(challenge.outcome === 'challenged')
    await radius.answerChallenge('alice', '123456', challenge.challenge.state, CALLER)
    const callers = server.requests.map(({ bytes }) => valueIn(bytes, 31).toString())
    assert.deepEqual(callers, [CALLER.source, CALLER.source])
  })
})
