// Grants that an attacker sealed with the right key: none gets a certificate, whatever the limits say.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bitString, context, element, sequence, TAG } from '../../src/x509/der.ts'
import {
  authorityKeyIdentifier,
  extendedKeyUsage,
  keyUsage,
  subjectKeyIdentifier,
  type Extension,
} from '../../src/x509/extensions.ts'
import { EXTENSIONS, oidElement, PURPOSES } from '../../src/x509/oid.ts'
import { subjectOf } from '../fakes/grant.ts'
import {
  checkHostile,
  inPlace,
  namesOf,
  verdictOf,
  WIDE_LIMITS,
  withExtensions,
  type HostileCase,
  subject,
} from './limits-cases.ts'
import { cpuTime } from '../fakes/cpu-time.ts'

const extension = (oid: string, hex: string, critical = false): Extension => ({
  oid,
  critical,
  value: Buffer.from(hex, 'hex'),
})

const CASES: readonly HostileCase[] = [
  // A CA of its own
  {
    name: 'CA:TRUE',
    grant: inPlace(extension(EXTENSIONS.basicConstraints, '30030101ff', true)),
    want: /^extension-refused: basicConstraints/,
  },
  {
    name: 'CA:TRUE in BER',
    grant: inPlace(extension(EXTENSIONS.basicConstraints, '3003010101', true)),
    want: /^extension-refused/,
  },
  {
    name: 'CA:TRUE with a path length',
    grant: inPlace(extension(EXTENSIONS.basicConstraints, '30060101ff020100')),
    want: /^extension-refused/,
  },
  {
    name: 'a path length without CA:TRUE',
    grant: inPlace(extension(EXTENSIONS.basicConstraints, '3003020100')),
    want: /^extension-refused/,
  },
  {
    name: 'CA:FALSE as an explicit default',
    grant: inPlace(extension(EXTENSIONS.basicConstraints, '3003010100')),
    want: /^extension-refused/,
  },
  {
    name: 'keyCertSign',
    grant: inPlace(keyUsage(['digitalSignature', 'keyCertSign'])),
    want: /^key-usage-refused: keyCertSign/,
  },
  { name: 'cRLSign', grant: inPlace(keyUsage(['cRLSign'])), want: /^key-usage-refused: cRLSign/ },
  {
    name: 'an empty key usage',
    grant: inPlace(extension(EXTENSIONS.keyUsage, '030100')),
    want: /^grant-malformed/,
  },
  {
    name: 'name constraints',
    grant: withExtensions(extension('2.5.29.30', '3000', true)),
    want: /^extension-refused: 2\.5\.29\.30/,
  },
  {
    name: 'policy constraints',
    grant: withExtensions(extension('2.5.29.36', '3000')),
    want: /^extension-refused/,
  },
  {
    name: 'policy mappings',
    grant: withExtensions(extension('2.5.29.33', '3000')),
    want: /^extension-refused/,
  },
  {
    name: 'inhibitAnyPolicy',
    grant: withExtensions(extension('2.5.29.54', '020100')),
    want: /^extension-refused/,
  },
  {
    name: 'a proxy certificate',
    grant: withExtensions(extension('1.3.6.1.5.5.7.1.14', '3000', true)),
    want: /^extension-refused/,
  },
  // What is the signer's
  {
    name: 'an authority key identifier',
    grant: withExtensions(authorityKeyIdentifier(Buffer.alloc(20))),
    want: /^extension-refused: 2\.5\.29\.35/,
  },
  {
    name: 'a subject key identifier',
    grant: withExtensions(subjectKeyIdentifier(Buffer.alloc(20))),
    want: /^extension-refused: 2\.5\.29\.14/,
  },
  // Extensions
  {
    name: 'an extension that is not listed',
    grant: withExtensions(extension('1.2.3.5', '0500')),
    want: /^extension-refused/,
  },
  {
    name: 'a critical extension that is not listed',
    grant: withExtensions(extension('1.2.3.5', '0500', true)),
    want: /^extension-refused/,
  },
  {
    name: 'an extension twice',
    grant: withExtensions(extension('1.2.3.4', '0500'), extension('1.2.3.4', '0500')),
    want: /^extension-refused: 1\.2\.3\.4, twice/,
  },
  {
    name: 'extended key usage twice',
    grant: withExtensions(extendedKeyUsage([PURPOSES.clientAuth])),
    want: /^extension-refused: 2\.5\.29\.37, twice/,
  },
  {
    name: 'alternative names twice',
    grant: withExtensions(namesOf(['dns', 'a']), namesOf(['dns', 'b'])),
    want: /^extension-refused/,
  },
  {
    name: 'an OID in a non-minimal encoding',
    grant: withExtensions(extension('1.02.3.4', '0500')),
    want: /^extension-refused/,
  },
  {
    name: 'a malformed OID',
    grant: withExtensions(extension('subjectAltName', '0500')),
    want: /^extension-refused/,
  },
  {
    name: 'an OID named like a property of Object',
    grant: withExtensions(extension('__proto__', '0500')),
    want: /^extension-refused/,
  },
  {
    name: 'anyExtendedKeyUsage',
    grant: inPlace(extendedKeyUsage([PURPOSES.any])),
    want: /^purpose-refused/,
  },
  {
    name: 'anyPolicy',
    grant: withExtensions(extension(EXTENSIONS.certificatePolicies, '300830060604551d2000')),
    want: /^policy-refused: 2\.5\.29\.32\.0/,
  },
  // Names of other kinds
  {
    name: 'an otherName',
    grant: withExtensions({
      oid: EXTENSIONS.subjectAltName,
      critical: false,
      value: sequence(
        element(
          context(0, 'constructed'),
          oidElement('1.2.3'),
          element(context(0, 'constructed'), element(TAG.utf8String, Buffer.from('a'))),
        ),
      ),
    }),
    want: /^name-refused: other: 1\.2\.3/,
  },
  {
    name: 'a directoryName',
    grant: withExtensions({
      oid: EXTENSIONS.subjectAltName,
      critical: false,
      value: sequence(element(context(4, 'constructed'), subjectOf(['CN', 'system:admin']))),
    }),
    want: /^name-refused: other: 0xa4/,
  },
  {
    name: 'a registeredID',
    grant: withExtensions(extension(EXTENSIONS.subjectAltName, '300488022a03')),
    want: /^name-refused: other/,
  },
  {
    name: 'an empty list of alternative names',
    grant: withExtensions(extension(EXTENSIONS.subjectAltName, '3000')),
    want: /^grant-malformed/,
  },
  {
    name: 'an address of five bytes',
    grant: withExtensions(extension(EXTENSIONS.subjectAltName, '300787050102030405')),
    want: /^grant-malformed/,
  },
  {
    name: 'a DNS name beyond ASCII',
    grant: withExtensions(extension(EXTENSIONS.subjectAltName, '30038201e4')),
    want: /^grant-malformed/,
  },
  // DER
  {
    name: 'an indefinite length',
    grant: { subject: Buffer.from('30800000', 'hex') },
    want: /^grant-malformed/,
  },
  {
    name: 'a length in a non-minimal encoding',
    grant: { subject: Buffer.from('308100', 'hex') },
    want: /^grant-malformed/,
  },
  {
    name: 'bytes after the subject',
    grant: { subject: Buffer.concat([subjectOf(['CN', 'a']), Buffer.of(0)]) },
    want: /^grant-malformed/,
  },
  {
    name: 'a truncated subject',
    grant: { subject: subjectOf(['CN', 'alice']).subarray(0, -1) },
    want: /^grant-malformed/,
  },
  { name: 'an empty subject', grant: { subject: Buffer.alloc(0) }, want: /^grant-malformed/ },
  {
    name: 'a subject that is a SET',
    grant: { subject: Buffer.from('3100', 'hex') },
    want: /^grant-malformed/,
  },
  {
    name: 'an empty relative name',
    grant: { subject: Buffer.from('30023100', 'hex') },
    want: /^grant-malformed/,
  },
  {
    name: 'bytes after an extension',
    grant: withExtensions(extension('1.2.3.4', '050000')),
    want: /^grant-malformed/,
  },
  {
    name: 'an extension that is empty',
    grant: withExtensions(extension('1.2.3.4', '')),
    want: /^grant-malformed/,
  },
  {
    name: 'an indefinite length in an extension',
    grant: withExtensions(extension('1.2.3.4', '30800000')),
    want: /^grant-malformed/,
  },
  {
    name: 'an indefinite length deep in an extension',
    grant: withExtensions(extension('1.2.3.4', '30063004308000')),
    want: /^grant-malformed/,
  },
  {
    name: 'bytes after the purposes',
    grant: inPlace({
      ...extendedKeyUsage([PURPOSES.clientAuth]),
      value: Buffer.concat([extendedKeyUsage([PURPOSES.clientAuth]).value, Buffer.of(5, 0)]),
    }),
    want: /^grant-malformed/,
  },
  {
    name: 'a malformed policy qualifier',
    grant: withExtensions(extension(EXTENSIONS.certificatePolicies, '3008300606022a033080')),
    want: /^grant-malformed/,
  },
  {
    name: 'a key usage of another ASN.1 type',
    grant: inPlace({ oid: EXTENSIONS.keyUsage, critical: true, value: bitString(Buffer.alloc(3)) }),
    want: /^grant-malformed/,
  },
]

