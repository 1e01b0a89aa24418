// Names that carry power by themselves are in no certificate, by whatever way they came, unless they
// are the identity's own or the configuration spells them out.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Identity } from '../../src/identity/identity.ts'
import { certificateOf, commonName } from '../fixtures/certificate.ts'
import { presentedCertificate } from '../fixtures/presented.ts'
import { x509 } from '../servers/x509.ts'
import { Granting } from './granting.ts'

type Parts = Readonly<Record<string, unknown>>

interface Case {
  readonly name: string
  readonly config: Parts
  readonly identity?: Partial<Identity>
  /** The proven client certificate, DER. */
  readonly proven?: Buffer
}

const withSubject = async (...subject: readonly Readonly<Record<string, string>>[]) =>
  await presentedCertificate({ subject })

const withNames = async (type: 'dns' | 'email' | 'url' | 'upn', value: string) =>
  await presentedCertificate({
    extensions: [new x509.SubjectAlternativeNameExtension([{ type, value }])],
  })

const COPY = { subject: {}, delegate: {} }

const REFUSED: readonly Case[] = [
  { name: 'a constant as the user', config: { subject: { CN: '"system:admin"' } } },
  {
    name: 'a constant as a group',
    config: { subject: { CN: '"a"', O: '["dev", "system:masters"]' } },
  },
  {
    name: 'a prefix put before the user',
    config: { subject: { CN: '"system:" + identity.user' } },
  },
  {
    name: 'a prefix put before groups',
    config: { subject: { O: 'identity.groups.map(g, "system:" + g)' } },
    identity: { groups: ['masters'] },
  },
  {
    name: 'the halves of a name in two attributes of the identity',
    config: { subject: { O: 'identity.extra["a"][0] + identity.extra["b"][0]' } },
    identity: { extra: { a: ['sys'], b: ['tem:masters'] } },
  },
  {
    name: 'an attribute that is neither user nor group',
    config: { subject: { O: 'identity.extra["teams"]' } },
    identity: { extra: { teams: ['system:masters'] } },
  },
  {
    name: 'the uid',
    config: { subject: { CN: 'identity.uid' } },
    identity: { uid: 'system:admin' },
  },
  { name: 'capitals', config: { subject: { O: '"System:Masters"' } } },
  {
    name: 'an attribute that Kubernetes does not read',
    config: { subject: { CN: '"a"', OU: '"system:masters"' } },
  },
  { name: 'an attribute by OID', config: { subject: { '2.5.4.10': '"system:masters"' } } },
  {
    name: 'an unknown attribute',
    config: { subject: { '2.5.4.999': '"system:masters"' } },
  },
  { name: 'a URI', config: { subjectAltName: { uri: '"system:masters"' } } },
  { name: 'a principal name', config: { subjectAltName: { upn: '"system:admin"' } } },
  { name: 'a mailbox', config: { subjectAltName: { email: '"system:admin@example.org"' } } },
  {
    name: 'one together with an allowed one',
    config: {
      subject: { O: '["system:nodes", "system:masters"]' },
      allowReserved: ['system:nodes'],
    },
  },
  {
    name: 'one that is allowed in another case',
    config: { subject: { O: '"system:nodes"' }, allowReserved: ['System:Nodes'] },
  },
  {
    name: 'one that is the identity’s in another case',
    config: { subject: { O: '"system:nodes"' } },
    identity: { groups: ['System:nodes'] },
  },
  {
    name: 'a fallback',
    config: { ...COPY, delegate: { fallback: { subject: { CN: '"system:admin"' } } } },
  },
  {
    name: 'an override',
    config: { subject: { CN: '"system:admin"' }, delegate: { subject: 'override' } },
    proven: await withSubject({ CN: 'alice' }),
  },
  {
    name: 'the caller’s certificate, as the user',
    config: COPY,
    proven: await withSubject({ CN: 'system:admin' }),
  },
  {
    name: 'the caller’s certificate, as a group',
    config: COPY,
    proven: await withSubject({ CN: 'alice' }, { O: 'system:masters' }),
  },
  {
    name: 'the caller’s certificate, as a second user',
    config: COPY,
    proven: await withSubject({ CN: 'alice' }, { CN: 'system:admin' }),
  },
  {
    name: 'the caller’s certificate, before its user',
    config: COPY,
    proven: await withSubject({ O: 'system:masters' }, { CN: 'alice' }),
  },
  {
    name: 'the caller’s certificate, with space in front',
    config: COPY,
    proven: await withSubject({ CN: 'alice' }, { O: ' system:masters' }),
  },
  {
    name: 'the caller’s certificate, with a line break in front',
    config: COPY,
    proven: await withSubject({ CN: 'alice' }, { O: '\nsystem:masters' }),
  },
  {
    name: 'the caller’s certificate, as a URI',
    config: COPY,
    proven: await withNames('url', 'system:masters'),
  },
  {
    name: 'the caller’s certificate, as a principal name',
    config: COPY,
    proven: await withNames('upn', 'system:admin'),
  },
  {
    name: 'the caller’s certificate, as a mailbox',
    config: COPY,
    proven: await withNames('email', 'system:admin@example.org'),
  },
]

