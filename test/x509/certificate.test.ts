// Certificates taken apart: the parts that Node's own reader finds, and none from what is not a
// certificate. Damage of every kind is in fuzz.test.ts.

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { describe, it } from 'node:test'
import { readCertificate } from '../../src/x509/certificate.ts'
import { time, unsigned } from '../../src/x509/der.ts'
import { encodeExtension, keyUsage, notAuthority } from '../../src/x509/extensions.ts'
import { encodeGeneralNames } from '../../src/x509/general-names.ts'
import { decodeName, encodeName } from '../../src/x509/name.ts'
import { ATTRIBUTES, attributeName, EXTENSIONS } from '../../src/x509/oid.ts'
import {
  bytesOf,
  certificateOf,
  commonName,
  extensionOf,
  extensionsOf,
  timeOf,
  tlv,
  type Pieces,
} from '../fixtures/certificate.ts'
import { presentedCertificate } from '../fixtures/presented.ts'
import { randomFrom } from '../fakes/random.ts'
import { x509 } from '../servers/x509.ts'
import { MALFORMED } from './malformed.ts'

const seconds = (text: string): number => Date.parse(text) / 1_000

describe('a certificate', () => {
  it('has the parts that Node finds in it', async () => {
    const der = await presentedCertificate({
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'a.example' }]),
      ],
    })
    const parts = readCertificate(der)
    const node = new X509Certificate(der)
    assert.equal(parts.serialNumber.toString('hex').toUpperCase(), node.serialNumber)
    assert.equal(parts.notBefore, Date.parse(node.validFrom) / 1_000)
    assert.equal(parts.notAfter, Date.parse(node.validTo) / 1_000)
    assert.deepEqual(parts.publicKey, node.publicKey.export({ type: 'spki', format: 'der' }))
    const show = (name: Buffer): string =>
      decodeName(name)
        .map(({ oid, value }) => `${attributeName(oid)}=${value}`)
        .join('\n')
    assert.equal(show(parts.subject), node.subject)
    assert.equal(show(parts.issuer), node.issuer)
    assert.deepEqual(
      parts.extensions.map(({ oid, critical }) => ({ oid, critical })),
      [
        { oid: EXTENSIONS.basicConstraints, critical: true },
        { oid: EXTENSIONS.subjectAltName, critical: false },
      ],
    )
  })

  it('has parts that are views of it', () => {
    const der = certificateOf()
    const { subject, serialNumber } = readCertificate(der)
    assert.ok(subject.buffer === der.buffer && serialNumber.buffer === der.buffer)
  })

  it('may be a view at any offset', () => {
    const der = certificateOf()
    const padded = new Uint8Array(der.length + 9)
    padded.set(der, 5)
    assert.deepEqual(readCertificate(padded.subarray(5, 5 + der.length)), readCertificate(der))
  })

  const CASES: readonly { name: string; input: Pieces }[] = [
    { name: 'no extensions', input: {} },
    { name: 'an empty subject', input: { subject: '3000' } },
    { name: 'an empty list of extensions', input: { extensions: extensionsOf() } },
    { name: 'a serial number of 20 bytes', input: { serialNumber: `0214 7f${'ab'.repeat(19)}` } },
    { name: 'a serial number of zero', input: { serialNumber: '020100' } },
    { name: 'a negative serial number, which old CAs wrote', input: { serialNumber: '0201ff' } },
    { name: 'unique identifiers', input: { uniqueIds: '8102 0055 8202 00aa' } },
    { name: 'one unique identifier', input: { uniqueIds: '8202 00aa' } },
    {
      name: 'a subject of an obsolete type, which is not read here',
      input: { subject: commonName('61', 0x14) },
    },
    {
      name: 'an end beyond 2049',
      input: { validity: tlv(0x30, timeOf('260101000000Z'), timeOf('20500101000000Z')) },
    },
    {
      name: 'no end (RFC 5280 §4.1.2.5)',
      input: { validity: tlv(0x30, timeOf('260101000000Z'), timeOf('99991231235959Z')) },
    },
  ]
  for (const { name, input } of CASES) {
    it(`may have ${name}`, () => {
      const der = certificateOf(input)
      assert.doesNotThrow(() => new X509Certificate(der))
      assert.doesNotThrow(() => readCertificate(der))
    })
  }
})

