// The limits of extensions: each of them, held and exceeded.

import { describe } from 'node:test'
import type { Grant } from '../../src/grant/grant.ts'
import { certificatePolicies, extendedKeyUsage, keyUsage } from '../../src/x509/extensions.ts'
import { PURPOSES } from '../../src/x509/oid.ts'
import { grantOf } from '../fakes/grant.ts'
import { checkLimits, inPlace, namesOf, withExtensions } from './limits-cases.ts'

describe('the limit of alternative names:', () => {
  const ip = (...addresses: readonly string[]): Partial<Grant> =>
    withExtensions(namesOf(...addresses.map((address) => ['ip', address] as const)))
  const NETWORKS = '{ subjectAltName: { ip: [10.1.0.0/16, 192.0.2.7, "2001:db8::/32"] } }'
  checkLimits([
    {
      name: 'refuses any by default',
      grant: withExtensions(namesOf(['dns', 'a.example.org'])),
      want: /^name-refused: dns: a\.example\.org$/,
    },
    {
      name: 'allows a DNS name that matches a pattern',
      limits: '{ subjectAltName: { dns: ["*.example.org"] } }',
      grant: withExtensions(namesOf(['dns', 'a.b.Example.ORG'])),
      want: 'within',
    },
    {
      name: 'refuses a DNS name that matches none',
      limits: '{ subjectAltName: { dns: ["*.example.org"] } }',
      grant: withExtensions(namesOf(['dns', 'example.org'])),
      want: /^name-refused/,
    },
    {
      name: 'refuses where one of several matches none',
      limits: '{ subjectAltName: { dns: [a] } }',
      grant: withExtensions(namesOf(['dns', 'a'], ['dns', 'b'])),
      want: /^name-refused: dns: b$/,
    },
    {
      name: 'allows a URI that matches a pattern',
      limits: '{ subjectAltName: { uri: ["spiffe://example.org/*"] } }',
      grant: withExtensions(namesOf(['uri', 'spiffe://example.org/a/b'])),
      want: 'within',
    },
    {
      name: 'refuses a pattern of another kind',
      limits: '{ subjectAltName: { uri: ["*"] } }',
      grant: withExtensions(namesOf(['email', 'a@b'])),
      want: /^name-refused: email/,
    },
    {
      name: 'allows a mailbox that matches a pattern',
      limits: '{ subjectAltName: { email: ["*@example.org"] } }',
      grant: withExtensions(namesOf(['email', 'a@example.org'])),
      want: 'within',
    },
    {
      name: 'allows a UPN that matches a pattern',
      limits: '{ subjectAltName: { upn: ["*@example.org"] } }',
      grant: withExtensions(namesOf(['upn', 'ä@example.org'])),
      want: 'within',
    },
    {
      name: 'allows an address in a network',
      limits: NETWORKS,
      grant: ip('192.0.2.7', '10.1.255.255', '2001:db8:ffff::1'),
      want: 'within',
    },
    {
      name: 'refuses an address in addition to an allowed name',
      limits: NETWORKS,
      grant: ip('192.0.2.8'),
      want: /^name-refused: ip: 192\.0\.2\.8/,
    },
    {
      name: 'refuses an address outside the network',
      limits: NETWORKS,
      grant: ip('10.2.0.1'),
      want: /^name-refused/,
    },
    {
      name: 'refuses an IPv6 address outside the network',
      limits: NETWORKS,
      grant: ip('2001:db9::1'),
      want: /^name-refused/,
    },
    {
      name: 'refuses a name that is not a DNS name',
      limits: '{ subjectAltName: { dns: ["*"] } }',
      grant: withExtensions(namesOf(['dns', 'a..b'])),
      want: /^name-refused/,
    },
    {
      name: 'refuses a name that is not a URI',
      limits: '{ subjectAltName: { uri: ["*"] } }',
      grant: withExtensions(namesOf(['uri', 'a b'])),
      want: /^name-refused/,
    },
  ])
})

