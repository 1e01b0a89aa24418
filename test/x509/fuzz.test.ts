// Random and damaged input to everything that reads DER: a result or `malformed-certificate`, soon;
// and where Node takes the same bytes for a certificate, the same certificate.

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { describe, it } from 'node:test'
import { readCertificate, type CertificateParts } from '../../src/x509/certificate.ts'
import { DerReader, readTime } from '../../src/x509/der.ts'
import {
  decodeExtendedKeyUsage,
  decodeExtensions,
  decodeIsAuthority,
  decodeKeyUsage,
  decodePolicies,
} from '../../src/x509/extensions.ts'
import { decodeGeneralNames } from '../../src/x509/general-names.ts'
import { decodeName, formatName, type Attribute } from '../../src/x509/name.ts'
import { EXTENSIONS, readOid } from '../../src/x509/oid.ts'
import { certificateOf, commonName } from '../fixtures/certificate.ts'
import { presentedCertificate } from '../fixtures/presented.ts'
import { randomFrom } from '../fakes/random.ts'
import { x509 } from '../servers/x509.ts'
import { unlessMalformed } from './malformed.ts'
import { cpuTime } from '../fakes/cpu-time.ts'

type Random = ReturnType<typeof randomFrom>

const READERS = {
  readCertificate,
  readOid,
  decodeName,
  decodeGeneralNames,
  decodeExtensions,
  decodeKeyUsage,
  decodeExtendedKeyUsage,
  decodeIsAuthority,
  decodePolicies,
  readTime: (bytes: Buffer) => readTime(new DerReader(bytes).next()),
} satisfies Readonly<Record<string, (bytes: Buffer) => unknown>>

/** Everything that can be read out of a certificate. */
const readAll = (parts: CertificateParts): void => {
  for (const name of [parts.subject, parts.issuer]) {
    const attributes = unlessMalformed(() => decodeName(name))
    if (attributes !== undefined) assert.doesNotMatch(formatName(attributes), /[\p{Cc}\p{Cf}]/u)
  }
  for (const { value } of parts.extensions) {
    for (const read of Object.values(READERS)) unlessMalformed(() => read(value))
  }
}

/** One to three edits: a changed byte, a cut, bytes taken out, bytes repeated, a changed bit. */
const damage = (sample: Buffer, random: Random): Buffer => {
  let bytes = Buffer.from(sample)
  for (let edits = 1 + random(3); edits > 0 && bytes.length > 0; edits--) {
    const at = random(bytes.length)
    const size = random(8)
    switch (random(8)) {
      case 0:
        bytes = bytes.subarray(0, at)
        break
      case 1:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + size)])
        break
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at + size), bytes.subarray(at)])
        break
      case 3:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8))
        break
      default: // lengths are kept more often than not, so that the damage is inside
        bytes[at] = random(256)
    }
  }
  return bytes
}

const samples = [
  certificateOf(),
  await presentedCertificate(),
  await presentedCertificate({
    subject: [{ C: 'DE' }, { DC: 'example' }, { CN: 'jürgen' }, { E: 'a@b' }],
    notAfter: new Date('2050-01-01T00:00:00Z'),
    extensions: [
      new x509.BasicConstraintsExtension(true, 3, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.2']),
      new x509.CertificatePolicyExtension(['1.3.6.1.4.1.99999.1']),
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'a.example' },
        { type: 'url', value: 'spiffe://a/b' },
        { type: 'ip', value: '2001:db8::7' },
        { type: 'upn', value: 'alice@example' },
        { type: 'dn', value: 'CN=x' },
      ]),
      new x509.SubjectKeyIdentifierExtension('0102'),
    ],
  }),
]

const opened = (der: Buffer): X509Certificate | undefined => {
  try {
    return new X509Certificate(der)
  } catch {
    return undefined
  }
}

/** The INTEGER as Node prints it. */
const serialNumber = (content: Buffer): string => {
  const value = BigInt(`0x${content.toString('hex')}`)
  if (value === 0n) return '0'
  const negative = ((content[0] ?? 0) & 0x80) !== 0
  const text = (negative ? (1n << BigInt(content.length * 8)) - value : value).toString(16)
  return (negative ? '-' : '') + text.padStart(text.length + (text.length % 2), '0').toUpperCase()
}

/** The values of a name, if they hold nothing that Node escapes. */
const plainValues = (attributes: readonly Attribute[]): readonly string[] | undefined => {
  const values = attributes.map(({ value }) => value)
  return values.every((value) => /^[a-z]+$/i.test(value)) ? values : undefined
}