describe('a hostile grant is refused: ', () => {
  checkHostile(CASES)

  it('a grant of 1 MB is refused', () => {
    const start = cpuTime()
    const long = 'a'.repeat(1_048_576)
    // The pattern is for the worst that matching could do.
    const narrow = '{ subject: { CN: ["*a*a*a*a*a*b"] } }'
    assert.match(verdictOf(narrow, subject(['CN', long])), /^subject-refused/)
    assert.match(
      verdictOf(WIDE_LIMITS, { subject: Buffer.alloc(1_048_576, 0x30) }),
      /^grant-malformed/,
    )
    const nested = Buffer.alloc(1_048_576, 0x30)
    assert.match(
      verdictOf(WIDE_LIMITS, withExtensions({ oid: '1.2.3.4', critical: false, value: nested })),
      /^grant-malformed/,
    )
    assert.ok(cpuTime() - start < 2_000)
  })

  it('a grant of a thousand nested levels is refused', () => {
    let value: Buffer = element(0x05)
    for (let level = 0; level < 2_000; level++) value = sequence(value)
    const verdict = verdictOf(
      WIDE_LIMITS,
      withExtensions({ oid: '1.2.3.4', critical: false, value }),
    )
    assert.equal(verdict, 'within') // it is DER, and does no harm
  })
})
