// DER: what is written, and that only that is read.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  bitString,
  context,
  DerReader,
  element,
  readInteger,
  readOnly,
  readTime,
  readTrue,
  sequence,
  TAG,
  time,
  unsigned,
} from '../../src/x509/der.ts'
import { bytesOf, timeOf, tlv } from '../fixtures/certificate.ts'
import { randomFrom } from '../fakes/random.ts'
import { MALFORMED } from './malformed.ts'

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('the length of an element', () => {
  const CASES = [
    { input: 0, want: '0400' },
    { input: 1, want: '0401' },
    { input: 0x7f, want: '047f' },
    { input: 0x80, want: '048180' },
    { input: 0xff, want: '0481ff' },
    { input: 0x1_00, want: '04820100' },
    { input: 0xff_ff, want: '0482ffff' },
    { input: 0x1_00_00, want: '0483010000' },
    { input: 0x12_34_56, want: '0483123456' },
    { input: 0x1_00_00_00, want: '048401000000' },
  ]
  for (const { input, want } of CASES) {
    it(`of ${input} bytes`, () => {
      const content = Buffer.alloc(input, 0xab)
      const whole = element(TAG.octetString, content)
      assert.equal(hexOf(whole.subarray(0, whole.length - input)), want)
      const reader = new DerReader(whole)
      assert.deepEqual(reader.next(), { tag: TAG.octetString, content, whole })
      assert.ok(!reader.more)
    })
  }
})

describe('what is written', () => {
  const CASES = [
    { name: 'an empty SEQUENCE', input: sequence(), want: '3000' },
    {
      name: 'elements in order',
      input: sequence(unsigned(Buffer.of(1)), sequence()),
      want: '3005 020101 3000',
    },
    { name: 'a context tag', input: element(context(3, 'constructed')), want: 'a300' },
    { name: 'a primitive context tag', input: element(context(2, 'primitive')), want: '8200' },
    { name: 'the number zero', input: unsigned(Buffer.of(0)), want: '02 01 00' },
    { name: 'zero from nothing but zeros', input: unsigned(Buffer.alloc(4)), want: '02 01 00' },
    {
      name: 'an INTEGER without leading zeros',
      input: unsigned(Buffer.of(0, 0, 5)),
      want: '02 01 05',
    },
    {
      name: 'an INTEGER that would look negative',
      input: unsigned(Buffer.of(0x80)),
      want: '02 02 0080',
    },
    {
      name: 'an INTEGER that keeps its one zero',
      input: unsigned(Buffer.of(0, 0xff)),
      want: '02 02 00ff',
    },
    { name: 'a BIT STRING', input: bitString(Buffer.of(1, 2)), want: '03 03 00 0102' },
  ]
  for (const { name, input, want } of CASES) {
    it(name, () => assert.equal(hexOf(input), hexOf(bytesOf(want))))
  }
})

describe('an element that DER does not have', () => {
  const CASES = [
    { name: 'an empty input', input: '', want: /cut short/ },
    { name: 'a tag alone', input: '30', want: /cut short/ },
    { name: 'content cut short', input: '04 02 00', want: /cut short/ },
    { name: 'a length cut short', input: '04 82 01', want: /cut short/ },
    { name: 'a length beyond the end of all', input: '04 83 ffffff 00', want: /cut short/ },
    { name: 'an indefinite length', input: '30 80 020101 0000', want: /a length that DER/ },
    { name: 'a length of 127 bytes', input: '04 ff 00', want: /a length that DER/ },
    {
      name: 'a length of four bytes, not minimal',
      input: '04 84 00000001 00',
      want: /not minimal/,
    },
    {
      name: 'a length of four bytes that exceeds the input',
      input: '04 84 ffffffff',
      want: /cut short/,
    },
    {
      name: 'a length of 126 bytes that exceeds the input',
      input: `04 fe ${'ff'.repeat(126)}`,
      want: /cut short/,
    },
    {
      name: 'a length of 126 bytes for one byte',
      input: `04 fe ${'00'.repeat(125)}01 00`,
      want: /not minimal/,
    },
    { name: 'a long form for a short length', input: '04 81 01 00', want: /not minimal/ },
    { name: 'a long form for 127', input: `04 81 7f ${'00'.repeat(127)}`, want: /not minimal/ },
    {
      name: 'a zero before a length',
      input: `04 82 0080 ${'00'.repeat(128)}`,
      want: /not minimal/,
    },
    {
      name: 'two zeros before a length',
      input: `04 83 000080 ${'00'.repeat(128)}`,
      want: /not minimal/,
    },
    {
      name: 'a zero before two bytes',
      input: `04 83 000100 ${'00'.repeat(256)}`,
      want: /not minimal/,
    },
    { name: 'a tag of several bytes', input: '1f 01 00', want: /a tag of more than one byte/ },
    {
      name: 'a context tag of several bytes',
      input: 'bf 81 00 00',
      want: /a tag of more than one byte/,
    },
  ]
  for (const { name, input, want } of CASES) {
    it(name, () => {
      assert.throws(() => new DerReader(bytesOf(input)).next(), { ...MALFORMED, message: want })
    })
  }

  it('within one that is, when it reaches beyond it', () => {
    const reader = new DerReader(bytesOf('30 03 040200 ff')).enter(TAG.sequence)
    assert.throws(() => reader.next(), { ...MALFORMED, message: /cut short/ })
  })
})

