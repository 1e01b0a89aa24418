// RADIUS packets: the examples of the RFCs, the attribute that CVE-2024-3596 is about, and lengths that
// cannot be.

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, it } from 'node:test'
import {
  ATTRIBUTE,
  encodeRequest,
  faultOfReply,
  hidePassword,
  integer,
  isSendable,
  isSendablePassword,
  readPacket,
  REQUEST,
  text,
  valuesOf,
  vendorValuesOf,
  type Packet,
  type PacketFault,
} from '../../../src/clients/radius/packet.ts'
import { SharedSecret } from '../../../src/clients/radius/secret.ts'
import { FAKE_SECRET, makeReply } from '../../fakes/radius-server.ts'

const bytes = (hex: string): Buffer => Buffer.from(hex.replace(/\s/g, ''), 'hex')

const read = (packet: Uint8Array): Packet => {
  const reading = readPacket(packet)
  assert.ok(reading.ok)
  return reading.packet
}

// All examples of the RFCs have this secret.
const EXAMPLE = new SharedSecret('xyzzy5461')

describe('the examples of the RADIUS RFCs', () => {
  const TELNET = bytes(`01 00 00 38 0f 40 3f 94 73 97 80 57 bd 83 d5 cb 98 f4 22 7a
    01 06 6e 65 6d 6f 02 12 0d be 70 8d 93 d4 13 ce 31 96 e4 3f 78 2a 0a ee
    04 06 c0 a8 01 10 05 06 00 00 00 03`)
  const MOPSY = bytes(`01 02 00 39 f3 a4 7a 1f 6a 6d 76 71 0b 94 7a b9 30 41 a0 39
    01 07 6d 6f 70 73 79 02 12 33 65 75 73 77 82 89 b5 70 88 5e 15 08 48 25 c5
    04 06 c0 a8 01 10 05 06 00 00 00 07`)

  const HIDDEN = [
    { name: 'RFC 2865 §7.1', request: TELNET, user: 'nemo', password: 'arctangent' },
    { name: 'RFC 2865 §7.3', request: MOPSY, user: 'mopsy', password: 'challenge' },
  ]
  for (const { name, request, user, password } of HIDDEN) {
    it(`${name}: hides the password as in the example`, () => {
      const packet = read(request)
      assert.equal(valuesOf(packet, ATTRIBUTE['User-Name']).join(), user)
      const [hidden] = valuesOf(packet, ATTRIBUTE['User-Password'])
      assert.deepEqual(
        hidePassword(Buffer.from(password), packet.authenticator, EXAMPLE),
        Buffer.from(hidden ?? []),
      )
    })
  }

  const REPLIES = [
    {
      name: 'RFC 2865 §7.1, an Access-Accept',
      request: TELNET,
      reply: bytes(`02 00 00 26 86 fe 22 0e 76 24 ba 2a 10 05 f6 bf 9b 55 e0 b2
        06 06 00 00 00 01 0f 06 00 00 00 00 0e 06 c0 a8 01 03`),
    },
    {
      name: 'RFC 2865 §7.3, an Access-Challenge',
      request: MOPSY,
      reply: bytes(`0b 02 00 4e 36 f3 c8 76 4a e8 c7 11 57 40 3c 0c 71 ff 9c 45
        12 30 43 68 61 6c 6c 65 6e 67 65 20 33 32 37 36 39 34 33 30 2e 20 20 45 6e 74 65 72 20
        72 65 73 70 6f 6e 73 65 20 61 74 20 70 72 6f 6d 70 74 2e 18 0a 33 32 37 36 39 34 33 30`),
    },
    {
      name: 'RFC 5997 §6.1, an answer to Status-Server',
      request: bytes(`0c da 00 26 8a 54 f4 68 6f b3 94 c5 28 66 e3 02 18 5d 06 23
        50 12 5a 66 5e 2e 1e 84 11 f3 e2 43 82 20 97 c8 4f a3`),
      reply: bytes('02 da 00 14 ef 0d 55 2a 4b f2 d6 93 ec 2b 6f e8 b5 41 1d 66'),
    },
  ]
  for (const { name, request, reply } of REPLIES) {
    it(`${name}: is genuine, without Message-Authenticator`, () => {
      const { authenticator } = read(request)
      const expected = { authenticator, secret: EXAMPLE }
      assert.equal(faultOfReply(read(reply), { ...expected, signed: false }), undefined)
      assert.equal(
        faultOfReply(read(reply), { ...expected, signed: true }),
        'message-authenticator-missing',
      )
    })
  }

  it('RFC 5997 §6.1: Status-Server has the bytes of the example', () => {
    const made = encodeRequest(
      { code: REQUEST.status, attributes: [] },
      0xda,
      bytes('8a54f4686fb394c52866e302185d0623'),
      EXAMPLE,
    )
    assert.deepEqual(made, REPLIES[2]?.request)
  })
})

