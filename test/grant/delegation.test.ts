// Delegation: what a caller's certificate says is copied byte for byte, dropped or overridden, field
// by field. What Envoy hands over is in presented.test.ts.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { delegate, namesOf, overriding, type DelegationConfig } from '../../src/grant/delegation.ts'
import { compileTemplate, contentsOf, type Fields } from '../../src/grant/template.ts'
import type { Identity } from '../../src/identity/identity.ts'
import { readCertificate, type CertificateParts } from '../../src/x509/certificate.ts'
import { encodeName } from '../../src/x509/name.ts'
import { ATTRIBUTES, EXTENSIONS } from '../../src/x509/oid.ts'
import { certificateConfigOf } from '../fakes/certificate-config.ts'
import { identityOf } from '../fakes/identity.ts'
import { bytesOf, certificateOf, commonName, tlv } from '../fixtures/certificate.ts'
import { presentedCertificate } from '../fixtures/presented.ts'
import { x509 } from '../servers/x509.ts'

const [CUSTOM, OTHER] = ['1.3.6.1.4.1.99999.1', '1.3.6.1.4.1.99999.2']

const der = await presentedCertificate({
  extensions: [
    new x509.SubjectAlternativeNameExtension([
      { type: 'email', value: 'alice@example.org' },
      { type: 'dn', value: 'CN=x' },
    ]),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyAgreement, false),
    new x509.ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.4'], true),
    new x509.BasicConstraintsExtension(false, undefined, false),
    new x509.CertificatePolicyExtension(['1.3.6.1.4.1.99999.7'], true),
    new x509.Extension(OTHER, true, Uint8Array.of(0x0c, 1, 0x62).buffer),
    new x509.Extension(CUSTOM, false, Uint8Array.of(0xff, 0, 0xff).buffer), // not even DER
  ],
})
const presented = readCertificate(der)

const extensionIn = ({ extensions }: CertificateParts, oid: string) =>
  extensions.find((extension) => extension.oid === oid)

const delegated = (
  fields: Partial<DelegationConfig>,
  more: Readonly<Record<string, unknown>> = {},
  from = presented,
  identity: Partial<Identity> = {},
): Fields | undefined => {
  const { subject = 'copy' } = fields
  const config = certificateConfigOf({
    ...(subject === 'copy' ? { subject: {} } : {}),
    subjectAltName: { upn: 'identity.user' },
    policies: ['1.3.6.1.4.1.99999.8'],
    ...more,
    delegate: fields,
  })
  assert.ok(config.delegate !== undefined)
  const template = compileTemplate(overriding(config, config.delegate))
  return delegate(from, config.delegate, template, identityOf(identity))
}

describe('a delegated field of the certificate', () => {
  const FIELDS = [
    {
      field: 'subjectAltName',
      oid: EXTENSIONS.subjectAltName,
      own: 'a015060a2b060104018237140203a0070c05616c696365',
    },
    { field: 'keyUsage', oid: EXTENSIONS.keyUsage, own: '03020780' },
    { field: 'extendedKeyUsage', oid: EXTENSIONS.extendedKeyUsage, own: '06082b06010505070302' },
    { field: 'basicConstraints', oid: EXTENSIONS.basicConstraints, own: '3000' },
    { field: 'policies', oid: EXTENSIONS.certificatePolicies, own: '300b06092b06010401868d1f08' },
  ] as const
  for (const { field, oid, own } of FIELDS) {
    it(`${field} is copied unchanged, critical or not`, () => {
      const copied = delegated({ [field]: 'copy' })?.[field]
      assert.ok(copied !== undefined)
      assert.deepEqual(copied, extensionIn(presented, oid))
    })

    it(`${field} is left out where the caller’s certificate lacks it`, () => {
      const bare = readCertificate(certificateOf())
      assert.equal(delegated({ [field]: 'copy' }, {}, bare)?.[field], undefined)
    })

    it(`${field} is dropped`, () => {
      assert.equal(delegated({ [field]: 'drop' })?.[field], undefined)
    })

    it(`${field} is overridden`, () => {
      const overridden = delegated({ [field]: 'override' })?.[field]
      assert.equal(overridden?.oid, oid)
      assert.ok(overridden.value.toString('hex').endsWith(own), overridden.value.toString('hex'))
      assert.notDeepEqual(overridden, extensionIn(presented, oid))
    })

    it(`${field} changes no other field`, () => {
      const all = delegated({})
      const without = delegated({ [field]: 'drop' })
      assert.deepEqual({ ...without, [field]: all?.[field] }, { ...all })
    })
  }

  it('subject is copied unchanged', () => {
    assert.deepEqual(delegated({})?.subject, presented.subject)
  })

  it('subject is overridden', () => {
    const subject = delegated({ subject: 'override' }, {}, presented, { groups: ['x'] })?.subject
    assert.deepEqual(
      subject,
      encodeName([
        { oid: ATTRIBUTES.CN, value: 'alice' },
        { oid: ATTRIBUTES.O, value: 'x' },
      ]),
    )
  })

  it('is copied by default, except policies and further extensions', () => {
    const fields = delegated({})
    assert.ok(fields !== undefined)
    assert.deepEqual(
      contentsOf(fields).extensions.map(({ oid }) => oid),
      [
        EXTENSIONS.keyUsage,
        EXTENSIONS.extendedKeyUsage,
        EXTENSIONS.basicConstraints,
        EXTENSIONS.subjectAltName,
      ],
    )
  })
})

