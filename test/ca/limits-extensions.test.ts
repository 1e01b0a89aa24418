// The limits of extensions: each of them, held and exceeded.

import { describe } from 'node:test'
import type { Grant } from '../../src/grant/grant.ts'
import { certificatePolicies, extendedKeyUsage, keyUsage } from '../../src/x509/extensions.ts'
import { PURPOSES } from '../../src/x509/oid.ts'
import { grantOf } from '../fakes/grant.ts'
import { checkLimits, inPlace, namesOf, withExtensions } from './limits-cases.ts'

describe('the limit of alternative names', () => {
  const ip = (...addresses: readonly string[]): Partial<Grant> =>
    withExtensions(namesOf(...addresses.map((address) => ['ip', address] as const)))
  const NETWORKS = '{ subjectAltName: { ip: [10.1.0.0/16, 192.0.2.7, "2001:db8::/32"] } }'
  checkLimits([
    {
      name: 'none by default',
      grant: withExtensions(namesOf(['dns', 'a.example.org'])),
      want: /^name-refused: dns: a\.example\.org$/,
    },
    {
      name: 'DNS by pattern',
      limits: '{ subjectAltName: { dns: ["*.example.org"] } }',
      grant: withExtensions(namesOf(['dns', 'a.b.Example.ORG'])),
      want: 'within',
    },
    {
      name: 'DNS by no pattern',
      limits: '{ subjectAltName: { dns: ["*.example.org"] } }',
      grant: withExtensions(namesOf(['dns', 'example.org'])),
      want: /^name-refused/,
    },
    {
      name: 'one of several',
      limits: '{ subjectAltName: { dns: [a] } }',
      grant: withExtensions(namesOf(['dns', 'a'], ['dns', 'b'])),
      want: /^name-refused: dns: b$/,
    },
    {
      name: 'URI by pattern',
      limits: '{ subjectAltName: { uri: ["spiffe://example.org/*"] } }',
      grant: withExtensions(namesOf(['uri', 'spiffe://example.org/a/b'])),
      want: 'within',
    },
    {
      name: 'a pattern of another kind',
      limits: '{ subjectAltName: { uri: ["*"] } }',
      grant: withExtensions(namesOf(['email', 'a@b'])),
      want: /^name-refused: email/,
    },
    {
      name: 'a mailbox',
      limits: '{ subjectAltName: { email: ["*@example.org"] } }',
      grant: withExtensions(namesOf(['email', 'a@example.org'])),
      want: 'within',
    },
    {
      name: 'a UPN',
      limits: '{ subjectAltName: { upn: ["*@example.org"] } }',
      grant: withExtensions(namesOf(['upn', 'ä@example.org'])),
      want: 'within',
    },
    {
      name: 'an address',
      limits: NETWORKS,
      grant: ip('192.0.2.7', '10.1.255.255', '2001:db8:ffff::1'),
      want: 'within',
    },
    {
      name: 'an address in addition to a name',
      limits: NETWORKS,
      grant: ip('192.0.2.8'),
      want: /^name-refused: ip: 192\.0\.2\.8/,
    },
    {
      name: 'an address outside of the network',
      limits: NETWORKS,
      grant: ip('10.2.0.1'),
      want: /^name-refused/,
    },
    {
      name: 'an IPv6 address outside of the network',
      limits: NETWORKS,
      grant: ip('2001:db9::1'),
      want: /^name-refused/,
    },
    {
      name: 'a name that is not a DNS name',
      limits: '{ subjectAltName: { dns: ["*"] } }',
      grant: withExtensions(namesOf(['dns', 'a..b'])),
      want: /^name-refused/,
    },
    {
      name: 'a name that is not a URI',
      limits: '{ subjectAltName: { uri: ["*"] } }',
      grant: withExtensions(namesOf(['uri', 'a b'])),
      want: /^name-refused/,
    },
  ])
})