describe('a reader', () => {
  it('gives elements one after another, as views', () => {
    const bytes = bytesOf('020105 0c0161 3000')
    const reader = new DerReader(bytes)
    assert.equal(reader.tag, TAG.integer)
    assert.equal(hexOf(reader.expect(TAG.integer)), '05')
    const { content } = reader.next()
    assert.equal(content.buffer, bytes.buffer)
    assert.equal(reader.tag, TAG.sequence)
    assert.ok(!reader.enter(TAG.sequence).more)
    assert.equal(reader.tag, undefined)
    reader.end()
  })

  it('takes a view at any offset', () => {
    const padded = new Uint8Array([0xff, 0xff, 0x02, 0x01, 0x05, 0xff])
    assert.equal(hexOf(readOnly(padded.subarray(2, 5), TAG.integer)), '05')
  })

  it('does not take one tag for another', () => {
    for (const [input, tag] of [
      ['24 03 040105', TAG.octetString], // a constructed string, which BER has
      ['10 00', TAG.sequence],
      ['80 01 05', TAG.integer],
      ['0c 01 61', TAG.printableString],
    ] as const) {
      const reader = new DerReader(bytesOf(input))
      assert.throws(() => reader.expect(tag), { ...MALFORMED, message: /^malformed.*tag 0x/ })
    }
  })

  it('says what follows the last element', () => {
    assert.throws(() => readOnly(bytesOf('3000 00'), TAG.sequence), MALFORMED)
    assert.throws(() => readOnly(bytesOf('3000 3000'), TAG.sequence), MALFORMED)
    assert.equal(readOnly(bytesOf('3000'), TAG.sequence).length, 0)
  })

  it('reads what was written, whatever it is', () => {
    const random = randomFrom(0xde4)
    const tree = (depth: number): Buffer => {
      if (depth === 0 || random(3) === 0) {
        return element(TAG.octetString, Buffer.alloc(random(300), random(256)))
      }
      return sequence(...Array.from({ length: random(5) }, () => tree(depth - 1)))
    }
    const rewrite = (bytes: Buffer): Buffer => {
      const reader = new DerReader(bytes)
      const elements: Buffer[] = []
      while (reader.more) {
        const { tag, content, whole } = reader.next()
        const again = element(tag, tag === TAG.sequence ? rewrite(content) : content)
        assert.deepEqual(again, whole)
        elements.push(again)
      }
      return Buffer.concat(elements)
    }
    for (let round = 0; round < 200; round++) {
      const bytes = tree(5)
      assert.deepEqual(rewrite(bytes), bytes)
    }
  })
})

describe('a BOOLEAN', () => {
  it('is TRUE as 0xff', () => assert.equal(readTrue(Buffer.of(0xff)), true))
  for (const input of ['00', '01', '7f', 'fe', '', 'ffff', '00ff']) {
    it(`is not 0x${input}`, () => assert.throws(() => readTrue(bytesOf(input)), MALFORMED))
  }
})

describe('an INTEGER', () => {
  for (const input of ['00', '01', '7f', '80', 'ff', '0080', '00ff', 'ff7f', '010000', 'ff00']) {
    it(`may be 0x${input}`, () => assert.equal(hexOf(readInteger(bytesOf(input))), input))
  }
  for (const input of ['', '0000', '0001', '007f', 'ff80', 'ffff', '000080']) {
    it(`is not 0x${input}`, () => assert.throws(() => readInteger(bytesOf(input)), MALFORMED))
  }
})