describe('a RADIUS request', () => {
  const AUTHENTICATOR = Buffer.alloc(16, 7)
  const secret = new SharedSecret(FAKE_SECRET)
  const request = (password: string): Buffer =>
    encodeRequest(
      {
        code: REQUEST.access,
        attributes: [text(ATTRIBUTE['User-Name'], 'jürgen'), integer(ATTRIBUTE['Service-Type'], 1)],
        password: Buffer.from(password),
      },
      42,
      AUTHENTICATOR,
      secret,
    )

  it('has Message-Authenticator first, over everything (CVE-2024-3596)', () => {
    const made = request('pässwörd')
    assert.deepEqual([...made.subarray(20, 22)], [ATTRIBUTE['Message-Authenticator'], 18])
    const blank = Buffer.from(made).fill(0, 22, 38)
    const mac = createHmac('md5', FAKE_SECRET).update(blank).digest()
    assert.deepEqual(made.subarray(22, 38), mac)
  })

  it('has its length, identifier and authenticator in its header', () => {
    const made = request('x')
    const { code, identifier, authenticator, bytes: whole } = read(made)
    assert.deepEqual([code, identifier, whole.length], [1, 42, made.length])
    assert.deepEqual(Buffer.from(authenticator), AUTHENTICATOR)
  })

  it('does not contain the password in the clear', () => {
    const password = 'correct horse battery staple'
    assert.equal(request(password).includes(password), false)
    assert.equal(request(password).includes(FAKE_SECRET), false)
  })

  it('pads the password to blocks of 16 bytes, at most 128 (RFC 2865 §5.2)', () => {
    for (const [length, want] of [
      [1, 16],
      [16, 16],
      [17, 32],
      [128, 128],
    ] as const) {
      const [hidden] = valuesOf(read(request('x'.repeat(length))), ATTRIBUTE['User-Password'])
      assert.equal(hidden?.length, want)
    }
    assert.throws(() => request('x'.repeat(129)), RangeError)
    assert.throws(() => request(''), RangeError)
    assert.equal(isSendablePassword(Buffer.from('ä'.repeat(64))), true)
    assert.equal(isSendablePassword(Buffer.from('ä'.repeat(65))), false)
  })

  it('refuses an attribute that is empty or too long', () => {
    assert.deepEqual(
      [0, 1, 253, 254].map((length) => isSendable(Buffer.alloc(length))),
      [false, true, true, false],
    )
    const content = { code: REQUEST.access, attributes: [text(1, 'x'.repeat(254))] }
    assert.throws(() => encodeRequest(content, 0, AUTHENTICATOR, secret), RangeError)
  })

  it('has at most 4096 bytes', () => {
    const attributes = Array.from({ length: 17 }, () => text(1, 'x'.repeat(253)))
    const content = { code: REQUEST.access, attributes }
    assert.throws(() => encodeRequest(content, 0, AUTHENTICATOR, secret), RangeError)
  })
})

describe('reading a RADIUS packet', () => {
  const header = (length: number): Buffer => {
    const made = Buffer.alloc(20)
    made.writeUInt16BE(length, 2)
    return made
  }
  const tailed = (...tail: number[]): Buffer =>
    Buffer.concat([header(20 + tail.length), Buffer.from(tail)])
  const CASES: readonly { name: string; input: Buffer; want: PacketFault | 'ok' }[] = [
    { name: 'no bytes', input: Buffer.alloc(0), want: 'too-short' },
    { name: '19 bytes', input: header(20).subarray(0, 19), want: 'too-short' },
    { name: 'a bare header', input: header(20), want: 'ok' },
    { name: 'a length of 0', input: header(0), want: 'length-wrong' },
    { name: 'a length of 19', input: header(19), want: 'length-wrong' },
    { name: 'one byte less than its length', input: header(21), want: 'length-wrong' },
    { name: 'a length of 65535', input: header(65_535), want: 'length-wrong' },
    {
      name: 'more than 4096 bytes',
      input: Buffer.concat([header(4_097), Buffer.alloc(4_077, 2)]),
      want: 'length-wrong',
    },
    {
      name: 'padding, which is ignored',
      input: Buffer.concat([header(20), Buffer.alloc(50)]),
      want: 'ok',
    },
    { name: 'an attribute of length 0', input: tailed(1, 0, 65), want: 'attribute-length-wrong' },
    { name: 'an attribute of length 1', input: tailed(1, 1, 65), want: 'attribute-length-wrong' },
    { name: 'an attribute of length 2, empty', input: tailed(1, 2), want: 'ok' },
    {
      name: 'an attribute of length 255',
      input: tailed(1, 255, 65),
      want: 'attribute-length-wrong',
    },
    { name: 'a truncated attribute', input: tailed(1), want: 'attribute-length-wrong' },
    { name: 'an attribute that ends with the packet', input: tailed(1, 3, 65), want: 'ok' },
  ]
  for (const { name, input, want } of CASES) {
    it(`of ${name}: ${want}`, () => {
      const reading = readPacket(input)
      assert.equal(reading.ok ? 'ok' : reading.fault, want)
    })
  }

  it('leaves padding out of the attributes', () => {
    const packet = read(Buffer.concat([header(20), Buffer.of(1, 3, 65)]))
    assert.deepEqual(packet.attributes, [])
    assert.equal(packet.bytes.length, 20)
  })
})

