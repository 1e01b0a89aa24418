// Extensions: what is written is compared with other writers, what is read with other readers.

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { describe, it } from 'node:test'
import {
  authorityKeyIdentifier,
  certificatePolicies,
  decodeExtendedKeyUsage,
  decodeExtensions,
  decodeIsAuthority,
  decodeKeyUsage,
  decodePolicies,
  encodeExtension,
  extendedKeyUsage,
  KEY_USAGES,
  keyUsage,
  notAuthority,
  subjectKeyIdentifier,
  type Extension,
  type KeyUsage,
} from '../../src/x509/extensions.ts'
import { PURPOSES } from '../../src/x509/oid.ts'
import { bytesOf, certificateOf, extensionOf, tlv, type Bytes } from '../fixtures/certificate.ts'
import { x509 } from '../servers/x509.ts'
import { MALFORMED } from './malformed.ts'

const hexOf = (bytes: ArrayBuffer | Uint8Array): string =>
  Buffer.from(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes).toString('hex')

const POLICIES = ['2.5.29.32.0', '1.3.6.1.4.1.99999.1']
const IDENTIFIER = Buffer.from('0102030405060708090a0b0c0d0e0f1011121314', 'hex')

describe('an extension is written as @peculiar/x509 writes it', () => {
  const CASES: readonly {
    name: string
    input: Extension
    want: InstanceType<typeof x509.Extension>
  }[] = [
    {
      name: 'basic constraints of no CA',
      input: notAuthority,
      want: new x509.BasicConstraintsExtension(false, undefined, true),
    },
    {
      name: 'extended key usage',
      input: extendedKeyUsage([PURPOSES.clientAuth, '1.3.6.1.4.1.99999.1']),
      want: new x509.ExtendedKeyUsageExtension([PURPOSES.clientAuth, '1.3.6.1.4.1.99999.1']),
    },
    {
      name: 'certificate policies',
      input: certificatePolicies(POLICIES),
      want: new x509.CertificatePolicyExtension(POLICIES),
    },
    {
      name: 'the subject’s key identifier',
      input: subjectKeyIdentifier(IDENTIFIER),
      want: new x509.SubjectKeyIdentifierExtension(IDENTIFIER.toString('hex')),
    },
    {
      name: 'the authority’s key identifier',
      input: authorityKeyIdentifier(IDENTIFIER),
      want: new x509.AuthorityKeyIdentifierExtension(IDENTIFIER.toString('hex')),
    },
    {
      name: 'one of the caller’s choice',
      input: { oid: '1.3.6.1.4.1.99999.2', critical: true, value: bytesOf('0c0161') },
      want: new x509.Extension('1.3.6.1.4.1.99999.2', true, Uint8Array.of(0x0c, 1, 0x61).buffer),
    },
  ]
  for (const { name, input, want } of CASES) {
    it(`is written as @peculiar/x509 writes ${name}`, () => {
      assert.equal(hexOf(encodeExtension(input)), hexOf(want.rawData))
      assert.deepEqual(decodeExtensions(tlv(0x30, encodeExtension(input))), [input])
    })
  }
})

