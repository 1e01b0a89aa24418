// The limits of a CA: each of them, held and exceeded.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Limits, usableUntil } from '../../src/ca/limits.ts'
import type { Grant } from '../../src/grant/grant.ts'
import { notAuthority } from '../../src/x509/extensions.ts'
import { grantOf, NOW_S } from '../fakes/grant.ts'
import {
  AUTHORITY_ENDS,
  checkLimits,
  inPlace,
  judge,
  limitsConfig,
  namesOf,
  verdictOf,
  withExtensions,
  subject,
} from './limits-cases.ts'
import { cpuTime } from '../fakes/cpu-time.ts'

describe('the limit of a certificate’s time:', () => {
  const span = (from: number, to: number, renew = to): Partial<Grant> => ({
    notBefore: NOW_S + from,
    notAfter: NOW_S + to,
    renewAt: NOW_S + renew,
  })
  checkLimits([
    {
      name: 'allows the longest lifetime',
      limits: '{ lifetime: 1h }',
      grant: span(0, 3_600),
      want: 'within',
    },
    {
      name: 'refuses a second more',
      limits: '{ lifetime: 1h }',
      grant: span(0, 3_601),
      want: /^lifetime-exceeded: 2026-01-01T00:00:00.000Z to 2026-01-01T01:00:01.000Z/,
    },
    {
      name: 'counts the backdating',
      limits: '{ lifetime: 1h }',
      grant: span(-300, 3_600),
      want: /^lifetime-exceeded/,
    },
    { name: 'allows a day by default', grant: span(0, 86_400), want: 'within' },
    {
      name: 'refuses more than a day by default',
      grant: span(0, 86_401),
      want: /^lifetime-exceeded/,
    },
    { name: 'refuses a time that has ended', grant: span(-100, 0), want: /^grant-expired/ },
    { name: 'allows a time that ends in a second', grant: span(-100, 1), want: 'within' },
    {
      name: 'allows an ended slot, within the grace',
      grant: span(-100, 3_600, -59),
      want: 'within',
    },
    {
      name: 'refuses an ended slot, after the grace',
      grant: span(-100, 3_600, -60),
      want: /^grant-expired/,
    },
    {
      name: 'allows a beginning in the future, within the clock skew',
      grant: span(60, 3_600),
      want: 'within',
    },
    {
      name: 'refuses a beginning in the future',
      grant: span(61, 3_600),
      want: /^grant-not-yet-valid/,
    },
    {
      name: 'allows the lifetime of the CA',
      limits: '{ lifetime: 9999d }',
      grant: span(0, AUTHORITY_ENDS - NOW_S),
      want: 'within',
    },
    {
      name: 'refuses a lifetime beyond that of the CA',
      limits: '{ lifetime: 9999d }',
      grant: span(0, AUTHORITY_ENDS - NOW_S + 1),
      want: /^authority-expires: 2035-/,
    },
    { name: 'refuses an end before the beginning', grant: span(100, 0), want: /^grant-malformed/ },
    { name: 'refuses a lifetime of 0', grant: span(0, 0), want: /^grant-malformed/ },
    { name: 'refuses a time before 1970', grant: { notBefore: -1 }, want: /^grant-malformed/ },
    {
      name: 'refuses a time after the year 9999',
      limits: '{ lifetime: 999999999d }',
      grant: { notAfter: 253_402_300_800 },
      want: /^grant-malformed/,
    },
    {
      name: 'refuses fractions of a second',
      grant: { notAfter: NOW_S + 0.5 },
      want: /^grant-malformed/,
    },
    {
      name: 'refuses a time that is not a number',
      grant: { renewAt: Number.NaN },
      want: /^grant-malformed/,
    },
    {
      name: 'refuses an infinite time',
      grant: { notAfter: Number.POSITIVE_INFINITY },
      want: /^grant-malformed/,
    },
    {
      name: 'refuses a renewal time that a number cannot hold',
      grant: { renewAt: 2 ** 60 },
      want: /^grant-malformed/,
    },
  ])

  it('ends a minute after the slot, and never after the certificate', () => {
    assert.equal(usableUntil(grantOf({ renewAt: 100, notAfter: 1_000 })), 160)
    assert.equal(usableUntil(grantOf({ renewAt: 100, notAfter: 120 })), 120)
  })
})

