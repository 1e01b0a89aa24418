// Distinguished names: attributes ↔ DER. Values and text are in name-text.test.ts.

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { describe, it } from 'node:test'
import { decodeName, encodeName, readString, type Attribute } from '../../src/x509/name.ts'
import { attributeName, attributeOid } from '../../src/x509/oid.ts'
import { bytesOf, certificateOf, commonName, tlv, type Bytes } from '../fixtures/certificate.ts'
import { randomFrom } from '../fakes/random.ts'
import { x509 } from '../servers/x509.ts'
import { MALFORMED } from './malformed.ts'

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const attribute = (name: string, value: string): Attribute => ({
  oid: attributeOid(name) ?? name,
  value,
})

const ALICE = [
  attribute('CN', 'alice'),
  attribute('O', 'ops'),
  attribute('O', 'dev'),
  attribute('OU', 'öps'),
  attribute('UID', '42'),
  attribute('DC', 'example'),
  attribute('C', 'DE'),
  attribute('serialNumber', 'A-1'),
  attribute('emailAddress', 'alice@example.org'),
  attribute('2.5.4.999', '✓ 😀'),
]

describe('a name', () => {
  it('has the bytes that RFC 5280 gives it', () => {
    const written = encodeName([attribute('CN', 'a'), attribute('C', 'DE'), attribute('DC', 'x')])
    const want = `302c
      310a 3008 0603550403 0c0161
      310b 3009 0603550406 13024445
      3111 300f 060a0992268993f22c640119 160178`
    assert.equal(hexOf(written), hexOf(bytesOf(want)))
  })

  it('is read as it was written, in order', () => {
    assert.deepEqual(decodeName(encodeName(ALICE)), ALICE)
  })

  it('may be empty', () => {
    assert.equal(hexOf(encodeName([])), '3000')
    assert.deepEqual(decodeName(encodeName([])), [])
  })

  it('says the same to @peculiar/x509', () => {
    const name = new x509.Name(Uint8Array.from(encodeName(ALICE)).buffer)
    const read = name
      .toJSON()
      .flatMap((relative) =>
        Object.entries(relative).flatMap(([type, values]) =>
          values.map((value) => ({ type, value })),
        ),
      )
    assert.deepEqual(
      read.map(({ value }) => value),
      ALICE.map(({ value }) => value),
    )
    assert.deepEqual(
      read.slice(0, 4).map(({ type }) => type),
      ['CN', 'O', 'O', 'OU'],
    )
  })

  it('says the same to OpenSSL, whatever plain text is in it', () => {
    const random = randomFrom(0x4a)
    const names = ['CN', 'O', 'OU', 'L', 'ST', 'UID', 'DC', 'emailAddress', 'title'] as const
    for (let round = 0; round < 300; round++) {
      const attributes = Array.from({ length: 1 + random(6) }, () =>
        attribute(
          names[random(names.length)] ?? 'CN',
          Array.from({ length: 1 + random(70) }, () => String.fromCodePoint(97 + random(26))).join(
            '',
          ),
        ),
      )
      const { subject } = new X509Certificate(certificateOf({ subject: encodeName(attributes) }))
      const want = attributes.map(({ oid, value }) => `${attributeName(oid)}=${value}`).join('\n')
      assert.equal(subject, want)
    }
  })

  it('is read as it was written, whatever Unicode is in it', () => {
    const random = randomFrom(0x4b)
    const text = (): string =>
      String.fromCodePoint(
        ...Array.from({ length: random(40) }, () => {
          const point = random(0x11_0000)
          return point >= 0xd800 && point < 0xe000 ? 0x20 : point
        }),
      )
    for (let round = 0; round < 500; round++) {
      const attributes = Array.from({ length: random(5) }, () => attribute('CN', text()))
      assert.deepEqual(decodeName(encodeName(attributes)), attributes)
    }
  })

  it('may have several attributes in one relative name, which are listed', () => {
    const set = tlv(0x31, tlv(0x30, '0603550403', '0c0161'), tlv(0x30, '060355040a', '0c0162'))
    assert.deepEqual(decodeName(tlv(0x30, set)), [attribute('CN', 'a'), attribute('O', 'b')])
  })
})

/** The value of such a string. */
const read = (type: number, content: Bytes): string =>
  readString({
    tag: type,
    content: bytesOf(content),
    whole: tlv(type, content),
  })

