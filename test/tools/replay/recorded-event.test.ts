// Lines of the audit log, read: which decisions the rules had a say in, and what they came to.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readDecision, type Outcome } from '../../../src/tools/replay/recorded-event.ts'
import {
  askedIn,
  decisionLine,
  decisionOf,
  refusalLine,
  type EventFields,
} from '../../fakes/audit-lines.ts'

const ALLOWED: Outcome = { decision: 'allow', reason: 'permitted', rule: 'all' }
const KUBERNETES = { verb: 'list', apiVersion: 'v1', resource: 'pods' }

describe('readDecision', () => {
  const OUTCOMES: readonly { name: string; input: EventFields; want: Outcome | undefined }[] = [
    { name: 'a permit', input: decisionLine(), want: ALLOWED },
    {
      name: 'a refusal by a rule',
      input: refusalLine('rule-denied', { rule: 'no' }),
      want: { decision: 'deny', reason: 'rule-denied', rule: 'no' },
    },
    {
      name: 'a rule that failed',
      input: refusalLine('rule-failed', { rule: 'odd' }),
      want: { decision: 'deny', reason: 'rule-failed', rule: 'odd' },
    },
    ...(['no-rule', 'operation-undefined', 'scope-missing', 'authorizer-unavailable'] as const).map(
      (reason) => ({
        name: reason,
        input: refusalLine(reason),
        want: { decision: 'deny', reason, rule: undefined } as const,
      }),
    ),
    {
      name: 'impersonation that no rule allowed',
      input: refusalLine('impersonation', { kubernetes: KUBERNETES }),
      want: { decision: 'deny', reason: 'impersonation', rule: undefined },
    },
    {
      name: 'impersonation on another route',
      input: refusalLine('impersonation'),
      want: undefined,
    },
    {
      name: 'a credential that could not be made, after a permit',
      input: refusalLine('headers-too-large', { rule: 'all' }),
      want: ALLOWED,
    },
    {
      name: 'a credential that could not be made just now, after a permit of some rule',
      input: refusalLine('transform-unavailable'),
      want: { ...ALLOWED, rule: undefined },
    },
    {
      name: 'a certificate missing before the rules',
      input: refusalLine('certificate-missing'),
      want: undefined,
    },
    ...[
      'credential-missing',
      'malformed-path',
      'no-route',
      'deadline-exceeded',
      'cancelled',
      'internal-error',
    ].map((reason) => ({ name: reason, input: refusalLine(reason), want: undefined })),
  ]
  for (const { name, input, want } of OUTCOMES) {
    it(`knows what the rules came to: ${name}`, () => {
      assert.deepEqual(decisionOf(input).asked?.outcome, want)
    })
  }

  it('needs little of a decision that was made before the rules', () => {
    const line = { event: 'decision', time: '2026-01-01T00:00:00Z', id: 'x', decision: 'deny' }
    const { asked, at } = decisionOf({ ...line, reason: 'malformed-path' })
    assert.equal(asked, undefined)
    assert.equal(at, Date.UTC(2026, 0, 1))
  })

  it('knows who asked, and by which link of the chain', () => {
    const { identity, link } = askedIn(
      decisionLine({ authenticator: 'cards+staff', groupsOmitted: 3 }),
    )
    assert.equal(link, 'cards+staff')
    assert.deepEqual(identity, {
      user: 'alice',
      groups: ['dev', 'ops'],
      authenticator: 'cards', // the first gives the identity
      method: 'basic',
      digest: 'fingerprint',
      extra: {},
      groupsOmitted: 3,
    })
  })

  for (const input of [
    {},
    { event: 'configuration-loaded', generation: 1, file: 'x' },
    { event: 'certificate-issued', handle: 'h' },
    { level: 30, msg: 'listening' },
    { event: ['decision'] },
    { event: 'Decision' },
  ]) {
    it(`leaves other lines alone: ${JSON.stringify(input)}`, () => {
      assert.deepEqual(readDecision(input), { outcome: 'other' })
    })
  }

  it('counts the decisions of a summary of refusals', () => {
    const summary = { event: 'refusals-summary', count: 12, logins: 2 }
    assert.deepEqual(readDecision(summary), { outcome: 'summary', count: 10 })
    assert.deepEqual(readDecision({ ...summary, count: 'x' }), {
      outcome: 'malformed',
      field: 'count',
    })
  })

  it('ignores fields that it does not know', () => {
    assert.deepEqual(askedIn(decisionLine({ future: { a: 1 }, rules: [] })), askedIn())
  })

  const MALFORMED: readonly { field: string; input: EventFields }[] = [
    ...['id', 'time', 'method', 'host', 'path', 'source', 'user', 'groups', 'route'].flatMap(
      (field) =>
        [undefined, null, 7, {}, [7]].map((value) => ({ field, input: { [field]: value } })),
    ),
    ...['authenticator', 'authentication', 'rule', 'duration', 'reason'].map((field) => ({
      field,
      input: { [field]: undefined },
    })),
    { field: 'time', input: { time: 'yesterday' } },
    { field: 'groups', input: { groups: 'dev' } },
    { field: 'groups', input: { groups: ['dev', null] } },
    { field: 'groupsOmitted', input: { groupsOmitted: 'many' } },
    { field: 'queryOmitted', input: { queryOmitted: 'yes' } },
    { field: 'authentication', input: { authentication: 'constructor' } },
    { field: 'reason', input: { reason: 'toString' } },
    { field: 'duration', input: { duration: -1 } },
    { field: 'decision', input: { decision: 'maybe' } },
    { field: 'decision', input: { decision: 'deny' } },
    { field: 'decision', input: { reason: 'no-rule' } },
    { field: 'rule', input: { rule: ['all'] } },
    { field: 'shadow', input: { shadow: {} } },
    { field: 'shadow[1].rule', input: { shadow: [{ rule: 'a', decision: 'deny' }, null] } },
    { field: 'shadow[0].decision', input: { shadow: [{ rule: 'a', decision: 'x' }] } },
    { field: 'kubernetes', input: { kubernetes: [] } },
    { field: 'kubernetes.verb', input: { kubernetes: {} } },
    { field: 'kubernetes.name', input: { kubernetes: { verb: 'get', name: 7 } } },
    {
      field: 'kubernetes.impersonation',
      input: { kubernetes: { verb: 'get', impersonation: 'x' } },
    },
    {
      field: 'kubernetes.impersonation.groups',
      input: { kubernetes: { verb: 'get', impersonation: { user: 'a', groups: 'b' } } },
    },
  ]
  for (const { field, input } of MALFORMED) {
    it(`hostile: names the field that is wrong: ${JSON.stringify(input)}`, () => {
      const line = { ...decisionLine(), ...input }
      // A permit names its rule, and "duration" is there in any case.
      assert.deepEqual(readDecision(line), { outcome: 'malformed', field })
    })
  }
})