describe('the limit of a certificate’s subject:', () => {
  checkLimits([
    {
      name: 'allows CN and O by default',
      grant: subject(['CN', 'a'], ['O', 'b'], ['O', 'c']),
      want: 'within',
    },
    {
      name: 'refuses another attribute',
      grant: subject(['CN', 'a'], ['OU', 'b']),
      want: /^subject-refused: OU: b$/,
    },
    {
      name: 'refuses an attribute without a known name',
      grant: subject(['CN', 'a'], ['1.2.3.4', 'b']),
      want: /^subject-refused: 1\.2\.3\.4: b$/,
    },
    {
      name: 'allows an attribute by its OID',
      limits: '{ subject: { CN: ["*"], 1.2.3.4: [b] } }',
      grant: subject(['CN', 'a'], ['1.2.3.4', 'b']),
      want: 'within',
    },
    {
      name: 'allows values that match patterns',
      limits: '{ subject: { CN: ["*@example.org", svc-*] } }',
      grant: subject(['CN', 'a@example.org'], ['CN', 'svc-b']),
      want: 'within',
    },
    {
      name: 'refuses a value that matches no pattern',
      limits: '{ subject: { CN: ["*@example.org"] } }',
      grant: subject(['CN', 'a@example.org.evil']),
      want: /^subject-refused: CN: a@example\.org\.evil$/,
    },
    {
      name: 'refuses where one of several values matches none',
      limits: '{ subject: { CN: [a, b] } }',
      grant: subject(['CN', 'a'], ['CN', 'c']),
      want: /^subject-refused: CN: c/,
    },
    {
      name: 'refuses a value in another case',
      limits: '{ subject: { CN: [alice] } }',
      grant: subject(['CN', 'Alice']),
      want: /^subject-refused/,
    },
    {
      name: 'refuses any value of an attribute with an empty list',
      limits: '{ subject: { CN: [] } }',
      grant: subject(['CN', 'a']),
      want: /^subject-refused/,
    },
    {
      name: 'allows any attribute with "*"',
      limits: '{ subject: { "*": [x*] } }',
      grant: subject(['CN', 'xa'], ['OU', 'xb'], ['1.2.3.4', 'xc']),
      want: 'within',
    },
    {
      name: 'refuses a value outside the patterns of any attribute',
      limits: '{ subject: { "*": [x*] } }',
      grant: subject(['OU', 'b']),
      want: /^subject-refused/,
    },
    {
      name: 'uses the patterns of a listed attribute, next to "*"',
      limits: '{ subject: { "*": ["*"], CN: [a] } }',
      grant: subject(['CN', 'b']),
      want: /^subject-refused: CN: b/,
    },
    {
      name: 'merges an attribute listed by name and by OID',
      limits: '{ subject: { CN: [a], 2.5.4.3: [b] } }',
      grant: subject(['CN', 'a'], ['CN', 'b']),
      want: 'within',
    },
    {
      name: 'refuses an empty subject',
      grant: subject(),
      want: /^subject-refused: an empty subject/,
    },
  ])
})

describe('the limit of reserved names:', () => {
  const NODES = '{ reserved: ["system:nodes"], subject: { "*": ["*"] } }'
  checkLimits([
    {
      name: 'refuses any by default',
      grant: subject(['CN', 'a'], ['O', 'system:nodes']),
      want: /^value-reserved: O: system:nodes/,
    },
    {
      name: 'allows a listed one in O',
      limits: NODES,
      grant: subject(['CN', 'a'], ['O', 'system:nodes']),
      want: 'within',
    },
    {
      name: 'allows a listed one in CN',
      limits: NODES,
      grant: subject(['CN', 'system:nodes']),
      want: 'within',
    },
    {
      name: 'refuses a listed one in another attribute',
      limits: NODES,
      grant: subject(['CN', 'a'], ['OU', 'system:nodes']),
      want: /^value-reserved: OU/,
    },
    {
      name: 'refuses another one in addition',
      limits: NODES,
      grant: subject(['O', 'system:nodes'], ['O', 'system:masters']),
      want: /^value-reserved: O: system:masters/,
    },
    {
      name: 'refuses a listed one in another spelling',
      limits: NODES,
      grant: subject(['CN', 'a'], ['O', 'System:nodes']),
      want: /^value-reserved/,
    },
    {
      name: 'refuses one in a UPN',
      limits: '{ subjectAltName: { upn: ["*"] } }',
      grant: withExtensions(namesOf(['upn', 'system:masters'])),
      want: /^value-reserved: upn/,
    },
    {
      name: 'refuses one in a mailbox',
      limits: '{ subjectAltName: { email: ["*"] } }',
      grant: withExtensions(namesOf(['email', 'SYSTEM:a@b'])),
      want: /^value-reserved: email/,
    },
    {
      name: 'refuses one in a URI',
      limits: '{ subjectAltName: { uri: ["*"] } }',
      grant: withExtensions(namesOf(['uri', 'system:masters'])),
      want: /^value-reserved: uri/,
    },
    {
      name: 'refuses one in a DNS name',
      limits: '{ subjectAltName: { dns: ["*"] } }',
      grant: withExtensions(namesOf(['dns', 'system:masters'])),
      want: /^value-reserved: dns/,
    },
  ])
})

describe('a grant within its limits', () => {
  it('is reported with its names as text', () => {
    const verdict = judge('{ subjectAltName: { dns: [a] } }', withExtensions(namesOf(['dns', 'a'])))
    assert.equal(verdict.outcome, 'within')
    assert.deepEqual(verdict.names, [{ kind: 'dns', value: 'a' }])
    assert.deepEqual(
      verdict.subject.map(({ value }) => value),
      ['alice', 'developers'],
    )
  })

  it('is checked in linear time, however large', () => {
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

  it('may say in one way only that it is not a CA', () => {
    assert.equal(verdictOf('{}', inPlace(notAuthority)), 'within')
  })
})