describe('what is written', () => {
  it('is read by Node as it is read here, whatever it is', () => {
    const random = randomFrom(0xce)
    const oids = [ATTRIBUTES.CN, ATTRIBUTES.O, ATTRIBUTES.OU, ATTRIBUTES.L, ATTRIBUTES.UID]
    const word = (): string =>
      Array.from({ length: 1 + random(20) }, () => random(36).toString(36)).join('')
    for (let round = 0; round < 300; round++) {
      const subject = Array.from({ length: 1 + random(4) }, () => ({
        oid: oids[random(oids.length)] ?? ATTRIBUTES.CN,
        value: word(),
      }))
      const notBefore = seconds('1950-01-01T00:00:00Z') + random(4_000_000_000)
      const notAfter = notBefore + random(4_000_000_000)
      const serial = Buffer.from(Array.from({ length: 1 + random(20) }, () => random(256)))
      const extensions = [notAuthority, keyUsage(['digitalSignature'])]
      const der = certificateOf({
        serialNumber: unsigned(serial),
        subject: encodeName(subject),
        validity: tlv(0x30, time(notBefore), time(notAfter)),
        extensions: extensionsOf(...extensions.map(encodeExtension)),
      })
      const parts = readCertificate(der)
      assert.deepEqual(decodeName(parts.subject), subject)
      assert.deepEqual(parts.extensions, extensions)
      const node = new X509Certificate(der)
      assert.deepEqual(
        {
          subject: node.subject,
          serialNumber: BigInt(`0x${node.serialNumber}`),
          notBefore: Date.parse(node.validFrom) / 1_000,
          notAfter: Date.parse(node.validTo) / 1_000,
          ca: node.ca,
        },
        {
          subject: subject.map(({ oid, value }) => `${attributeName(oid)}=${value}`).join('\n'),
          serialNumber: BigInt(`0x${parts.serialNumber.toString('hex')}`),
          notBefore: parts.notBefore,
          notAfter: parts.notAfter,
          ca: false,
        },
      )
      assert.deepEqual(
        { notBefore: parts.notBefore, notAfter: parts.notAfter },
        { notBefore, notAfter },
      )
    }
  })
})

