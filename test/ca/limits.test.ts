// The limits of a CA: each of them, held and exceeded.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Limits, usableUntil } from '../../src/ca/limits.ts'
import type { Grant } from '../../src/grant/grant.ts'
import { notAuthority } from '../../src/x509/extensions.ts'
import { grantOf, NOW_S, subjectOf } from '../fakes/grant.ts'
import {
  AUTHORITY_ENDS,
  checkLimits,
  inPlace,
  judge,
  limitsConfig,
  namesOf,
  verdictOf,
  withExtensions,
} from './limits-cases.ts'
import { cpuTime } from '../fakes/cpu-time.ts'

const subject = (...attributes: readonly (readonly [string, string])[]): Partial<Grant> => ({
  subject: subjectOf(...attributes),
})

describe('the limit of the time', () => {
  const span = (from: number, to: number, renew = to): Partial<Grant> => ({
    notBefore: NOW_S + from,
    notAfter: NOW_S + to,
    renewAt: NOW_S + renew,
  })
  checkLimits([
    {
      name: 'as long as the limit',
      limits: '{ lifetime: 1h }',
      grant: span(0, 3_600),
      want: 'within',
    },
    {
      name: 'a second longer',
      limits: '{ lifetime: 1h }',
      grant: span(0, 3_601),
      want: /^lifetime-exceeded: 2026-01-01T00:00:00.000Z to 2026-01-01T01:00:01.000Z/,
    },
    {
      name: 'what is backdated counts',
      limits: '{ lifetime: 1h }',
      grant: span(-300, 3_600),
      want: /^lifetime-exceeded/,
    },
    { name: 'a day by default', grant: span(0, 86_400), want: 'within' },
    { name: 'more than a day by default', grant: span(0, 86_401), want: /^lifetime-exceeded/ },
    { name: 'a time that is over', grant: span(-100, 0), want: /^grant-expired/ },
    { name: 'over in a second', grant: span(-100, 1), want: 'within' },
    { name: 'the slot over, within the grace', grant: span(-100, 3_600, -59), want: 'within' },
    { name: 'the slot over, and the grace', grant: span(-100, 3_600, -60), want: /^grant-expired/ },
    { name: 'not yet begun, as clocks differ', grant: span(60, 3_600), want: 'within' },
    { name: 'not yet begun', grant: span(61, 3_600), want: /^grant-not-yet-valid/ },
    {
      name: 'as long as the CA',
      limits: '{ lifetime: 9999d }',
      grant: span(0, AUTHORITY_ENDS - NOW_S),
      want: 'within',
    },
    {
      name: 'longer than the CA',
      limits: '{ lifetime: 9999d }',
      grant: span(0, AUTHORITY_ENDS - NOW_S + 1),
      want: /^authority-expires: 2035-/,
    },
    { name: 'the wrong way round', grant: span(100, 0), want: /^grant-malformed/ },
    { name: 'of no length', grant: span(0, 0), want: /^grant-malformed/ },
    { name: 'a time before 1970', grant: { notBefore: -1 }, want: /^grant-malformed/ },
    {
      name: 'a time after the year 9999',
      limits: '{ lifetime: 999999999d }',
      grant: { notAfter: 253_402_300_800 },
      want: /^grant-malformed/,
    },
    {
      name: 'a time in fractions of a second',
      grant: { notAfter: NOW_S + 0.5 },
      want: /^grant-malformed/,
    },
    {
      name: 'a time that is not a number',
      grant: { renewAt: Number.NaN },
      want: /^grant-malformed/,
    },
    {
      name: 'beyond all numbers',
      grant: { notAfter: Number.POSITIVE_INFINITY },
      want: /^grant-malformed/,
    },
    {
      name: 'renewed beyond what a number holds',
      grant: { renewAt: 2 ** 60 },
      want: /^grant-malformed/,
    },
  ])

  it('ends a minute after the slot, and never after the certificate', () => {
    assert.equal(usableUntil(grantOf({ renewAt: 100, notAfter: 1_000 })), 160)
    assert.equal(usableUntil(grantOf({ renewAt: 100, notAfter: 120 })), 120)
  })
})