describe('vendor-specific attributes of a RADIUS packet', () => {
  const packetOf = (...values: readonly Buffer[]): Packet =>
    read(makeReply(Buffer.alloc(20), { attributes: values.map((value) => [26, value] as const) }))
  const CISCO = 9
  const vendor = (...tail: number[]): Buffer => Buffer.from([0, 0, 0, CISCO, ...tail])
  const valuesIn = (packet: Packet): readonly string[] =>
    vendorValuesOf(packet, CISCO, 1).map((value) => Buffer.from(value).toString())

  const CASES: readonly { name: string; input: readonly Buffer[]; want: readonly string[] }[] = [
    { name: 'one attribute', input: [vendor(1, 3, 65)], want: ['A'] },
    {
      name: 'several attributes in one',
      input: [vendor(1, 3, 65, 2, 3, 66, 1, 4, 67, 67)],
      want: ['A', 'CC'],
    },
    {
      name: 'several vendor-specific attributes',
      input: [vendor(1, 3, 65), vendor(1, 3, 66)],
      want: ['A', 'B'],
    },
    { name: 'another vendor', input: [Buffer.of(0, 0, 1, 9, 1, 3, 65)], want: [] },
    { name: 'a truncated attribute', input: [vendor(1, 9, 65)], want: [] },
    { name: 'an attribute of length 0', input: [vendor(1, 0)], want: [] },
    { name: 'an empty attribute', input: [vendor()], want: [] },
    { name: 'a truncated vendor id', input: [Buffer.of(0, 0, 9)], want: [] },
  ]
  for (const { name, input, want } of CASES) {
    it(`are read from a packet with ${name}`, () =>
      assert.deepEqual(valuesIn(packetOf(...input)), want))
  }
})

describe('a RADIUS reply', () => {
  const request = encodeRequest(
    { code: REQUEST.access, attributes: [text(1, 'alice')], password: Buffer.from('x') },
    9,
    Buffer.alloc(16, 3),
    new SharedSecret(FAKE_SECRET),
  )
  const faultOf = (reply: Uint8Array): PacketFault | undefined => {
    const reading = readPacket(reply)
    if (!reading.ok) return reading.fault
    return faultOfReply(reading.packet, {
      authenticator: request.subarray(4, 20),
      secret: new SharedSecret(FAKE_SECRET),
      signed: true,
    })
  }
  const attributes = [
    [25, 'staff'],
    [18, 'hello'],
  ] as const

  it('is genuine with its Message-Authenticator at any position', () => {
    assert.equal(faultOf(makeReply(request, { attributes, mac: 'first' })), undefined)
    assert.equal(faultOf(makeReply(request, { attributes, mac: 'last' })), undefined)
  })

  it('is genuine with padding after it, and at an odd offset of its buffer', () => {
    const reply = makeReply(request, { attributes, mac: 'last' })
    const shifted = Buffer.concat([Buffer.alloc(3), reply, Buffer.alloc(9)])
    assert.equal(faultOf(shifted.subarray(3)), undefined)
  })

  it('is not genuine with one changed bit, at any position', () => {
    const reply = makeReply(request, { attributes })
    for (let bit = 0; bit < reply.length * 8; bit += 1) {
      const changed = Buffer.from(reply)
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      assert.notEqual(faultOf(changed), undefined, `bit ${bit}`)
    }
  })

  it('is not genuine with two Message-Authenticators or two States', () => {
    const state = [24, Buffer.of(1)] as const
    assert.equal(faultOf(makeReply(request, { attributes: [state, state] })), 'attribute-repeated')
    const mac = [80, Buffer.alloc(16)] as const
    assert.equal(faultOf(makeReply(request, { attributes: [mac] })), 'attribute-repeated')
  })

  it('is not genuine with a Message-Authenticator of another length', () => {
    for (const length of [0, 1, 15, 17]) {
      const mac = [80, Buffer.alloc(length)] as const
      const reply = makeReply(request, { attributes: [mac], mac: 'none' })
      assert.equal(faultOf(reply), 'message-authenticator-wrong')
    }
  })

  it('is not genuine with a code that is not an answer', () => {
    for (const code of [0, 1, 4, 5, 12, 255]) {
      assert.equal(faultOf(makeReply(request, { code })), 'code-unexpected')
    }
  })
})