describe('the caller’s subject in an unusual encoding', () => {
  const CASES = [
    { name: 'with a PrintableString', input: commonName(Buffer.from('alice'), 0x13) },
    {
      name: 'with two attributes in one relative name',
      input: tlv(0x30, tlv(0x31, tlv(0x30, '0603550403 0c0161'), tlv(0x30, '060355040a 0c0162'))),
    },
    { name: 'with an empty sequence', input: bytesOf('3000') },
    {
      name: 'with an unknown attribute',
      input: tlv(0x30, tlv(0x31, tlv(0x30, '0603550463 0c0161'))),
    },
  ]
  for (const { name, input } of CASES) {
    it(`is copied byte for byte: ${name}`, () => {
      const from = readCertificate(certificateOf({ subject: input }))
      assert.deepEqual(delegated({}, {}, from)?.subject, input)
    })
  }
})

describe('a further extension of the caller’s certificate', () => {
  const others = (fields: Partial<DelegationConfig>, more = {}) => delegated(fields, more)?.others

  it('is copied byte for byte, in the order of the configuration', () => {
    assert.deepEqual(others({ extensions: [CUSTOM, OTHER] }), [
      { oid: CUSTOM, critical: false, value: bytesOf('ff00ff') },
      { oid: OTHER, critical: true, value: bytesOf('0c0162') },
    ])
    assert.deepEqual(
      others({ extensions: [OTHER, CUSTOM] })?.map(({ oid }) => oid),
      [OTHER, CUSTOM],
    )
  })

  it('is not copied unless it is listed', () => {
    assert.deepEqual(others({ extensions: [OTHER] })?.length, 1)
    assert.deepEqual(others({}), [])
  })

  it('is left out where the caller’s certificate lacks it', () => {
    assert.deepEqual(
      others({ extensions: ['1.2.3.4', OTHER] })?.map(({ oid }) => oid),
      [OTHER],
    )
  })

  it('is replaced by one of the configuration', () => {
    const own = { [CUSTOM]: { utf8String: '"own"' }, '1.2.3.4': { der: 'BQA=' } }
    assert.deepEqual(others({ extensions: [CUSTOM, OTHER] }, { extensions: own }), [
      { oid: OTHER, critical: true, value: bytesOf('0c0162') },
      { oid: CUSTOM, critical: false, value: bytesOf('0c03 6f776e') },
      { oid: '1.2.3.4', critical: false, value: bytesOf('0500') },
    ])
  })

  it('never occurs twice', () => {
    const own = { [CUSTOM]: { utf8String: '"own"' } }
    const fields = delegated({ extensions: [CUSTOM, OTHER], policies: 'copy' }, { extensions: own })
    assert.ok(fields !== undefined)
    const oids = contentsOf(fields).extensions.map(({ oid }) => oid)
    assert.equal(new Set(oids).size, oids.length)
  })
})

describe('an identity that a template refuses', () => {
  const missing = { upn: 'identity.extra["missing"]' }

  it('gets no certificate where the field is overridden', () => {
    const fields = { subjectAltName: 'override' } as const
    assert.equal(delegated(fields, { subjectAltName: missing }), undefined)
    assert.equal(delegated({ subject: 'override' }, {}, presented, { user: 'a\0' }), undefined)
  })

  it('gets a certificate where the field is copied or dropped', () => {
    for (const mode of ['copy', 'drop'] as const) {
      assert.ok(delegated({ subjectAltName: mode }, { subjectAltName: missing }) !== undefined)
    }
    assert.ok(delegated({}, {}, presented, { user: 'a\0' }) !== undefined)
  })
})

describe('the names in a proven certificate', () => {
  it('are those of its subject, then its alternative names', () => {
    assert.deepEqual(namesOf(presented), ['alice', 'dev', 'ops', 'alice@example.org', '0xa4'])
  })

  it('include every attribute, whatever its type', () => {
    const subject = encodeName(
      Object.values(ATTRIBUTES).map((oid) => ({ oid, value: oid === ATTRIBUTES.C ? 'DE' : 'x' })),
    )
    assert.equal(namesOf({ subject, extensions: [] })?.length, Object.keys(ATTRIBUTES).length)
  })

  it('are empty where it has none', () => {
    assert.deepEqual(namesOf({ subject: encodeName([]), extensions: [] }), [])
  })
})
