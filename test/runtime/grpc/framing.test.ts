// Messages put together from whatever pieces they come in.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { frame, GRPC_CODES, MessageReader, trailersOf } from '../../../src/runtime/grpc/framing.ts'

const LONGEST = 100
const texts = ['one', '', 'x'.repeat(LONGEST), '', 'two', 'three']
const bytes = Buffer.concat(texts.map((text) => frame(Buffer.from(text))))

/** Feeds pieces of that size; what comes out, and the refusal if there is one. */
const read = (input: Buffer, size: number) => {
  const reader = new MessageReader(LONGEST)
  const messages: Buffer[] = []
  for (let at = 0; at < input.length; at += size) {
    // The socket's buffer is used for something else afterwards.
    const piece = Buffer.from(input.subarray(at, at + size))
    const before = messages.length
    const refusal = reader.read(piece, messages)
    messages.splice(before, messages.length, ...messages.slice(before).map((m) => Buffer.from(m)))
    piece.fill(0xee)
    if (refusal !== undefined) return { texts: messages.map(String), code: refusal.code }
  }
  return { texts: messages.map(String), code: undefined }
}

describe('messages', () => {
  for (const size of [1, 2, 3, 4, 5, 6, 7, 50, 104, 105, 106, bytes.length]) {
    it(`come out whole from pieces of ${size} bytes`, () => {
      assert.deepEqual(read(bytes, size), { texts, code: undefined })
    })
  }

  it('that are compressed are refused, after those before', () => {
    const compressed = Buffer.concat([frame(Buffer.from('one')), Buffer.from([1, 0, 0, 0, 0])])
    assert.deepEqual(read(compressed, 20), { texts: ['one'], code: GRPC_CODES.unimplemented })
  })

  for (const length of [LONGEST + 1, 0xffff_ffff]) {
    it(`of ${length} bytes are refused as soon as that is known`, () => {
      const prefix = Buffer.alloc(5)
      prefix.writeUInt32BE(length, 1)
      for (const size of [1, 5]) {
        assert.deepEqual(read(prefix, size), { texts: [], code: GRPC_CODES.resourceExhausted })
      }
    })
  }

  it('take memory for what has arrived, not for what is announced', () => {
    const reader = new MessageReader(1_048_576)
    const prefix = Buffer.from([0, 0x00, 0x10, 0x00, 0x00])
    const messages: Buffer[] = []
    reader.read(prefix, messages)
    const piece = Buffer.alloc(1_000, 'x')
    for (let sent = 0; sent < 1_048_000; sent += piece.length) {
      reader.read(piece, messages)
      const held: number = reader.held ?? 0
      assert.ok(held <= Math.max(2 * (sent + piece.length), 1_000), `${held} after ${sent}`)
    }
    reader.read(piece.subarray(0, 576), messages)
    assert.deepEqual([messages.length, messages[0]?.length, reader.held], [1, 1_048_576, undefined])
  })

  it('that are cut short do not come out', () => {
    assert.deepEqual(read(frame(Buffer.from('cut')).subarray(0, -1), 3).texts, [])
  })
})

describe('a status', () => {
  it('is percent-encoded in trailers', () => {
    assert.deepEqual(trailersOf({ code: 3, details: 'a b\nü' }), {
      'grpc-status': '3',
      'grpc-message': 'a%20b%0A%C3%BC',
    })
  })
})
