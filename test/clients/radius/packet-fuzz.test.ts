// RADIUS packets out of whatever bytes a network may bring, within a budget of time.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  encodeRequest,
  faultOfReply,
  readPacket,
  text,
  vendorValuesOf,
} from '../../../src/clients/radius/packet.ts'
import { userOf, messageOf } from '../../../src/authenticate/password/radius/user.ts'
import { SharedSecret } from '../../../src/clients/radius/secret.ts'
import { PacketStream } from '../../../src/clients/radius/tls.ts'
import { FAKE_SECRET, makeReply } from '../../fakes/radius-server.ts'
import { randomFrom } from '../../fakes/random.ts'

describe('whatever bytes', () => {
  const BUDGET = 700 // milliseconds
  const SETTINGS = {
    user: 'from-reply',
    groups: [
      { attribute: 25, pattern: /st(.*)/gu },
      { attribute: { vendor: 9, type: 1 }, prefix: 'radius:' },
    ],
  } as const
  const random = randomFrom(2_865)
  const secret = new SharedSecret(FAKE_SECRET)
  const blob = (length: number): Buffer => Buffer.from(Array.from({ length }, () => random(256)))

  it('are read, judged and searched without a throw, and never taken for genuine', () => {
    const request = encodeRequest({ code: 1, attributes: [text(1, 'a')] }, 1, blob(16), secret)
    const genuine = makeReply(request, {
      attributes: [
        [25, 'staff'],
        [26, Buffer.of(0, 0, 0, 9, 1, 3, 65)],
        [18, 'hello'],
      ],
    })
    const authenticator = request.subarray(4, 20)
    const until = performance.now() + BUDGET
    let runs = 0
    for (; performance.now() < until; runs += 1) {
      const input = runs % 3 === 0 ? blob(random(80)) : mutate(genuine)
      const reading = readPacket(input)
      if (!reading.ok) continue
      const { packet } = reading
      for (const { value } of packet.attributes) assert.ok(value.length <= 253)
      vendorValuesOf(packet, 9, 1)
      messageOf(packet)
      userOf(packet, 'alice', SETTINGS)
      const fault = faultOfReply(packet, { authenticator, secret, signed: true })
      if (fault === undefined) assert.deepEqual(Buffer.from(packet.bytes), genuine)
    }
    assert.ok(runs > 1_000, `${runs} runs`)
  })

  it('come out of a stream as they went in, however they are cut', () => {
    const packets = Array.from({ length: 300 }, () => {
      const packet = blob(20 + random(200))
      packet.writeUInt16BE(packet.length, 2)
      return packet
    })
    const sent = Buffer.concat(packets)
    const stream = new PacketStream()
    const received: Buffer[] = []
    for (let start = 0; start < sent.length;) {
      const end = start + 1 + random(400)
      received.push(...stream.push(sent.subarray(start, end)))
      start = end
    }
    assert.deepEqual(received, packets)
    assert.equal(stream.broken, false)
  })

  it('break a stream by a length that cannot be', () => {
    for (const length of [0, 19, 4_097, 65_535]) {
      const header = Buffer.alloc(40, 2)
      header.writeUInt16BE(length, 2)
      const stream = new PacketStream()
      assert.deepEqual(stream.push(header), [])
      assert.equal(stream.broken, true)
    }
  })

  const mutate = (packet: Buffer): Buffer => {
    const changed = Buffer.from(packet)
    for (let count = random(4); count > 0; count -= 1) {
      changed.writeUInt8(random(256), random(changed.length))
    }
    const cut = changed.subarray(0, random(3) === 0 ? random(changed.length) : changed.length)
    return random(4) === 0 ? Buffer.concat([cut, blob(random(40))]) : cut
  }
})
