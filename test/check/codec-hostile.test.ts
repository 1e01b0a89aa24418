// What no honest Envoy sends. The decoder may refuse or read it, but never guess, hang or crash.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { decodeCheckRequest } from '../../src/check/codec.ts'
import { authorizationService } from '../../src/proto/load.ts'
import { mergedCheckRequest, rawCheckRequest } from '../fixtures/check-request.ts'

/** A field with a length, and one without. */
const field = (number: number, ...content: (Buffer | string)[]): Buffer => {
  const bytes = Buffer.concat(content.map((part) => Buffer.from(part)))
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes])
}
const varint = (value: number): Buffer => {
  const bytes: number[] = []
  for (let rest = value >>> 0; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest])
    bytes.push((rest & 0x7f) | 0x80)
  }
}
const http = (...content: Buffer[]): Buffer => field(1, field(4, field(2, ...content)))
const line = (...content: Buffer[]): Buffer => http(field(13, field(1, ...content)))

const everyText: readonly [name: string, message: (text: Buffer) => Buffer][] = [
  ['source address', (text) => field(1, field(1, field(1, field(1, field(2, text)))))],
  ['certificate', (text) => field(1, field(1, field(5, text)))],
  ['method', (text) => http(field(2, text))],
  ['path', (text) => http(field(4, text))],
  ['host', (text) => http(field(5, text))],
  ['merged header name', (text) => http(field(3, field(1, text)))],
  ['merged header value', (text) => http(field(3, field(2, text)))],
  ['header line name', (text) => line(field(1, text))],
  ['header line value', (text) => line(field(2, text))],
  ['extension key', (text) => field(1, field(10, field(1, text)))],
  ['extension value', (text) => field(1, field(10, field(2, text)))],
  ['server name', (text) => field(1, field(12, field(1, text)))],
]

const notUtf8: readonly [name: string, hex: string][] = [
  ['Latin-1', '636166e9'],
  ['a cut sequence', '61e282'],
  ['an overlong slash', 'c0af'],
  ['a surrogate', 'eda080'],
  ['a stray continuation', '80'],
  ['a bad byte after a genuine U+FFFD', 'efbfbdff'],
]

describe('a text in a CheckRequest', () => {
  for (const [where, message] of everyText) {
    for (const [what, hex] of notUtf8) {
      it(`is refused with ${what} as ${where}`, () => {
        assert.throws(() => decodeCheckRequest(message(Buffer.from(hex, 'hex'))), /not UTF-8/)
      })
    }
    it(`may contain U+FFFD as ${where}`, () => {
      assert.doesNotThrow(() => decodeCheckRequest(message(Buffer.from('a\ufffdb'))))
    })
  }

  it('is not taken from the cache where only its UTF-16 units are the same', () => {
    // "é" is U+00E9: remembered from good UTF-8, it must not match the lone byte 0xe9
    for (let round = 0; round < 2; round++) {
      assert.equal(decodeCheckRequest(http(field(2, 'é'))).method, 'é')
      assert.throws(() => decodeCheckRequest(http(field(2, Buffer.from([0xe9])))), /not UTF-8/)
    }
  })
})

describe('a cached text', () => {
  it('is exact, however many texts share a slot of the cache', () => {
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < 5_000; index++) {
        const method = `x-${index}`
        assert.equal(decodeCheckRequest(http(field(2, method))).method, method)
      }
    }
  })

  it('is exact at every length', () => {
    for (let length = 0; length < 200; length++) {
      const method = 'm'.repeat(length)
      assert.equal(decodeCheckRequest(http(field(2, method))).method, method)
    }
  })
})

