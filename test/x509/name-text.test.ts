// The text in distinguished names: what cannot be in one, and how one is shown.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  attributeFault,
  decodeName,
  encodeName,
  formatName,
  isAscii,
  type Attribute,
} from '../../src/x509/name.ts'
import { ATTRIBUTES, attributeOid } from '../../src/x509/oid.ts'
import { randomFrom } from '../fakes/random.ts'

const attribute = (name: string, value: string): Attribute => ({
  oid: attributeOid(name) ?? name,
  value,
})

describe('a value of an attribute', () => {
  const CASES = [
    { name: 'any Unicode', input: attribute('CN', 'jürgen ✓ 😀'), want: undefined },
    { name: 'any ASCII', input: attribute('O', 'a,b+c="d"\\<e>;#'), want: undefined },
    { name: 'a kilobyte', input: attribute('CN', 'x'.repeat(1_024)), want: undefined },
    { name: 'a lone surrogate', input: attribute('CN', 'a\ud800'), want: 'not Unicode' },
    {
      name: 'a surrogate the wrong way round',
      input: attribute('O', '\udc00\ud800'),
      want: 'not Unicode',
    },
    { name: 'a country', input: attribute('C', 'DE'), want: undefined },
    {
      name: 'a country in small letters',
      input: attribute('C', 'de'),
      want: 'a country has two letters',
    },
    {
      name: 'a country of three letters',
      input: attribute('C', 'DEU'),
      want: 'a country has two letters',
    },
    {
      name: 'a country with a line break',
      input: attribute('C', 'DE\n'),
      want: 'a country has two letters',
    },
    { name: 'an empty country', input: attribute('C', ''), want: 'a country has two letters' },
    { name: 'a serial number', input: attribute('serialNumber', 'A-1 (x)'), want: undefined },
    {
      name: 'a serial number with @',
      input: attribute('serialNumber', 'a@b'),
      want: 'not a PrintableString',
    },
    {
      name: 'a serial number with *',
      input: attribute('serialNumber', '*'),
      want: 'not a PrintableString',
    },
    {
      name: 'a serial number with a NUL',
      input: attribute('serialNumber', 'a\0'),
      want: 'not a PrintableString',
    },
    {
      name: 'a serial number with a line break',
      input: attribute('serialNumber', 'a\n'),
      want: 'not a PrintableString',
    },
    { name: 'a domain component', input: attribute('DC', 'example'), want: undefined },
    {
      name: 'a domain component beyond ASCII',
      input: attribute('DC', 'bücher'),
      want: 'not ASCII',
    },
    { name: 'a mailbox beyond ASCII', input: attribute('emailAddress', 'ü@x'), want: 'not ASCII' },
    {
      name: 'a mailbox with a lone surrogate',
      input: attribute('emailAddress', '\ud800'),
      want: 'not ASCII',
    },
    {
      name: 'the same by its OID',
      input: { oid: ATTRIBUTES.DC, value: 'bücher' },
      want: 'not ASCII',
    },
    { name: 'an unknown attribute type', input: attribute('2.5.4.999', 'ü'), want: undefined },
  ]
  for (const { name, input, want } of CASES) {
    it(`${want === undefined ? 'may' : 'cannot'} be ${name}`, () => {
      assert.equal(attributeFault(input), want)
      if (want === undefined) assert.deepEqual(decodeName(encodeName([input])), [input])
    })
  }
})

describe('ASCII', () => {
  for (const text of ['', 'a', '\0', '\u007f', 'a\nb']) {
    it(`is ASCII text: ${JSON.stringify(text)}`, () => assert.ok(isAscii(text)))
  }
  for (const text of ['\u0080', 'ü', 'a\nü', '😀', '\ud800', '\u2028']) {
    it(`is not ASCII text: ${JSON.stringify(text)}`, () => assert.ok(!isAscii(text)))
  }
})