describe('the limit of usages and purposes', () => {
  const ALL =
    '{ keyUsage: [digitalSignature, nonRepudiation, keyEncipherment, dataEncipherment, keyAgreement, encipherOnly, decipherOnly] }'
  const without = (oid: string): Partial<Grant> => ({
    extensions: grantOf().extensions.filter((extension) => extension.oid !== oid),
  })
  checkLimits([
    {
      name: 'usages by default',
      grant: inPlace(keyUsage(['digitalSignature', 'keyEncipherment'])),
      want: 'within',
    },
    {
      name: 'another key usage',
      grant: inPlace(keyUsage(['digitalSignature', 'keyAgreement'])),
      want: /^key-usage-refused: keyAgreement$/,
    },
    {
      name: 'a usage that is listed',
      limits: '{ keyUsage: [keyAgreement] }',
      grant: inPlace(keyUsage(['keyAgreement'])),
      want: 'within',
    },
    { name: 'no usage, which means any', grant: without('2.5.29.15'), want: /^key-usage-refused/ },
    {
      name: 'no usage, where all are listed',
      limits: ALL,
      grant: without('2.5.29.15'),
      want: 'within',
    },
    {
      name: 'another extended key usage',
      grant: inPlace(extendedKeyUsage([PURPOSES.clientAuth, PURPOSES.serverAuth])),
      want: /^purpose-refused: 1\.3\.6\.1\.5\.5\.7\.3\.1$/,
    },
    {
      name: 'a purpose that is listed by name',
      limits: '{ extendedKeyUsage: [clientAuth, serverAuth] }',
      grant: inPlace(extendedKeyUsage([PURPOSES.serverAuth])),
      want: 'within',
    },
    {
      name: 'a purpose that is listed by OID',
      limits: '{ extendedKeyUsage: [1.2.3.4] }',
      grant: inPlace(extendedKeyUsage(['1.2.3.4'])),
      want: 'within',
    },
    {
      name: 'any extended key usage',
      grant: inPlace(extendedKeyUsage([PURPOSES.any])),
      want: /^purpose-refused: 2\.5\.29\.37\.0/,
    },
    {
      name: 'any purpose, where that is listed',
      limits: '{ extendedKeyUsage: [any] }',
      grant: inPlace(extendedKeyUsage([PURPOSES.any])),
      want: 'within',
    },
    { name: 'no purpose, which means any', grant: without('2.5.29.37'), want: /^purpose-refused/ },
    {
      name: 'no purpose, where any is listed',
      limits: '{ extendedKeyUsage: [clientAuth, any] }',
      grant: without('2.5.29.37'),
      want: 'within',
    },
    { name: 'without basic constraints', grant: without('2.5.29.19'), want: 'within' },
  ])
})

describe('the limit of policies and further extensions', () => {
  const extension = { oid: '1.2.3.4', critical: false, value: Buffer.from('0c0161', 'hex') }
  const critical = { ...extension, critical: true }
  checkLimits([
    {
      name: 'no policy by default',
      grant: withExtensions(certificatePolicies(['1.2.3'])),
      want: /^policy-refused: 1\.2\.3$/,
    },
    {
      name: 'a policy that is listed',
      limits: '{ policies: [1.2.3] }',
      grant: withExtensions(certificatePolicies(['1.2.3'])),
      want: 'within',
    },
    {
      name: 'one of two',
      limits: '{ policies: [1.2.3] }',
      grant: withExtensions(certificatePolicies(['1.2.3', '1.2.5'])),
      want: /^policy-refused: 1\.2\.5$/,
    },
    {
      name: 'no further extension by default',
      grant: withExtensions(extension),
      want: /^extension-refused: 1\.2\.3\.4$/,
    },
    { name: 'no critical one', grant: withExtensions(critical), want: /^extension-refused/ },
    {
      name: 'one that is listed',
      limits: '{ extensions: [1.2.3.4] }',
      grant: withExtensions(extension),
      want: 'within',
    },
    {
      name: 'one that is listed, critical',
      limits: '{ extensions: [1.2.3.4] }',
      grant: withExtensions(critical),
      want: 'within',
    },
  ])
})