describe('a string', () => {
  const CASES = [
    { name: 'UTF8String', type: 0x0c, input: '6ac3bc7267656e', want: 'jürgen' },
    {
      name: 'UTF8String with a NUL, which is a character',
      type: 0x0c,
      input: '610062',
      want: 'a\0b',
    },
    { name: 'UTF8String of U+FFFD itself', type: 0x0c, input: 'efbfbd', want: '\ufffd' },
    {
      name: 'UTF8String with a byte order mark, which is kept',
      type: 0x0c,
      input: 'efbbbf61',
      want: '\ufeffa',
    },
    { name: 'UTF8String, empty', type: 0x0c, input: '', want: '' },
    {
      name: 'PrintableString',
      type: 0x13,
      input: Buffer.from("A-1 (x)'+,./:=?"),
      want: "A-1 (x)'+,./:=?",
    },
    {
      name: 'PrintableString with characters that every reader accepts',
      type: 0x13,
      input: Buffer.from('*.a@b_c&d'),
      want: '*.a@b_c&d',
    },
    { name: 'NumericString', type: 0x12, input: Buffer.from('0123 4'), want: '0123 4' },
    { name: 'IA5String', type: 0x16, input: Buffer.from('a@b.c~'), want: 'a@b.c~' },
  ]
  for (const { name, type, input, want } of CASES) {
    it(`is read from the type ${name}`, () => assert.equal(read(type, input), want))
  }

  const HOSTILE = [
    { name: 'UTF8String of Latin-1', type: 0x0c, input: '6afc' },
    { name: 'UTF8String cut short', type: 0x0c, input: '61e282' },
    { name: 'UTF8String with an overlong slash', type: 0x0c, input: 'c0af' },
    { name: 'UTF8String with an overlong NUL', type: 0x0c, input: 'c080' },
    { name: 'UTF8String with a surrogate', type: 0x0c, input: 'eda080' },
    { name: 'UTF8String beyond U+10FFFF', type: 0x0c, input: 'f4908080' },
    { name: 'PrintableString with a NUL', type: 0x13, input: '61646d696e00' },
    { name: 'PrintableString with a line break', type: 0x13, input: '610a62' },
    { name: 'PrintableString with a line break behind', type: 0x13, input: '610a' },
    { name: 'PrintableString with a quote', type: 0x13, input: '6122' },
    { name: 'PrintableString in Latin-1', type: 0x13, input: '6afc' },
    { name: 'PrintableString in UTF-8', type: 0x13, input: '6ac3bc' },
    { name: 'IA5String in Latin-1', type: 0x16, input: '6afc' },
    { name: 'T61String', type: 0x14, input: '616c696365' },
    { name: 'BMPString', type: 0x1e, input: '0061006c' },
    { name: 'UniversalString', type: 0x1c, input: '00000061' },
    { name: 'VisibleString', type: 0x1a, input: '61' },
    { name: 'GeneralString', type: 0x1b, input: '61' },
    { name: 'a constructed UTF8String', type: 0x2c, input: '0c0161' },
    { name: 'an OCTET STRING', type: 0x04, input: '61' },
    { name: 'an INTEGER', type: 0x02, input: '61' },
  ]
  for (const { name, type, input } of HOSTILE) {
    it(`is not: ${name}`, () => {
      assert.throws(() => read(type, input), { ...MALFORMED, message: /a string of type 0x/ })
      assert.throws(() => decodeName(commonName(input, type)), MALFORMED)
    })
  }
})

describe('a name that is none', () => {
  const pair = tlv(0x30, '0603550403', '0c0161')
  const CASES = [
    { name: 'an empty input', input: '' },
    { name: 'a SET instead of a SEQUENCE', input: tlv(0x31, pair) },
    { name: 'an attribute outside a SET', input: tlv(0x30, pair) },
    { name: 'a SET outside a SEQUENCE', input: tlv(0x31, tlv(0x31, pair)) },
    { name: 'an empty SET', input: tlv(0x30, '3100') },
    { name: 'an empty SET behind a full one', input: tlv(0x30, tlv(0x31, pair), '3100') },
    { name: 'an empty SEQUENCE in a SET', input: tlv(0x30, tlv(0x31, '3000')) },
    { name: 'a type without a value', input: tlv(0x30, tlv(0x31, tlv(0x30, '0603550403'))) },
    { name: 'a value without a type', input: tlv(0x30, tlv(0x31, tlv(0x30, '0c0161'))) },
    {
      name: 'an attribute with two values',
      input: tlv(0x30, tlv(0x31, tlv(0x30, '0603550403', '0c0161', '0c0162'))),
    },
    { name: 'bytes behind the name', input: bytesOf(tlv(0x30, tlv(0x31, pair)), '00') },
    {
      name: 'a type that is not minimal',
      input: tlv(0x30, tlv(0x31, tlv(0x30, '060455048003', '0c0161'))),
    },
    { name: 'an indefinite length', input: bytesOf('3080', tlv(0x31, pair), '0000') },
  ]
  for (const { name, input } of CASES) {
    it(name, () => assert.throws(() => decodeName(bytesOf(input)), MALFORMED))
  }
})
