// HPACK: the examples of RFC 7541 appendix C, what no encoder writes, and blocks that were changed at random.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HpackDecoder } from '../../../src/runtime/http2/hpack/decoder.ts'
import { encodeFields } from '../../../src/runtime/http2/hpack/encoder.ts'
import { HpackError } from '../../../src/runtime/http2/hpack/error.ts'
import { Seeded } from '../../fakes/seeded.ts'

const LIMITS = { tableSize: 4_096, listSize: 16_384 }

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')

/** The list as lines; undefined when it is too large. */
const decoded = (decoder: HpackDecoder, text: string): readonly string[] | undefined => {
  const block = hex(text)
  return decoder.decode(block, 0, block.length)?.map(({ name, value }) => `${name}: ${value}`)
}

const FIRST = [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com']
const SECOND = [...FIRST, 'cache-control: no-cache']
const THIRD = [
  ':method: GET',
  ':scheme: https',
  ':path: /index.html',
  ':authority: www.example.com',
  'custom-key: custom-value',
]
const DATE = 'date: Mon, 21 Oct 2013 20:13:21 GMT'
const LOCATION = 'location: https://www.example.com'
const FOUND = [':status: 302', 'cache-control: private', DATE, LOCATION]
const REDIRECT = [':status: 307', 'cache-control: private', DATE, LOCATION]
const OK = [
  ':status: 200',
  'cache-control: private',
  'date: Mon, 21 Oct 2013 20:13:22 GMT',
  LOCATION,
  'content-encoding: gzip',
  'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
]

interface Example {
  readonly name: string
  readonly tableSize: number
  readonly blocks: readonly (readonly [string, readonly string[]])[]
}

const EXAMPLES: readonly Example[] = [
  {
    name: 'C.2.1: a literal with indexing',
    tableSize: 4_096,
    blocks: [
      ['400a637573746f6d2d6b65790d637573746f6d2d686561646572', ['custom-key: custom-header']],
    ],
  },
  {
    name: 'C.2.2: a literal without indexing',
    tableSize: 4_096,
    blocks: [['040c2f73616d706c652f70617468', [':path: /sample/path']]],
  },
  {
    name: 'C.2.3: a literal that is never indexed',
    tableSize: 4_096,
    blocks: [['100870617373776f726406736563726574', ['password: secret']]],
  },
  { name: 'C.2.4: an index', tableSize: 4_096, blocks: [['82', [':method: GET']]] },
  {
    name: 'C.3: requests',
    tableSize: 4_096,
    blocks: [
      ['828684410f7777772e6578616d706c652e636f6d', FIRST],
      ['828684be58086e6f2d6361636865', SECOND],
      ['828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565', THIRD],
    ],
  },
  {
    name: 'C.4: requests with the Huffman code',
    tableSize: 4_096,
    blocks: [
      ['828684418cf1e3c2e5f23a6ba0ab90f4ff', FIRST],
      ['828684be5886a8eb10649cbf', SECOND],
      ['828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf', THIRD],
    ],
  },
  {
    name: 'C.5: responses in a table of 256 octets',
    tableSize: 256,
    blocks: [
      [
        `4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54
         6e1768747470733a2f2f7777772e6578616d706c652e636f6d`,
        FOUND,
      ],
      ['4803333037c1c0bf', REDIRECT],
      [
        `88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f
         3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076
         657273696f6e3d31`,
        OK,
      ],
    ],
  },
  {
    name: 'C.6: responses with the Huffman code',
    tableSize: 256,
    blocks: [
      [
        `488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad1718
         63c78f0b97c8e9ae82ae43d3`,
        FOUND,
      ],
      ['4883640effc1c0bf', REDIRECT],
      [
        `88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335
         dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007`,
        OK,
      ],
    ],
  },
]

describe('the decoder', () => {
  for (const { name, tableSize, blocks } of EXAMPLES) {
    it(`decodes RFC 7541 ${name}`, () => {
      const decoder = new HpackDecoder({ ...LIMITS, tableSize })
      for (const [block, want] of blocks) assert.deepEqual(decoded(decoder, block), want)
    })
  }

  it('evicts entries when the table becomes smaller, and none when it becomes larger again', () => {
    const decoder = new HpackDecoder(LIMITS)
    assert.deepEqual(decoded(decoder, '4001610162 4001630164'), ['a: b', 'c: d'])
    // 34 octets are one entry; then 4,096.
    assert.deepEqual(decoded(decoder, '3f03 3fe11f be'), ['c: d'])
    assert.throws(() => decoded(decoder, 'bf'), HpackError)
  })

  it('empties the table for an entry that is larger', () => {
    const decoder = new HpackDecoder({ ...LIMITS, tableSize: 64 })
    assert.deepEqual(decoded(decoder, '4001610162'), ['a: b'])
    assert.equal(decoded(decoder, `40 01 61 7f 00 ${'62'.repeat(127)}`)?.length, 1)
    assert.throws(() => decoded(decoder, 'be'), HpackError)
  })

  it('says when equal blocks are equal lists', () => {
    const decoder = new HpackDecoder(LIMITS)
    decoded(decoder, '4001610162')
    const { changes } = decoder
    decoded(decoder, 'be 82 0001610162')
    assert.equal(decoder.changes, changes)
    decoded(decoder, '20')
    assert.notEqual(decoder.changes, changes)
  })

  it('keeps no list that is too large, but what it does to the table', () => {
    const decoder = new HpackDecoder({ ...LIMITS, listSize: 100 })
    assert.equal(decoded(decoder, '4001610162 be be'), undefined)
    assert.deepEqual(decoded(decoder, 'be be'), ['a: b', 'a: b'])
  })

  for (const { name, block } of [
    { name: 'the index 0', block: '80' },
    { name: 'an index past the static table', block: 'be' },
    { name: 'an index past the static table for a name', block: '7f0001 61' },
    { name: 'a size update after a field', block: '8220' },
    { name: 'a size update above the setting', block: '3fe21f' },
    { name: 'an integer that is too large', block: 'ffffffffffffffff0f' },
    { name: 'an integer with octets that add nothing', block: 'ff8080808000' },
    { name: 'an integer that is cut short', block: 'ff80' },
    { name: 'a string that is cut short', block: '0005 6162' },
    { name: 'a literal without a value', block: '000161' },
    { name: 'padding of eight bits', block: '000161 82f8ff' },
    { name: 'padding that is not of ones', block: '000161 8118' },
    { name: 'EOS in a string', block: '000161 84ffffffff' },
  ]) {
    it(`rejects ${name}`, () => {
      assert.throws(() => decoded(new HpackDecoder(LIMITS), block), HpackError)
    })
  }

  it('decodes each octet of the Huffman code', () => {
    // RFC 7541 appendix B, the first, a middle and the last code of some lengths.
    const codes: readonly (readonly [string, string])[] = [
      ['0', '00000'],
      ['t', '01001'],
      [' ', '010100'],
      ['u', '101101'],
      [':', '1011100'],
      ['z', '1111011'],
      ['&', '11111000'],
      [';', '11111011'],
      ['!', '1111111000'],
      ['\\', '1111111111111110000'],
      ['\n', '111111111111111111111111111100'],
      ['\u0016', '111111111111111111111111111110'],
      ['\u00ff', '11111111111111111111101110'],
    ]
    for (const [symbol, code] of codes) {
      const bits = code.padEnd(Math.ceil(code.length / 8) * 8, '1')
      const octets = bits.match(/.{8}/g)?.map((octet) => Number.parseInt(octet, 2)) ?? []
      const block = Buffer.from([0, 1, 0x61, 0x80 | octets.length, ...octets])
      const [field] = new HpackDecoder(LIMITS).decode(block, 0, block.length) ?? []
      assert.equal(field?.value, symbol)
    }
  })

  it('survives 20,000 blocks that were changed at random, and gives what is bounded', () => {
    const random = new Seeded(7_541)
    const blocks = EXAMPLES.flatMap((example) => example.blocks).map(([block]) => hex(block))
    const [first = Buffer.alloc(0), ...rest] = blocks
    let errors = 0
    for (let round = 0; round < 20_000; round++) {
      const decoder = new HpackDecoder({ tableSize: 256, listSize: 400 })
      for (let block = 0; block < 3; block++) {
        const changed = Buffer.from(random.pick([first, ...rest]))
        for (let change = random.below(4); change > 0; change--) {
          changed[random.below(changed.length)] = random.below(256)
        }
        try {
          const size = (decoder.decode(changed, 0, changed.length - random.below(2)) ?? []).reduce(
            (sum, { name, value }) => sum + name.length + value.length + 32,
            0,
          )
          assert.ok(size <= 400)
        } catch (cause) {
          assert.ok(cause instanceof HpackError, String(cause))
          errors += 1
          break
        }
      }
    }
    assert.ok(errors > 1_000 && errors < 20_000, `${errors}`)
  })
})

describe('the encoder', () => {
  it('uses the static table, and literals for the rest', () => {
    const fields = {
      ':status': '200',
      'content-type': 'application/grpc',
      'grpc-status': '0',
      'grpc-message': 'x'.repeat(300),
    }
    const block = encodeFields(fields)
    assert.equal(block[0], 0x88)
    assert.deepEqual(block.subarray(1, 3), Buffer.from([0x0f, 31 - 15]))
    assert.deepEqual(
      decoded(new HpackDecoder(LIMITS), block.toString('hex')),
      Object.entries(fields).map(([name, value]) => `${name}: ${value}`),
    )
  })
})