const GIVEN: readonly Case[] = [
  {
    name: 'no reserved name',
    config: {},
    identity: { user: 'systemd', groups: ['ecosystem:masters', 'system'] },
  },
  { name: 'a user who is reserved', config: {}, identity: { user: 'system:kube-proxy' } },
  { name: 'a group that is reserved', config: {}, identity: { groups: ['dev', 'system:masters'] } },
  {
    name: 'the user’s name as a group',
    config: { subject: { O: 'identity.user' } },
    identity: { user: 'system:nodes' },
  },
  {
    name: 'a constant that is the identity’s own',
    config: { subject: { O: '"system:masters"' } },
    identity: { groups: ['system:masters'] },
  },
  {
    name: 'a constant that is spelt out',
    config: { subject: { O: '"system:nodes"' }, allowReserved: ['system:nodes'] },
  },
  {
    name: 'a prefix where each name is spelt out',
    config: {
      subject: { CN: '"system:node:" + identity.user' },
      allowReserved: ['system:node:alice'],
    },
  },
  {
    name: 'a copy of what is the identity’s own',
    config: COPY,
    identity: { groups: ['system:masters'] },
    proven: await withSubject({ CN: 'alice' }, { O: 'system:masters' }),
  },
  {
    name: 'a copy of what is spelt out',
    config: { ...COPY, allowReserved: ['system:masters'] },
    proven: await withSubject({ CN: 'alice' }, { O: 'system:masters' }),
  },
  {
    name: 'what is not copied',
    config: { delegate: { subject: 'override' } },
    proven: await withSubject({ CN: 'system:admin' }),
  },
  {
    name: 'names that are dropped',
    config: { ...COPY, delegate: { subjectAltName: 'drop' } },
    proven: await withNames('upn', 'system:admin'),
  },
]

describe('a reserved name', () => {
  for (const { name, config, identity, proven } of REFUSED) {
    it(`is refused, though it came by ${name}`, () => {
      assert.equal(
        new Granting(config).code({ ...identity, certificateDer: proven }),
        'certificate-reserved',
      )
    })
  }
})

describe('a certificate', () => {
  for (const { name, config, identity, proven } of GIVEN) {
    it(`is given with ${name}`, () => {
      assert.equal(
        new Granting(config).code({ ...identity, certificateDer: proven }),
        'transformed',
      )
    })
  }
})

it('a proven certificate whose names cannot be decoded is not copied: certificate-unreadable', () => {
  const certificateDer = certificateOf({ subject: commonName('61ff') }) // no UTF-8
  assert.equal(new Granting(COPY).code({ certificateDer }), 'certificate-unreadable')
})
