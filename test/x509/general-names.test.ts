// Subject alternative names: names ↔ DER. Which values are names is in name-values.test.ts.

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { describe, it } from 'node:test'
import {
  decodeGeneralNames,
  encodeGeneralNames,
  type NameKind,
} from '../../src/x509/general-names.ts'
import {
  bytesOf,
  certificateOf,
  extensionOf,
  extensionsOf,
  tlv,
  type Bytes,
} from '../fixtures/certificate.ts'
import { randomFrom } from '../fakes/random.ts'
import { x509 } from '../servers/x509.ts'
import { MALFORMED } from './malformed.ts'

interface Name {
  readonly kind: NameKind
  readonly value: string
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const NAMES: readonly Name[] = [
  { kind: 'dns', value: 'app.example.org' },
  { kind: 'dns', value: '*.example.org' },
  { kind: 'uri', value: 'spiffe://example.org/ns/default/sa/app' },
  { kind: 'email', value: 'alice@example.org' },
  { kind: 'ip', value: '192.0.2.7' },
  { kind: 'ip', value: '2001:db8::7' },
  { kind: 'upn', value: 'jürgen@example.org' },
]

/** A certificate with these names, as OpenSSL reads it. */
const opened = (names: Uint8Array): X509Certificate =>
  new X509Certificate(certificateOf({ extensions: extensionsOf(extensionOf('551d11', names)) }))

describe('alternative names', () => {
  const BYTES: readonly { name: string; input: Name; want: Bytes }[] = [
    { name: 'a DNS name', input: { kind: 'dns', value: 'a.b' }, want: '82 03 612e62' },
    { name: 'a URI', input: { kind: 'uri', value: 'a:b' }, want: '86 03 613a62' },
    { name: 'a mailbox', input: { kind: 'email', value: 'a@b' }, want: '81 03 614062' },
    { name: 'an IPv4 address', input: { kind: 'ip', value: '192.0.2.7' }, want: '87 04 c0000207' },
    {
      name: 'an IPv6 address',
      input: { kind: 'ip', value: '2001:DB8::7' },
      want: '87 10 20010db8000000000000000000000007',
    },
    {
      name: 'a user principal name',
      input: { kind: 'upn', value: 'ü@b' },
      want: 'a0 14 060a 2b060104018237140203 a0 06 0c 04 c3bc4062',
    },
  ]
  for (const { name, input, want } of BYTES) {
    it(`${name} has its bytes`, () => {
      assert.equal(hexOf(encodeGeneralNames([input])), hexOf(tlv(0x30, want)))
    })
  }

  it('are read as they were written, in order', () => {
    assert.deepEqual(decodeGeneralNames(encodeGeneralNames(NAMES)), NAMES)
  })

  it('say the same to OpenSSL', () => {
    assert.equal(
      opened(encodeGeneralNames(NAMES)).subjectAltName,
      [
        'DNS:app.example.org',
        'DNS:*.example.org',
        'URI:spiffe://example.org/ns/default/sa/app',
        'email:alice@example.org',
        'IP Address:192.0.2.7',
        'IP Address:2001:DB8:0:0:0:0:0:7',
        'othername:UPN:jürgen@example.org',
      ].join(', '),
    )
  })

  it('say the same to @peculiar/x509', () => {
    const raw = Uint8Array.from(encodeGeneralNames(NAMES)).buffer
    const read = new x509.GeneralNames(raw).items.map(({ type, value }) => `${type}:${value}`)
    assert.deepEqual(read, [
      'dns:app.example.org',
      'dns:*.example.org',
      'url:spiffe://example.org/ns/default/sa/app',
      'email:alice@example.org',
      'ip:192.0.2.7',
      'ip:2001:db8::7',
      'upn:jürgen@example.org',
    ])
  })

  it('of IP addresses are those that OpenSSL reads, whatever the address', () => {
    const random = randomFrom(0x1b)
    for (let round = 0; round < 500; round++) {
      // Mostly zeros, so that "::" finds its place.
      const groups = Array.from({ length: 8 }, () => (random(2) === 0 ? 0 : random(0x1_00_00)))
      const value = groups.map((group) => group.toString(16)).join(':')
      const written = encodeGeneralNames([{ kind: 'ip', value }])
      assert.equal(opened(written).subjectAltName, `IP Address:${value.toUpperCase()}`)
      const [{ value: read } = { value: '' }] = decodeGeneralNames(written)
      assert.deepEqual(encodeGeneralNames([{ kind: 'ip', value: read }]), written)
    }
  })
})

describe('one spelling of an IP address', () => {
  const CASES = [
    { input: '::', want: '::' },
    { input: '::1', want: '::1' },
    { input: '1::', want: '1::' },
    { input: '2001:db8:0:0:1:0:0:1', want: '2001:db8::1:0:0:1' },
    { input: '2001:DB8::0001', want: '2001:db8::1' },
    { input: '::ffff:192.0.2.7', want: '::ffff:c000:207' }, // mapped: 16 bytes, and no IPv4
    { input: '64:ff9b::192.0.2.7', want: '64:ff9b::c000:207' },
    {
      input: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
      want: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    },
    { input: '0.0.0.0', want: '0.0.0.0' },
    { input: '255.255.255.255', want: '255.255.255.255' },
  ]
  for (const { input, want } of CASES) {
    it(`of ${input} is read as ${want}`, () => {
      const written = encodeGeneralNames([{ kind: 'ip', value: input }])
      assert.deepEqual(decodeGeneralNames(written), [{ kind: 'ip', value: want }])
    })
  }
})

describe('a name of a kind that is not written', () => {
  const CASES = [
    {
      name: 'otherName of another type',
      input: tlv(0xa0, tlv(0x06, '2b0601050202'), tlv(0xa0, '3000')), // id-pkinit-san
      want: '1.3.6.1.5.2.2',
    },
    { name: 'x400Address', input: 'a3 00', want: '0xa3' },
    { name: 'directoryName', input: tlv(0xa4, '3000'), want: '0xa4' },
    { name: 'ediPartyName', input: 'a5 00', want: '0xa5' },
    { name: 'registeredID', input: '88 03 550403', want: '0x88' },
  ]
  for (const { name, input, want } of CASES) {
    it(`is seen: ${name}`, () => {
      const names = decodeGeneralNames(tlv(0x30, input, '8201 61'))
      assert.deepEqual(names, [
        { kind: 'other', value: want },
        { kind: 'dns', value: 'a' },
      ])
    })
  }

  it('is not taken for one that is, by a constructed tag', () => {
    const [name] = decodeGeneralNames(tlv(0x30, tlv(0xa2, '160161')))
    assert.deepEqual(name, { kind: 'other', value: '0xa2' })
  })
})

describe('alternative names that are none', () => {
  const upn = '06 0a 2b060104018237140203'
  const CASES: readonly { name: string; input: Bytes }[] = [
    { name: 'an empty input', input: '' },
    { name: 'an empty SEQUENCE', input: '3000' },
    { name: 'a SET instead of a SEQUENCE', input: tlv(0x31, '820161') },
    { name: 'an element with trailing bytes', input: bytesOf(tlv(0x30, '820161'), '00') },
    { name: 'an IP address of 5 bytes', input: tlv(0x30, '87 05 c000020700') },
    { name: 'an IP address of no bytes', input: tlv(0x30, '87 00') },
    { name: 'an IP address and a mask', input: tlv(0x30, '87 08 c0000200ffffff00') },
    { name: 'an IP address as text', input: tlv(0x30, '87 09', Buffer.from('192.0.2.7')) },
    { name: 'a DNS name beyond ASCII', input: tlv(0x30, '82 01 fc') },
    { name: 'a URI beyond ASCII', input: tlv(0x30, '86 02 c3bc') },
    { name: 'a mailbox beyond ASCII', input: tlv(0x30, '81 01 80') },
    { name: 'an otherName without a type', input: tlv(0x30, 'a0 00') },
    { name: 'an otherName without a value', input: tlv(0x30, tlv(0xa0, upn)) },
    {
      name: 'an otherName with two values',
      input: tlv(0x30, tlv(0xa0, upn, 'a0030c0161', 'a0030c0162')),
    },
    { name: 'a UPN without its tag', input: tlv(0x30, tlv(0xa0, upn, '0c0161')) },
    {
      name: 'a UPN with two strings',
      input: tlv(0x30, tlv(0xa0, upn, tlv(0xa0, '0c0161', '0c0162'))),
    },
    { name: 'a UPN that is not a string', input: tlv(0x30, tlv(0xa0, upn, tlv(0xa0, '020161'))) },
    { name: 'a UPN in Latin-1', input: tlv(0x30, tlv(0xa0, upn, tlv(0xa0, '0c01fc'))) },
    { name: 'a UPN as a BMPString', input: tlv(0x30, tlv(0xa0, upn, tlv(0xa0, '1e020061'))) },
    { name: 'a UPN cut short', input: tlv(0x30, tlv(0xa0, upn, tlv(0xa0, '0c0561'))) },
  ]
  for (const { name, input } of CASES) {
    it(name, () => assert.throws(() => decodeGeneralNames(bytesOf(input)), MALFORMED))
  }
})