describe('the limit of the subject', () => {
  checkLimits([
    {
      name: 'CN and O by default',
      grant: subject(['CN', 'a'], ['O', 'b'], ['O', 'c']),
      want: 'within',
    },
    {
      name: 'another attribute',
      grant: subject(['CN', 'a'], ['OU', 'b']),
      want: /^subject-refused: OU: b$/,
    },
    {
      name: 'an attribute without a name',
      grant: subject(['CN', 'a'], ['1.2.3.4', 'b']),
      want: /^subject-refused: 1\.2\.3\.4: b$/,
    },
    {
      name: 'an attribute by its OID',
      limits: '{ subject: { CN: ["*"], 1.2.3.4: [b] } }',
      grant: subject(['CN', 'a'], ['1.2.3.4', 'b']),
      want: 'within',
    },
    {
      name: 'values that match patterns',
      limits: '{ subject: { CN: ["*@example.org", svc-*] } }',
      grant: subject(['CN', 'a@example.org'], ['CN', 'svc-b']),
      want: 'within',
    },
    {
      name: 'no pattern that matches',
      limits: '{ subject: { CN: ["*@example.org"] } }',
      grant: subject(['CN', 'a@example.org.evil']),
      want: /^subject-refused: CN: a@example\.org\.evil$/,
    },
    {
      name: 'one value of several that matches none',
      limits: '{ subject: { CN: [a, b] } }',
      grant: subject(['CN', 'a'], ['CN', 'c']),
      want: /^subject-refused: CN: c/,
    },
    {
      name: 'a value whose case differs',
      limits: '{ subject: { CN: [alice] } }',
      grant: subject(['CN', 'Alice']),
      want: /^subject-refused/,
    },
    {
      name: 'no value of an attribute',
      limits: '{ subject: { CN: [] } }',
      grant: subject(['CN', 'a']),
      want: /^subject-refused/,
    },
    {
      name: 'any attribute',
      limits: '{ subject: { "*": [x*] } }',
      grant: subject(['CN', 'xa'], ['OU', 'xb'], ['1.2.3.4', 'xc']),
      want: 'within',
    },
    {
      name: 'any attribute, but not with any value',
      limits: '{ subject: { "*": [x*] } }',
      grant: subject(['OU', 'b']),
      want: /^subject-refused/,
    },
    {
      name: 'one that is listed, next to any other',
      limits: '{ subject: { "*": ["*"], CN: [a] } }',
      grant: subject(['CN', 'b']),
      want: /^subject-refused: CN: b/,
    },
    {
      name: 'one that is listed by name and by OID',
      limits: '{ subject: { CN: [a], 2.5.4.3: [b] } }',
      grant: subject(['CN', 'a'], ['CN', 'b']),
      want: 'within',
    },
    { name: 'an empty subject', grant: subject(), want: /^subject-refused: an empty subject/ },
  ])
})

describe('the limit of reserved names', () => {
  const NODES = '{ reserved: ["system:nodes"], subject: { "*": ["*"] } }'
  checkLimits([
    {
      name: 'none by default',
      grant: subject(['CN', 'a'], ['O', 'system:nodes']),
      want: /^value-reserved: O: system:nodes/,
    },
    {
      name: 'one that is listed, in O',
      limits: NODES,
      grant: subject(['CN', 'a'], ['O', 'system:nodes']),
      want: 'within',
    },
    {
      name: 'one that is listed, in CN',
      limits: NODES,
      grant: subject(['CN', 'system:nodes']),
      want: 'within',
    },
    {
      name: 'one that is listed, elsewhere',
      limits: NODES,
      grant: subject(['CN', 'a'], ['OU', 'system:nodes']),
      want: /^value-reserved: OU/,
    },
    {
      name: 'another one next to it',
      limits: NODES,
      grant: subject(['O', 'system:nodes'], ['O', 'system:masters']),
      want: /^value-reserved: O: system:masters/,
    },
    {
      name: 'one that is listed, spelt otherwise',
      limits: NODES,
      grant: subject(['CN', 'a'], ['O', 'System:nodes']),
      want: /^value-reserved/,
    },
    {
      name: 'in a UPN',
      limits: '{ subjectAltName: { upn: ["*"] } }',
      grant: withExtensions(namesOf(['upn', 'system:masters'])),
      want: /^value-reserved: upn/,
    },
    {
      name: 'in a mailbox',
      limits: '{ subjectAltName: { email: ["*"] } }',
      grant: withExtensions(namesOf(['email', 'SYSTEM:a@b'])),
      want: /^value-reserved: email/,
    },
    {
      name: 'in a URI',
      limits: '{ subjectAltName: { uri: ["*"] } }',
      grant: withExtensions(namesOf(['uri', 'system:masters'])),
      want: /^value-reserved: uri/,
    },
    {
      name: 'in a DNS name',
      limits: '{ subjectAltName: { dns: ["*"] } }',
      grant: withExtensions(namesOf(['dns', 'system:masters'])),
      want: /^value-reserved: dns/,
    },
  ])
})

describe('a grant within its limits', () => {
  it('is reported with its text', () => {
    const verdict = judge('{ subjectAltName: { dns: [a] } }', withExtensions(namesOf(['dns', 'a'])))
    assert.equal(verdict.outcome, 'within')
    assert.deepEqual(verdict.names, [{ kind: 'dns', value: 'a' }])
    assert.deepEqual(
      verdict.subject.map(({ value }) => value),
      ['alice', 'developers'],
    )
  })

  it('is looked through in no time, however large', () => {
    const organizations = Array.from({ length: 20_000 }, (_, index) => ['O', `g${index}`] as const)
    const grant = grantOf(subject(['CN', 'a'], ...organizations))
    const limits = new Limits(
      limitsConfig('{ subject: { CN: ["*"], O: ["*a*a*a*b", "g*"] } }'),
      1e11,
    )
    const start = cpuTime()
    assert.equal(limits.check(grant, NOW_S * 1_000).outcome, 'within')
    assert.ok(cpuTime() - start < 2_000)
  })

  it('says in only one way that it is not a CA', () => {
    assert.equal(verdictOf('{}', inPlace(notAuthority)), 'within')
  })
})