describe('a certificate that is none', () => {
  const one = extensionOf('551d13', '3000')
  const CASES: readonly { name: string; input: Pieces }[] = [
    { name: 'has bytes behind it', input: { afterAll: '00' } },
    { name: 'has another certificate behind it', input: { afterAll: certificateOf() } },
    { name: 'has something behind its signature', input: { afterSignature: '0500' } },
    { name: 'has something behind its fields', input: { afterFields: '0500' } },
    { name: 'has no signature', input: { signature: '' } },
    { name: 'has a signature that is not a BIT STRING', input: { signature: '0402 0030' } },
    { name: 'has no algorithm', input: { algorithm: '' } },
    { name: 'has no algorithm next to its signature', input: { outerAlgorithm: '' } },
    { name: 'is of version 1 (no field)', input: { version: '' } },
    { name: 'is of version 1', input: { version: 'a003020100' } },
    { name: 'is of version 2', input: { version: 'a003020101' } },
    { name: 'is of version 4', input: { version: 'a003020103' } },
    { name: 'is of version 3 in two bytes', input: { version: 'a00402020002' } },
    { name: 'is of version 3 and more', input: { version: 'a00402020200' } },
    { name: 'is of versions 3 and 1', input: { version: 'a006020102020100' } },
    { name: 'has a version in a primitive tag', input: { version: '8003020102' } },
    { name: 'has no serial number', input: { serialNumber: '' } },
    { name: 'has a serial number of no bytes', input: { serialNumber: '0200' } },
    { name: 'has a serial number with a zero too many', input: { serialNumber: '0202 002a' } },
    {
      name: 'has a negative serial number with a byte too many',
      input: { serialNumber: '0202 ffff' },
    },
    { name: 'has an issuer that is not a SEQUENCE', input: { issuer: '3100' } },
    { name: 'has a subject that is not a SEQUENCE', input: { subject: '0c0161' } },
    { name: 'has a key that is not a SEQUENCE', input: { publicKey: '03020000' } },
    { name: 'has no subject', input: { subject: '' } },
    { name: 'has one time', input: { validity: tlv(0x30, timeOf('260101000000Z')) } },
    {
      name: 'has three times',
      input: { validity: tlv(0x30, ...Array.from({ length: 3 }, () => timeOf('260101000000Z'))) },
    },
    {
      name: 'has a time without seconds',
      input: { validity: tlv(0x30, timeOf('2601010000Z'), timeOf('270101000000Z')) },
    },
    {
      name: 'has a time with an offset',
      input: { validity: tlv(0x30, timeOf('260101000000+0100'), timeOf('270101000000Z')) },
    },
    {
      name: 'has a time of another type',
      input: { validity: tlv(0x30, timeOf('260101000000Z'), timeOf('270101000000Z', 0x16)) },
    },
    { name: 'has a unique identifier twice', input: { uniqueIds: '81020055 81020055' } },
    {
      name: 'has its unique identifiers the wrong way round',
      input: { uniqueIds: '820200aa 81020055' },
    },
    {
      name: 'has unique identifiers behind its extensions',
      input: { extensions: bytesOf(extensionsOf(one), '81020055') },
    },
    { name: 'has an empty field of extensions', input: { extensions: 'a300' } },
    {
      name: 'has two fields of extensions',
      input: { extensions: bytesOf(extensionsOf(one), extensionsOf(one)) },
    },
    {
      name: 'has two lists of extensions',
      input: { extensions: tlv(0xa3, tlv(0x30, one), tlv(0x30, one)) },
    },
    { name: 'has an extension twice', input: { extensions: extensionsOf(one, one) } },
    { name: 'has extensions in a primitive tag', input: { extensions: tlv(0x83, tlv(0x30, one)) } },
    {
      name: 'has extensions under another number',
      input: { extensions: tlv(0xa4, tlv(0x30, one)) },
    },
    {
      name: 'has an extension that is critical as 0x01',
      input: { extensions: extensionsOf(extensionOf('551d13', '3000', '010101')) },
    },
  ]
  for (const { name, input } of CASES) {
    it(name, () => assert.throws(() => readCertificate(certificateOf(input)), MALFORMED))
  }

  it('is cut anywhere', () => {
    const der = certificateOf({ extensions: extensionsOf(one) })
    for (let length = 0; length < der.length; length++) {
      assert.throws(() => readCertificate(der.subarray(0, length)), MALFORMED)
    }
  })

  it('is refused as PEM', () => {
    const pem = new X509Certificate(certificateOf()).toString()
    assert.throws(() => readCertificate(Buffer.from(pem)), MALFORMED)
  })

  it('has an indefinite length', () => {
    const content = certificateOf().subarray(4)
    assert.throws(() => readCertificate(bytesOf('3080', content, '0000')), MALFORMED)
  })
})

const hasOpenssl = spawnSync('openssl', ['version']).status === 0

describe('openssl', { skip: hasOpenssl ? false : 'there is no openssl' }, () => {
  it('parses what is written, and prints it', () => {
    const names = encodeGeneralNames([
      { kind: 'dns', value: 'a.example' },
      { kind: 'uri', value: 'spiffe://a/b' },
      { kind: 'ip', value: '192.0.2.7' },
      { kind: 'upn', value: 'alice@example' },
    ])
    const der = certificateOf({
      subject: encodeName([
        { oid: ATTRIBUTES.CN, value: 'alice,O=admins' },
        { oid: ATTRIBUTES.O, value: 'öps' },
        { oid: ATTRIBUTES.C, value: 'DE' },
      ]),
      extensions: extensionsOf(
        encodeExtension(keyUsage(['digitalSignature', 'keyAgreement'])),
        encodeExtension({ oid: EXTENSIONS.subjectAltName, critical: true, value: names }),
      ),
    })
    const run = (...args: readonly string[]): string =>
      execFileSync('openssl', args, { input: der, encoding: 'utf8' })
    const asn1 = run('asn1parse', '-inform', 'DER')
    assert.match(asn1, /UTF8STRING +:alice,O=admins/)
    assert.match(asn1, /PRINTABLESTRING +:DE/)
    const text = run('x509', '-inform', 'DER', '-noout', '-text', '-nameopt', 'RFC2253')
    assert.match(text, /Subject: C=DE,O=\\C3\\B6ps,CN=alice\\,O=admins/)
    assert.match(text, /Key Usage: critical\s+Digital Signature, Key Agreement\n/)
    assert.match(
      text,
      /Alternative Name: critical\s+DNS:a\.example, URI:spiffe:\/\/a\/b, IP Address:192\.0\.2\.7, othername: UPN::alice@example\n/,
    )
  })
})