describe('a name as text', () => {
  it('has the last attribute first (RFC 4514 §2)', () => {
    const name = [attribute('DC', 'org'), attribute('O', 'ops'), attribute('CN', 'alice')]
    assert.equal(formatName(name), 'CN=alice,O=ops,DC=org')
  })

  it('is empty when the name is', () => assert.equal(formatName([]), ''))

  it('has OIDs for what has no name', () => {
    assert.equal(formatName([attribute('2.5.4.999', 'x')]), '2.5.4.999=x')
  })

  // RFC 4514 §2.4, and beyond it what a terminal would obey.
  const CASES = [
    { name: 'plain text', input: 'alice', want: 'alice' },
    { name: 'an empty text', input: '', want: '' },
    { name: 'text beyond ASCII', input: 'Jürgen 😀', want: 'Jürgen 😀' },
    { name: 'a comma', input: 'a,O=admins', want: String.raw`a\,O=admins` },
    { name: 'a plus sign', input: 'a+O=admins', want: String.raw`a\+O=admins` },
    { name: 'a quote', input: 'a"b', want: String.raw`a\"b` },
    { name: 'a backslash', input: 'a\\b', want: String.raw`a\\b` },
    { name: 'angle brackets', input: '<b>', want: String.raw`\<b\>` },
    { name: 'a semicolon', input: 'a;b', want: String.raw`a\;b` },
    { name: 'an equals sign, which needs none', input: 'a=b', want: 'a=b' },
    { name: 'a number sign in front', input: '#04', want: String.raw`\#04` },
    { name: 'a number sign elsewhere', input: 'a#b', want: 'a#b' },
    { name: 'space in front', input: ' a', want: String.raw`\ a` },
    { name: 'a trailing space', input: 'a ', want: String.raw`a\ ` },
    { name: 'space on both sides', input: ' a ', want: String.raw`\ a\ ` },
    { name: 'a single space alone', input: ' ', want: String.raw`\ ` },
    { name: 'two spaces alone', input: '  ', want: String.raw`\ \ ` },
    { name: 'spaces within the text', input: 'a  b', want: 'a  b' },
    { name: 'a NUL character', input: 'admin\0', want: String.raw`admin\00` },
    { name: 'a line break', input: 'a\r\nCN=b', want: String.raw`a\0d\0aCN=b` },
    { name: 'an escape sequence', input: '\u001b[2J', want: String.raw`\1b[2J` },
    { name: 'a C1 control character', input: 'a\u0085b', want: String.raw`a\c2\85b` },
    { name: 'a right-to-left override', input: 'a\u202ecod', want: String.raw`a\e2\80\aecod` },
    { name: 'a zero-width space', input: 'a\u200bb', want: String.raw`a\e2\80\8bb` },
    { name: 'a byte order mark', input: '\ufeffa', want: String.raw`\ef\bb\bfa` },
    { name: 'a tag character', input: 'a\u{e0041}', want: String.raw`a\f3\a0\81\81` },
    { name: 'escapes of its own', input: String.raw`\2c`, want: String.raw`\\2c` },
  ]
  for (const { name, input, want } of CASES) {
    it(`escapes ${name}`, () => assert.equal(formatName([attribute('CN', input)]), `CN=${want}`))
  }

  it('is on one line, in one reading, whatever is in it', () => {
    const random = randomFrom(0x45)
    const units = [
      ',',
      '+',
      '"',
      '\\',
      '#',
      ' ',
      ';',
      '=',
      '<',
      '\0',
      '\n',
      '\u202e',
      'a',
      'ü',
      '0',
    ]
    for (let round = 0; round < 2_000; round++) {
      const value = Array.from({ length: random(8) }, () => units[random(units.length)]).join('')
      const text = formatName([attribute('CN', value)])
      assert.doesNotMatch(text, /[\p{Cc}\p{Cf}]/u)
      assert.equal(unescape4514(text.slice('CN='.length)), value)
    }
  })
})

/** The value that RFC 4514 §3 yields for an escaped one. */
const unescape4514 = (text: string): string => {
  const bytes: Buffer[] = []
  for (const [, pair, special, plain] of text.matchAll(/\\([0-9a-f]{2})|\\(.)|([^\\])/gsu)) {
    bytes.push(pair === undefined ? Buffer.from(special ?? plain ?? '') : Buffer.from(pair, 'hex'))
  }
  return Buffer.concat(bytes).toString()
}