describe('key usage', () => {
  const BYTES: readonly { input: readonly KeyUsage[]; want: string }[] = [
    { input: ['digitalSignature'], want: '03020780' },
    { input: ['nonRepudiation'], want: '03020640' },
    { input: ['digitalSignature', 'keyEncipherment'], want: '030205a0' },
    { input: ['encipherOnly'], want: '03020001' },
    { input: ['decipherOnly'], want: '0303070080' },
    { input: ['digitalSignature', 'decipherOnly'], want: '0303078080' },
    { input: KEY_USAGES, want: '030307ff80' },
  ]
  for (const { input, want } of BYTES) {
    it(`of ${input.join(', ')} has its bytes, in any order`, () => {
      assert.equal(hexOf(keyUsage(input).value), want)
      assert.equal(hexOf(keyUsage(input.toReversed()).value), want)
      assert.deepEqual(decodeKeyUsage(bytesOf(want)), input)
    })
  }

  it('is what @peculiar/x509 reads, for every set of usages', () => {
    for (let set = 1; set < 1 << KEY_USAGES.length; set++) {
      const usages = KEY_USAGES.filter((_, bit) => (set & (1 << bit)) !== 0)
      const { value, critical } = keyUsage(usages)
      assert.ok(critical)
      const foreign = new x509.KeyUsagesExtension(
        Uint8Array.from(encodeExtension(keyUsage(usages))).buffer,
      )
      assert.equal(foreign.usages, set)
      assert.deepEqual(decodeKeyUsage(value), usages)
    }
  })

  it('is read with zeros behind, which old CAs write', () => {
    assert.deepEqual(decodeKeyUsage(bytesOf('03 02 00 a0')), [
      'digitalSignature',
      'keyEncipherment',
    ])
  })

  const HOSTILE: readonly { name: string; input: Bytes }[] = [
    { name: 'an empty input', input: '' },
    { name: 'a bit string without bits', input: '03 01 00' },
    { name: 'not even the number of spare bits', input: '03 00' },
    { name: 'a bit string of three bytes', input: '03 04 00 808080' },
    { name: 'eight spare bits', input: '03 02 08 80' },
    { name: 'spare bits that are set', input: '03 02 07 c0' },
    { name: 'an OCTET STRING', input: '04 02 07 80' },
    { name: 'a constructed string', input: '23 04 03 02 07 80' },
    { name: 'an element with trailing bytes', input: '03 02 07 80 00' },
  ]
  for (const { name, input } of HOSTILE) {
    it(`is not ${name}`, () => assert.throws(() => decodeKeyUsage(bytesOf(input)), MALFORMED))
  }
})

describe('extended key usage', () => {
  const extension = extendedKeyUsage([PURPOSES.clientAuth, PURPOSES.smartcardLogon])

  it('is read as it was written, in order', () => {
    assert.deepEqual(decodeExtendedKeyUsage(extension.value), [
      PURPOSES.clientAuth,
      PURPOSES.smartcardLogon,
    ])
  })

  it('says the same to OpenSSL', () => {
    const { keyUsage: purposes } = new X509Certificate(
      certificateOf({ extensions: tlv(0xa3, tlv(0x30, encodeExtension(extension))) }),
    )
    assert.deepEqual(purposes, [PURPOSES.clientAuth, PURPOSES.smartcardLogon])
  })

  const HOSTILE: readonly { name: string; input: Bytes }[] = [
    { name: 'an empty input', input: '' },
    { name: 'an empty SEQUENCE', input: '3000' },
    { name: 'one OID without a SEQUENCE', input: '06 03 550403' },
    { name: 'a text instead of an OID', input: tlv(0x30, '0c0161') },
    { name: 'an empty OID', input: tlv(0x30, '0600') },
    { name: 'an OID that is not minimal', input: tlv(0x30, '06 04 55048003') },
    { name: 'an element with trailing bytes', input: bytesOf(extension.value, '00') },
  ]
  for (const { name, input } of HOSTILE) {
    it(`is not ${name}`, () => {
      assert.throws(() => decodeExtendedKeyUsage(bytesOf(input)), MALFORMED)
    })
  }
})

describe('policies', () => {
  it('are read as they were written, in order', () => {
    assert.deepEqual(decodePolicies(certificatePolicies(POLICIES).value), POLICIES)
  })

  it('are read without their qualifiers', () => {
    const qualified = tlv(
      0x30,
      tlv(0x30, '0604551d2000', tlv(0x30, tlv(0x30, '0608 2b06010505070201', '160161'))),
    )
    assert.deepEqual(decodePolicies(qualified), ['2.5.29.32.0'])
  })

  const HOSTILE: readonly { name: string; input: Bytes }[] = [
    { name: 'an empty SEQUENCE', input: '3000' },
    { name: 'a policy that is empty', input: '3002 3000' },
    { name: 'an OID alone', input: '3006 0604551d2000' },
    { name: 'an element with trailing bytes', input: '3008 3006 0604551d2000 00' },
  ]
  for (const { name, input } of HOSTILE) {
    it(`are not ${name}`, () => assert.throws(() => decodePolicies(bytesOf(input)), MALFORMED))
  }
})

