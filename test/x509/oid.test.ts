// Object identifiers: one text for one encoding, both ways.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TAG, readOnly } from '../../src/x509/der.ts'
import {
  attributeName,
  attributeOid,
  ATTRIBUTES,
  EXTENSIONS,
  OID,
  oidElement,
  PURPOSES,
  readOid,
  UPN,
} from '../../src/x509/oid.ts'
import { bytesOf } from '../fixtures/certificate.ts'
import { randomFrom } from '../fakes/random.ts'
import { x509 } from '../servers/x509.ts'
import { MALFORMED, unlessMalformed } from './malformed.ts'

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const contentOf = (oid: string): Buffer => readOnly(oidElement(oid), TAG.oid)

/** The content as @peculiar/x509 writes it. */
const foreign = (oid: string): string => {
  const raw = new x509.ExtendedKeyUsageExtension([oid]).rawData
  const hex = hexOf(new Uint8Array(raw))
  return hex.slice(hex.lastIndexOf(hexOf(contentOf(oid))))
}

describe('an object identifier', () => {
  const CASES = [
    { input: '2.5.4.3', want: '550403' },
    { input: '0.9.2342.19200300.100.1.25', want: '0992268993f22c640119' },
    { input: '1.2.840.113549.1.9.1', want: '2a864886f70d010901' },
    { input: '1.3.6.1.4.1.311.20.2.3', want: '2b060104018237140203' },
    { input: '0.0.0', want: '0000' },
    { input: '0.39.127', want: '277f' },
    { input: '1.0.128', want: '288100' },
    { input: '1.39.16383', want: '4fff7f' },
    { input: '2.0.16384', want: '50818000' },
    { input: '2.47.0', want: '7f00' },
    { input: '2.48.0', want: '810000' }, // the first two arcs need two bytes
    { input: '2.999.3', want: '883703' }, // X.660, for examples
    { input: '2.999999999.999999999', want: '83dceb944f83dceb937f' },
    { input: '2.25.4294967296', want: '699080808000' },
    { input: '2.25.9007199254740991', want: '698fffffffffffff7f' },
  ]
  for (const { input, want } of CASES) {
    it(`${input}, written and read`, () => {
      assert.equal(hexOf(contentOf(input)), want)
      assert.equal(readOid(bytesOf(want)), input)
    })
  }

  it('is written as @peculiar/x509 writes it', () => {
    for (const oid of Object.values({ ...ATTRIBUTES, ...EXTENSIONS, ...PURPOSES, UPN })) {
      assert.equal(hexOf(contentOf(oid)), foreign(oid), oid)
    }
  })

  it('is read as it was written, whatever it is', () => {
    const random = randomFrom(0x1d)
    const arc = (): number => random(2 ** (1 + random(30)))
    for (let round = 0; round < 3_000; round++) {
      const root = random(3)
      const second = root === 2 ? arc() : random(40)
      const oid = [root, second, ...Array.from({ length: 1 + random(20) }, arc)].join('.')
      assert.equal(readOid(contentOf(oid)), oid)
    }
  })

  it('is written as it was read, whatever the bytes', () => {
    const random = randomFrom(0x2d)
    let read = 0
    for (let round = 0; round < 20_000; round++) {
      const bytes = Buffer.from(Array.from({ length: 1 + random(12) }, () => random(256)))
      const oid = unlessMalformed(() => readOid(bytes))
      if (oid === undefined) continue
      read++
      assert.deepEqual(contentOf(oid), bytes, oid)
    }
    assert.ok(read > 2_000, `${read} read`)
  })
})

describe('the content of no object identifier', () => {
  const CASES = [
    { name: 'an empty OID', input: '' },
    { name: 'an arc cut short', input: '5504 83' },
    { name: 'the first arc cut short', input: '88' },
    { name: 'an arc that is not minimal', input: '5504 8003' },
    { name: 'a first arc that is not minimal', input: '80550403' },
    { name: 'an arc of zeros, not minimal', input: '55 808000' },
    { name: 'an arc of 2^53, which a number does not hold', input: '55 9080808080808000' },
    { name: 'an arc of 70 bits', input: `55 ${'ff'.repeat(9)}7f` },
    { name: 'an arc of a megabyte', input: `55 ${'ff'.repeat(1_000_000)}7f` },
  ]
  for (const { name, input } of CASES) {
    it(name, () => assert.throws(() => readOid(bytesOf(input)), MALFORMED))
  }
})

describe('the text of an object identifier', () => {
  const GOOD = [
    '0.0.0',
    '1.2.840',
    '1.39.1',
    '2.999.3',
    '2.5.29.37.0',
    '1.3.999999999',
    `1.3${'.1'.repeat(30)}`,
  ]
  for (const input of GOOD) it(`may be ${input}`, () => assert.match(input, OID))

  const BAD = [
    '',
    '1',
    '1.3',
    '3.1.1',
    '1.40.1',
    '0.40.1',
    '1.3.',
    '.1.3',
    '1..3',
    '1.3.01',
    '01.3.1',
    '1.05.1', // would be a second spelling of 1.5.1
    '1.00.1',
    '2.05.1',
    '1.3.1000000000',
    '1.3.-1',
    '1.3.1e3',
    '1.3.1 ',
    '1.3.1\n',
    '1.3.٣',
    'CN',
    `1.3${'.1'.repeat(31)}`,
  ]
  for (const input of BAD) {
    it(`is not ${JSON.stringify(input).slice(0, 30)}`, () => assert.doesNotMatch(input, OID))
  }
})

describe('the name of an attribute', () => {
  for (const [name, oid] of Object.entries(ATTRIBUTES)) {
    it(`${name} is read as ${oid}, and the other way round`, () => {
      assert.equal(attributeOid(name), oid)
      assert.equal(attributeOid(oid), oid)
      assert.equal(attributeName(oid), name)
    })
  }

  it('is the OID where there is none', () => {
    assert.equal(attributeOid('2.5.4.999'), '2.5.4.999')
    assert.equal(attributeName('2.5.4.999'), '2.5.4.999')
  })

  for (const name of ['cn', 'Cn', 'XX', '', 'constructor', '__proto__', 'toString', '2.5']) {
    it(`is not ${JSON.stringify(name)}`, () => assert.equal(attributeOid(name), undefined))
  }
})
