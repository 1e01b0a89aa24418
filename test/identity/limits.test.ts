// How large an identity may be, how certificates are mapped, and what operators read about both.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Claims } from '../../src/identity/claims.ts'
import type { CertificateFields } from '../../src/identity/certificate-fields.ts'
import { IdentityMapping, type MappingResult } from '../../src/identity/mapping.ts'
import { credentialOf } from '../fakes/authenticator.ts'
import { identityConfigOf, mapped } from '../fakes/mapping.ts'

describe('the limits of an identity', () => {
  const LIMITED = 'limits: { user: 18, uid: 4, extra: 8, extraValues: 2 }\n'
  const CASES: readonly {
    name: string
    section: string
    claims: Claims
    want: string | undefined
  }[] = [
    {
      name: 'accept a user of 18 bytes',
      section: 'user: claims.x',
      claims: { x: 'a'.repeat(18) },
      want: undefined,
    },
    {
      name: 'refuse a user of 19 bytes',
      section: 'user: claims.x',
      claims: { x: 'a'.repeat(19) },
      want: '19 bytes of user, where there may be 18',
    },
    {
      name: 'count the bytes of the user, not the characters',
      section: 'user: claims.x',
      claims: { x: 'ä'.repeat(10) },
      want: '20 bytes of user, where there may be 18',
    },
    {
      name: 'refuse a uid of 5 bytes',
      section: 'uid: claims.x',
      claims: { x: 'abcde' },
      want: '5 bytes of uid, where there may be 4',
    },
    {
      name: 'accept two values of extra',
      section: 'extra: { k: claims.x }',
      claims: { x: ['ab', 'cd'] },
      want: undefined,
    },
    {
      name: 'refuse three values of extra',
      section: 'extra: { k: claims.x }',
      claims: { x: ['a', 'b', 'c'] },
      want: '3 values of extra, where there may be 2',
    },
    {
      name: 'refuse values of extra that are too long together with their key',
      section: 'extra: { k: claims.x }',
      claims: { x: ['abc', 'bcde'] },
      want: '9 bytes of extra, where there may be 8',
    },
  ]
  for (const { name, section, claims, want } of CASES) {
    it(name, () => {
      const result = mapped(`${LIMITED}${section}`, claims)
      if (result.outcome === 'refused') assert.equal(result.code, 'identity-too-large')
      assert.equal(result.outcome === 'refused' ? result.detail : undefined, want)
    })
  }

  it('have defaults for user, uid and extra', () => {
    const long = 'x'.repeat(1_025)
    const mapping = new IdentityMapping('staff', { allowReserved: [] })
    for (const credential of [
      { user: long },
      { uid: long },
      { extra: { a: ['x'.repeat(4_096)] } },
      { extra: { a: Array.from({ length: 33 }, () => 'x') } },
    ]) {
      const result = mapping.identityOf(credentialOf(credential))
      assert.equal(result.outcome === 'refused' && result.code, 'identity-too-large')
    }
    assert.equal(mapping.identityOf(credentialOf({ user: 'x'.repeat(1_024) })).outcome, 'identity')
  })
})

describe('the mapping of a certificate', () => {
  const CERTIFICATE: CertificateFields = {
    subject: { CN: ['alice'], O: ['dev', 'ops'], OU: ['a', 'b'] },
    subjectName: 'CN=alice,O=dev+O=ops',
    issuerName: 'CN=ca',
    dns: [],
    uris: ['spiffe://example.org/ns/a/sa/b'],
    emails: ['alice@example.org'],
    ips: [],
    upns: ['Alice@CORP.example'],
    serial: '0a',
    fingerprint: '0b',
    purposes: [],
    policies: [],
    extensions: {},
  }
  const CASES: readonly { readonly section: string; readonly want: unknown }[] = [
    {
      section: 'user: certificate.subject.CN\ngroups: certificate.subject.O',
      want: ['alice', ['dev', 'ops']],
    },
    { section: 'user: certificate.subject.CN[0]', want: ['alice', []] },
    { section: 'user: certificate.subject["CN"][0]', want: ['alice', []] },
    { section: 'user: certificate.subject.OU', want: 'identity-unmapped' },
    { section: 'user: certificate.subject.UID', want: 'identity-unmapped' },
    { section: 'user: certificate.emails[0]', want: ['alice@example.org', []] },
    { section: 'user: certificate.upns[0].lowerAscii()', want: ['alice@corp.example', []] },
    { section: 'user: certificate.dns[0]', want: 'identity-unmapped' },
    { section: 'user: certificate.subjectName', want: ['CN=alice,O=dev+O=ops', []] },
    {
      section: 'user: regex.extract(certificate.uris[0], "/sa/([^/]+)$").value()',
      want: ['b', []],
    },
    { section: 'groups: certificate.?subject.?Q.orValue([])', want: ['alice', []] },
  ]
  for (const { section, want } of CASES) {
    it(`maps the section ${section.replace('\n', ', ')}`, () => {
      const identity = identityConfigOf(section, 'certificate')
      const mapping = new IdentityMapping('cards', { allowReserved: [], identity })
      const result = mapping.identityOf(credentialOf({ certificate: CERTIFICATE }))
      const got =
        result.outcome === 'refused' ? result.code : [result.identity.user, result.identity.groups]
      assert.deepEqual(got, want)
    })
  }
})

describe('a report to operators about a mapping', () => {
  const reportsOf = (section: string, claims: Claims): readonly MappingResult[] => {
    const reports: MappingResult[] = []
    const identity = identityConfigOf(section)
    const mapping = new IdentityMapping('tokens', { allowReserved: [], identity }, (result) =>
      reports.push(result),
    )
    const credential = credentialOf({ claims })
    assert.equal(mapping.identityOf(credential), mapping.identityOf(credential))
    return reports
  }

  it('names every expression that failed and why, once, and never a value', () => {
    const reports = reportsOf(
      'user: claims.email\nuid: claims.a\ngroups: { from: claims.groups }\nextra: { team: claims.team }',
      { email: { secret: 'hunter2' }, a: ['hunter2', 'x'], team: 5 },
    )
    assert.equal(reports.length, 1)
    assert.deepEqual(reports[0], {
      outcome: 'refused',
      code: 'identity-unmapped',
      detail: [
        'user: yields an object, where string or list<string> belongs',
        'uid: yields 2 values, where one belongs',
        'groups: no_such_key (at character 8)',
        'extra.team: yields a number, where string or list<string> belongs',
      ].join('; '),
    })
  })

  it('names the field of a refused value', () => {
    const detailOf = (section: string, claims: Claims): unknown =>
      reportsOf(section, claims).map((result) => result.outcome === 'refused' && result.detail)
    assert.deepEqual(detailOf('user: claims.x', { x: 'a\n' }), ['user'])
    assert.deepEqual(detailOf('groups: claims.x', { x: ['a\n'] }), ['groups'])
    assert.deepEqual(detailOf('user: claims.x', { x: 'system:a' }), ['user'])
    assert.deepEqual(detailOf('groups: claims.x', { x: ['system:a'] }), ['groups'])
    assert.deepEqual(detailOf('user: claims.x', { x: [] }), ['user: yields no value'])
  })

  it('counts the omitted groups', () => {
    const [report] = reportsOf('groups: { from: claims.g, max: 1, onExcess: truncate }', {
      g: ['a', 'b'],
    })
    assert.equal(report?.outcome === 'identity' && report.identity.groupsOmitted, 1)
  })

  it('is not made for an identity as expected', () => {
    assert.deepEqual(reportsOf('user: claims.x', { x: 'a' }), [])
  })
})