describe('basic constraints', () => {
  const CASES = [
    { name: 'nothing at all', input: '3000', want: false },
    { name: 'a path length alone', input: '3003 020100', want: false },
    { name: 'a CA certificate', input: '3003 0101ff', want: true },
    { name: 'a CA with a path length', input: '3006 0101ff 020100', want: true },
  ]
  for (const { name, input, want } of CASES) {
    it(`of ${name} say ${want ? 'CA' : 'no CA'}`, () => {
      assert.equal(decodeIsAuthority(bytesOf(input)), want)
      const certificate = certificateOf({
        extensions: tlv(0xa3, tlv(0x30, extensionOf('551d13', input, '0101ff'))),
      })
      assert.equal(new X509Certificate(certificate).ca, want)
    })
  }

  const HOSTILE: readonly { name: string; input: Bytes }[] = [
    { name: 'an empty input', input: '' },
    { name: 'FALSE in so many words', input: '3003 010100' },
    { name: 'TRUE as 0x01', input: '3003 010101' },
    { name: 'TRUE in two bytes', input: '3004 0102ffff' },
    { name: 'a path length in front', input: '3006 020100 0101ff' },
    { name: 'a path length that is not minimal', input: '3007 0101ff 02020000' },
    { name: 'a path length of nothing', input: '3005 0101ff 0200' },
    { name: 'two path lengths', input: '3009 0101ff 020100 020100' },
    { name: 'an element with trailing bytes', input: '3000 00' },
    { name: 'an indefinite length', input: '3080 0101ff 0000' },
  ]
  for (const { name, input } of HOSTILE) {
    it(`are not ${name}`, () => assert.throws(() => decodeIsAuthority(bytesOf(input)), MALFORMED))
  }
})

describe('a list of extensions', () => {
  const one = extensionOf('551d0f', '03020780', '0101ff')
  const two = extensionOf('551d13', '3000')

  it('is read in order, critical or not', () => {
    assert.deepEqual(decodeExtensions(tlv(0x30, one, two)), [
      { oid: '2.5.29.15', critical: true, value: bytesOf('03020780') },
      { oid: '2.5.29.19', critical: false, value: bytesOf('3000') },
    ])
  })

  it('may be empty, as @peculiar/x509 writes it against RFC 5280 §4.1', () => {
    assert.deepEqual(decodeExtensions(bytesOf('3000')), [])
  })

  it('is read whatever the value is: that is for readers that know the OID', () => {
    const [extension] = decodeExtensions(tlv(0x30, extensionOf('2a0304', 'ffff')))
    assert.equal(extension?.value.toString('hex'), 'ffff')
  })

  const oid = '0603551d0f'
  const HOSTILE: readonly { name: string; input: Bytes }[] = [
    { name: 'an empty input', input: '' },
    { name: 'an extension that occurs twice', input: tlv(0x30, one, two, one) },
    {
      name: 'an extension that occurs twice with other values',
      input: tlv(0x30, two, extensionOf('551d13', '30030101ff')),
    },
    { name: 'an empty extension', input: tlv(0x30, '3000') },
    { name: 'an extension without a value', input: tlv(0x30, tlv(0x30, oid)) },
    { name: 'an extension without an OID', input: tlv(0x30, tlv(0x30, '04023000')) },
    {
      name: 'an extension with two values',
      input: tlv(0x30, tlv(0x30, oid, '04023000', '04023000')),
    },
    { name: 'a value outside an OCTET STRING', input: tlv(0x30, tlv(0x30, oid, '03020780')) },
    { name: 'critical as 0x01', input: tlv(0x30, extensionOf('551d0f', '3000', '010101')) },
    {
      name: 'critical FALSE in so many words',
      input: tlv(0x30, extensionOf('551d0f', '3000', '010100')),
    },
    { name: 'critical behind the value', input: tlv(0x30, tlv(0x30, oid, '04023000', '0101ff')) },
    {
      name: 'an extension with two critical flags',
      input: tlv(0x30, extensionOf('551d0f', '3000', '0101ff0101ff')),
    },
    { name: 'an element with trailing bytes', input: bytesOf(tlv(0x30, one), '00') },
  ]
  for (const { name, input } of HOSTILE) {
    it(`is not ${name}`, () => assert.throws(() => decodeExtensions(bytesOf(input)), MALFORMED))
  }
})