const at = (text: string): number => Date.parse(text) / 1_000

describe('a time', () => {
  const CASES = [
    { input: '2026-01-02T03:04:05Z', want: '260102030405Z' },
    { input: '1950-01-01T00:00:00Z', want: '500101000000Z' },
    { input: '1970-01-01T00:00:00Z', want: '700101000000Z' },
    { input: '1999-12-31T23:59:59Z', want: '991231235959Z' },
    { input: '2000-02-29T12:00:00Z', want: '000229120000Z' },
    { input: '2049-12-31T23:59:59Z', want: '491231235959Z' },
    { input: '2050-01-01T00:00:00Z', want: '20500101000000Z' },
    { input: '2100-02-28T23:59:59Z', want: '21000228235959Z' },
    { input: '9999-12-31T23:59:59Z', want: '99991231235959Z' },
    { input: '1949-12-31T23:59:59Z', want: '19491231235959Z' },
  ]
  for (const { input, want } of CASES) {
    it(`of ${input} is ${want.length < 15 ? 'UTCTime' : 'GeneralizedTime'}, and is read back`, () => {
      const written = time(at(input))
      assert.equal(hexOf(written), hexOf(timeOf(want)))
      assert.equal(readTime(new DerReader(written).next()), at(input))
    })
  }

  it('is read back, whatever second it is', () => {
    const random = randomFrom(2_049)
    for (let round = 0; round < 2_000; round++) {
      const seconds = at('1950-01-01T00:00:00Z') + random(4_294_967_295)
      assert.equal(readTime(new DerReader(time(seconds)).next()), seconds)
    }
  })

  it('is read as GeneralizedTime also where UTCTime would do', () => {
    const early = new DerReader(timeOf('20260102030405Z')).next()
    assert.equal(readTime(early), at('2026-01-02T03:04:05Z'))
  })
})

describe('a time that RFC 5280 does not have', () => {
  const CASES = [
    { name: 'UTCTime without seconds', input: timeOf('2601020304Z') },
    { name: 'UTCTime with an offset', input: timeOf('260102030405+0100') },
    { name: 'UTCTime with an offset of nothing', input: timeOf('260102030405+0000', 0x17) },
    { name: 'UTCTime without a zone', input: timeOf('260102030405') },
    { name: 'UTCTime with four digits of a year', input: timeOf('20260102030405Z', 0x17) },
    { name: 'GeneralizedTime with two digits of a year', input: timeOf('260102030405Z', 0x18) },
    { name: 'GeneralizedTime with fractions', input: timeOf('20500101000000.5Z') },
    { name: 'GeneralizedTime with an offset', input: timeOf('20500101000000+0100') },
    { name: 'GeneralizedTime without a zone', input: timeOf('20500101000000', 0x18) },
    { name: 'a small z', input: timeOf('260102030405z') },
    { name: 'a line break behind', input: timeOf('260102030405Z\n', 0x17) },
    { name: 'a NUL behind', input: timeOf('260102030405Z\0', 0x17) },
    { name: 'space for a zero', input: timeOf('2601020304 5Z') },
    { name: 'an empty input', input: timeOf('', 0x17) },
    { name: 'digits of another script', input: tlv(0x17, Buffer.from('٢60102030405Z')) },
    { name: 'a string instead of a time', input: tlv(0x13, Buffer.from('260102030405Z')) },
    { name: 'a time in month 13', input: timeOf('261301000000Z') },
    { name: 'a time in month 0', input: timeOf('260001000000Z') },
    { name: 'a time on day 0', input: timeOf('260100000000Z') },
    { name: 'a time on 30 February', input: timeOf('260230000000Z') },
    { name: '29 February of no leap year', input: timeOf('21000229000000Z') },
    { name: 'a time on 31 April', input: timeOf('260431000000Z') },
    { name: 'a time at 24 o’clock', input: timeOf('260101240000Z') },
    { name: 'a time in minute 60', input: timeOf('260101006000Z') },
    { name: 'a leap second', input: timeOf('161231235960Z') },
    { name: 'the year 0', input: timeOf('00000101000000Z') },
    { name: 'the year 50, for which JavaScript knows 1950', input: timeOf('00500101000000Z') },
  ]
  for (const { name, input } of CASES) {
    it(name, () => {
      const read = () => readTime(new DerReader(input).next())
      assert.throws(read, { ...MALFORMED, message: /a time that/ })
    })
  }
})