describe('the limit of key usages and purposes:', () => {
  const ALL =
    '{ keyUsage: [digitalSignature, nonRepudiation, keyEncipherment, dataEncipherment, keyAgreement, encipherOnly, decipherOnly] }'
  const without = (oid: string): Partial<Grant> => ({
    extensions: grantOf().extensions.filter((extension) => extension.oid !== oid),
  })
  checkLimits([
    {
      name: 'allows the defaults',
      grant: inPlace(keyUsage(['digitalSignature', 'keyEncipherment'])),
      want: 'within',
    },
    {
      name: 'refuses another key usage',
      grant: inPlace(keyUsage(['digitalSignature', 'keyAgreement'])),
      want: /^key-usage-refused: keyAgreement$/,
    },
    {
      name: 'allows a listed key usage',
      limits: '{ keyUsage: [keyAgreement] }',
      grant: inPlace(keyUsage(['keyAgreement'])),
      want: 'within',
    },
    {
      name: 'refuses a missing key usage, which means any',
      grant: without('2.5.29.15'),
      want: /^key-usage-refused/,
    },
    {
      name: 'allows a missing key usage where all are listed',
      limits: ALL,
      grant: without('2.5.29.15'),
      want: 'within',
    },
    {
      name: 'refuses another extended key usage',
      grant: inPlace(extendedKeyUsage([PURPOSES.clientAuth, PURPOSES.serverAuth])),
      want: /^purpose-refused: 1\.3\.6\.1\.5\.5\.7\.3\.1$/,
    },
    {
      name: 'allows a purpose listed by name',
      limits: '{ extendedKeyUsage: [clientAuth, serverAuth] }',
      grant: inPlace(extendedKeyUsage([PURPOSES.serverAuth])),
      want: 'within',
    },
    {
      name: 'allows a purpose listed by OID',
      limits: '{ extendedKeyUsage: [1.2.3.4] }',
      grant: inPlace(extendedKeyUsage(['1.2.3.4'])),
      want: 'within',
    },
    {
      name: 'refuses the purpose anyExtendedKeyUsage',
      grant: inPlace(extendedKeyUsage([PURPOSES.any])),
      want: /^purpose-refused: 2\.5\.29\.37\.0/,
    },
    {
      name: 'allows any purpose where that is listed',
      limits: '{ extendedKeyUsage: [any] }',
      grant: inPlace(extendedKeyUsage([PURPOSES.any])),
      want: 'within',
    },
    {
      name: 'refuses a missing purpose, which means any',
      grant: without('2.5.29.37'),
      want: /^purpose-refused/,
    },
    {
      name: 'allows a missing purpose where any is listed',
      limits: '{ extendedKeyUsage: [clientAuth, any] }',
      grant: without('2.5.29.37'),
      want: 'within',
    },
    {
      name: 'allows a certificate without basicConstraints',
      grant: without('2.5.29.19'),
      want: 'within',
    },
  ])
})

describe('the limit of policies and further extensions:', () => {
  const extension = { oid: '1.2.3.4', critical: false, value: Buffer.from('0c0161', 'hex') }
  const critical = { ...extension, critical: true }
  checkLimits([
    {
      name: 'refuses any policy by default',
      grant: withExtensions(certificatePolicies(['1.2.3'])),
      want: /^policy-refused: 1\.2\.3$/,
    },
    {
      name: 'allows a listed policy',
      limits: '{ policies: [1.2.3] }',
      grant: withExtensions(certificatePolicies(['1.2.3'])),
      want: 'within',
    },
    {
      name: 'refuses where one of two is not listed',
      limits: '{ policies: [1.2.3] }',
      grant: withExtensions(certificatePolicies(['1.2.3', '1.2.5'])),
      want: /^policy-refused: 1\.2\.5$/,
    },
    {
      name: 'refuses any further extension by default',
      grant: withExtensions(extension),
      want: /^extension-refused: 1\.2\.3\.4$/,
    },
    {
      name: 'refuses a critical one by default',
      grant: withExtensions(critical),
      want: /^extension-refused/,
    },
    {
      name: 'allows a listed one',
      limits: '{ extensions: [1.2.3.4] }',
      grant: withExtensions(extension),
      want: 'within',
    },
    {
      name: 'allows a listed one that is critical',
      limits: '{ extensions: [1.2.3.4] }',
      grant: withExtensions(critical),
      want: 'within',
    },
  ])
})