describe('random bytes', () => {
  it('are malformed to every reader, or are read', () => {
    const random = randomFrom(0xf0)
    for (let round = 0; round < 4_000; round++) {
      const bytes = Buffer.from(Array.from({ length: random(40) }, () => random(256)))
      // Something to begin with, or hardly anything would get past the first byte.
      if (random(2) === 0 && bytes.length > 1) {
        bytes[0] = [0x30, 0x06, 0x03, 0x17, 0x18][random(5)] ?? 0
        bytes[1] = bytes.length - 2
      }
      for (const read of Object.values(READERS)) unlessMalformed(() => read(bytes))
    }
  })

  it('are read soon, however many they are', () => {
    const started = cpuTime()
    const length = 250_000
    for (const byte of [0x00, 0x05, 0x30, 0x80, 0xa0, 0xff]) {
      const bytes = Buffer.alloc(length, byte)
      for (const read of Object.values(READERS)) unlessMalformed(() => read(bytes))
    }
    // Empty elements in a frame that fits.
    const framed = Buffer.concat([
      Buffer.from('3083020000', 'hex'),
      Buffer.alloc(0x2_00_00, '3000', 'hex'),
    ])
    for (const read of Object.values(READERS)) unlessMalformed(() => read(framed))
    assert.ok(cpuTime() - started < 5_000)
  })

  it('nested deep do not overflow the stack', () => {
    let nested = Buffer.alloc(0)
    for (let depth = 0; depth < 2_000; depth++) nested = Buffer.concat([header(nested), nested])
    for (const read of Object.values(READERS)) unlessMalformed(() => read(nested))
  })
})

const header = ({ length }: Buffer): Buffer =>
  length < 0x80
    ? Buffer.of(0x30, length)
    : length < 0x1_00
      ? Buffer.of(0x30, 0x81, length)
      : Buffer.of(0x30, 0x82, length >> 8, length & 0xff)

describe('a damaged certificate', () => {
  it('is malformed, or is read as Node reads it', () => {
    const random = randomFrom(0xf1)
    const rounds = 6_000
    let read = 0
    let compared = 0
    for (let round = 0; round < rounds; round++) {
      const bytes = damage(samples[round % samples.length] ?? Buffer.alloc(0), random)
      const parts = unlessMalformed(() => readCertificate(bytes))
      if (parts === undefined) continue
      read++
      readAll(parts)
      const node = opened(bytes)
      if (node === undefined) continue
      const attributes = unlessMalformed(() => decodeName(parts.subject))
      const values = attributes === undefined ? undefined : plainValues(attributes)
      const hex = bytes.toString('hex')
      assert.equal(serialNumber(parts.serialNumber), node.serialNumber, hex)
      assert.equal(parts.notBefore, Date.parse(node.validFrom) / 1_000, hex)
      assert.equal(parts.notAfter, Date.parse(node.validTo) / 1_000, hex)
      if (values === undefined) continue
      compared++
      // Node has more short names for types than we; "+" joins what shares a relative name.
      const found = node.subject.split(/\n|\+/).map((line) => line.replace(/^[^=]*=/, ''))
      assert.deepEqual(found, values, hex)
    }
    // That many are read shows that the damage is not too gross to matter.
    assert.ok(read > rounds / 20 && read < rounds, `${read} of ${rounds} read`)
    assert.ok(compared > rounds / 100, `${compared} of ${rounds} compared`)
  })

  it('never has an extension that says CA where Node sees none, nor the reverse', () => {
    const random = randomFrom(0xf2)
    const [, , sample = Buffer.alloc(0)] = samples
    let both = 0
    for (let round = 0; round < 4_000; round++) {
      const bytes = damage(sample, random)
      const parts = unlessMalformed(() => readCertificate(bytes))
      const node = opened(bytes)
      if (parts === undefined || node === undefined) continue
      const constraints = parts.extensions.find(({ oid }) => oid === EXTENSIONS.basicConstraints)
      if (constraints === undefined) continue
      const isAuthority = unlessMalformed(() => decodeIsAuthority(constraints.value))
      if (isAuthority === undefined) continue
      both++
      // Node asks for the key usage too, which decides alone where it is present.
      if (node.ca) assert.ok(isAuthority, bytes.toString('hex'))
    }
    assert.ok(both > 200, `${both} compared`)
  })

  it('is refused for any changed bit of its frame', () => {
    // Tags and lengths of the certificate, of what is signed, and of the version.
    const der = certificateOf({ subject: commonName(Buffer.from('x'.repeat(200))) })
    for (let at = 0; at < 13; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const bytes = Buffer.from(der)
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
        assert.equal(
          unlessMalformed(() => readCertificate(bytes)),
          undefined,
          `bit ${bit} of byte ${at}`,
        )
      }
    }
  })
})