describe('a malformed CheckRequest is an error', () => {
  const cases: readonly [name: string, hex: string][] = [
    ['a length beyond the end', '0a05'],
    ['the longest length', '0affffffff0f'],
    ['a length that wraps around', '0affffffffffffffffff01'],
    ['an endless varint', 'ff'.repeat(30)],
    ['field number 0', '0200'],
    ['field number 0 inside', '0a020200'],
    ['wire type 6', '0e'],
    ['wire type 7', '0f'],
    ['an end of a group that never began', '0c'],
    ['a group without end', '1b'.repeat(20)],
    ['groups nested too deep', '1b'.repeat(100_000)],
  ]
  for (const [name, hex] of cases) {
    it(name, () => {
      assert.throws(() => decodeCheckRequest(Buffer.from(hex, 'hex')), Error)
    })
  }

  const outrunning: readonly [name: string, hex: string][] = [
    ['a message that outruns its parent', '0a04_22041200_0a00'],
    ['a string that outruns its message', '0a06_2204_1202_1205_4141414141'],
    ['a varint that outruns its message', '0a06_0a04_0a02_1880_01'],
    ['an unknown field that outruns its message', '0a02_7a05_4141414141'],
  ]
  for (const [name, hex] of outrunning) {
    it(name, () => {
      const bytes = Buffer.from(hex.replaceAll('_', ''), 'hex')
      assert.throws(() => decodeCheckRequest(bytes), /outruns/)
    })
  }

  it('has both headers and header_map', () => {
    const both = http(field(3, field(1, 'a'), field(2, 'b')), field(13, field(1, field(1, 'a'))))
    assert.throws(() => decodeCheckRequest(both), /both headers and header_map/)
  })

  it('has a header with both value and raw_value', () => {
    const both = line(field(1, 'a'), field(2, 'b'), field(3, 'c'))
    assert.throws(() => decodeCheckRequest(both), /both value and raw_value/)
  })

  it('ignores a field of another wire type, which is an unknown field', () => {
    const method = Buffer.from([(2 << 3) | 0, 5])
    assert.equal(decodeCheckRequest(http(method)).method, '')
  })
})

const samples = [rawCheckRequest, mergedCheckRequest].map((request) =>
  authorizationService.Check.requestSerialize(request),
)

describe('a damaged CheckRequest', () => {
  it('is an error when it is truncated at any byte', () => {
    for (const sample of samples) {
      for (let length = 1; length < sample.length; length++) {
        assert.throws(() => decodeCheckRequest(sample.subarray(0, length)), Error)
      }
    }
  })

  it('is an error or decoded to well-formed text', () => {
    const random = mulberry32(0x5eed)
    let read = 0
    for (let round = 0; round < ROUNDS; round++) {
      const bytes = damage(samples[round % samples.length] ?? EMPTY, random)
      try {
        const { headers, contextExtensions, sourcePort, ...texts } = decodeCheckRequest(bytes)
        read++
        const strings = [
          ...headers.map(({ name }) => name),
          ...[...contextExtensions].flat(),
          ...Object.values(texts),
        ]
        assert.ok(strings.every((string) => typeof string === 'string' && string.isWellFormed()))
        assert.ok(headers.every(({ value }) => value.length <= bytes.length))
        assert.ok(Number.isInteger(sourcePort) && sourcePort >= 0)
      } catch (error) {
        if (!(error instanceof Error) || error instanceof assert.AssertionError) throw error
      }
    }
    // Most damage is refused; that some is read shows that the damage is not too gross to matter.
    assert.ok(read > ROUNDS / 100 && read < ROUNDS, `${read} of ${ROUNDS} read`)
  })
})

const ROUNDS = 40_000
const EMPTY = Buffer.alloc(0)

/** One to four edits: a changed byte, a cut, bytes taken out, bytes repeated. */
function damage(sample: Buffer, random: () => number): Buffer {
  const below = (limit: number) => Math.floor(random() * limit)
  let bytes = Buffer.from(sample)
  for (let edits = 1 + below(4); edits > 0 && bytes.length > 0; edits--) {
    const at = below(bytes.length)
    const size = below(16)
    switch (below(4)) {
      case 0:
        bytes[at] = below(256)
        break
      case 1:
        bytes = bytes.subarray(0, at)
        break
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + size)])
        break
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at + size), bytes.subarray(at)])
        break
    }
  }
  return bytes
}

/** A small generator of repeatable numbers in [0, 1) (Tommy Ettinger's mulberry32). */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
