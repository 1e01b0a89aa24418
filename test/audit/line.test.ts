// An audit line says what the event says, field for field, whatever was written of the client before.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AuditEvent, DecisionEvent } from '../../src/audit/event.ts'
import { auditLine } from '../../src/audit/line.ts'

const NOW = Date.UTC(2026, 10, 27, 12, 0, 0, 5)

const GROUPS: readonly string[] = ['dev', 'on "call"']
const PRESENTED = { proven: true, iss: 'https://issuer.example.org', aud: ['app'] }

const WHOLE: Required<DecisionEvent> = {
  event: 'decision',
  id: '0b1c',
  request: 'f3a0',
  decision: 'allow',
  reason: 'permitted',
  status: 200,
  route: 'app',
  method: 'GET',
  host: 'app.example.org',
  path: '/a?b=[withheld]',
  queryOmitted: true,
  source: '203.0.113.7',
  user: 'alice',
  userHash: 'hash',
  groups: GROUPS,
  groupsOmitted: 2,
  authenticator: 'staff',
  authentication: 'bearer',
  credential: 'fingerprint',
  presented: PRESENTED,
  rule: 'all',
  shadow: [{ rule: 'stricter', decision: 'deny' }],
  detail: 'the reason',
  kubernetes: { verb: 'get', resource: 'pods' },
  operation: 'listPods',
  forwarded: ['headers'],
  handle: 'digest',
  jti: ['one', 'two'],
  truncated: true,
  duration: 1_234,
  generation: 3,
}

const objectOf = (text: string): object => {
  const value: unknown = JSON.parse(text)
  assert.ok(typeof value === 'object' && value !== null)
  return value
}

/** What a reader of the line gets. */
const read = (event: AuditEvent, now = NOW): object => {
  const line = `${auditLine(event, now)}}`
  assert.ok(!line.includes('\n'), line)
  return objectOf(line)
}

const expected = (event: AuditEvent, time = '2026-11-27T12:00:00.005Z'): unknown => ({
  log: 'audit',
  time,
  // Without the fields that are undefined.
  ...objectOf(JSON.stringify(event)),
})

const HOSTILE = [
  'a "quoted" name',
  String.raw`back\slash`,
  'line\nfeed and \u0000',
  'jürgen',
  '\u2028',
  'lone \ud800 surrogate',
  '😀',
  '',
]

describe('an audit line', () => {
  it('has every field of a decision, in the order of the type', () => {
    assert.deepEqual(read(WHOLE), expected(WHOLE))
    const fields = Object.keys(read(WHOLE))
    assert.deepEqual(fields, ['log', 'time', ...Object.keys(WHOLE)])
  })

  it('leaves out what is undefined', () => {
    const bare: DecisionEvent = {
      event: 'decision',
      id: '1',
      request: undefined,
      decision: 'deny',
      reason: 'internal-error',
      status: 503,
      duration: 0,
      generation: 1,
    }
    assert.deepEqual(read(bare), expected(bare))
  })

  for (const name of [
    'id',
    'request',
    'route',
    'method',
    'host',
    'path',
    'source',
    'user',
    'rule',
    'detail',
  ] as const) {
    it(`escapes what a client can put into "${name}"`, () => {
      for (const text of HOSTILE) {
        const event = { ...WHOLE, [name]: text }
        assert.deepEqual(read(event), expected(event))
        const usual = { ...event, queryOmitted: undefined }
        assert.deepEqual(read(usual), expected(usual))
      }
    })
  }

  it('lists several credentials for the upstream', () => {
    const event = { ...WHOLE, forwarded: ['headers', 'certificate'] as const }
    assert.deepEqual(read(event), expected(event))
    assert.deepEqual(read({ ...WHOLE, forwarded: [] }), expected({ ...WHOLE, forwarded: [] }))
  })

  it('has the fields of every other event', () => {
    const event: AuditEvent = {
      event: 'configuration-loaded',
      generation: 2,
      file: '/etc/"c".yaml',
    }
    assert.deepEqual(read(event), expected(event))
  })

  it('has the time of each event', () => {
    assert.deepEqual(read(WHOLE, NOW + 1), expected(WHOLE, '2026-11-27T12:00:00.006Z'))
    assert.deepEqual(read(WHOLE, NOW), expected(WHOLE))
  })
})

describe('the cached parts of an audit line about the decision', () => {
  const { shadow: _shadow, detail: _detail, ...usual } = WHOLE
  // Of the same length: found in the same place.
  const OTHERS: Partial<DecisionEvent> = {
    decision: 'deny',
    reason: 'no-route',
    status: 264,
    route: 'api',
    method: 'PUT',
    host: 'web.example.org',
    rule: 'any',
    shadow: [{ rule: 'stricter', decision: 'deny' }],
    detail: 'the reason',
    operation: 'readPods',
    forwarded: ['passthrough'],
  }
  for (const [field, other] of Object.entries(OTHERS)) {
    it(`are made again where "${field}" differs`, () => {
      assert.deepEqual(read(usual), expected(usual))
      const event = { ...usual, [field]: other }
      assert.deepEqual(read(event), expected(event))
      assert.deepEqual(read(usual), expected(usual))
    })
  }
})

describe('the cached part of an audit line about the client', () => {
  const OTHERS: Partial<DecisionEvent> = {
    user: 'bob',
    userHash: 'other',
    groupsOmitted: 3,
    authenticator: 'others',
    authentication: 'basic',
    credential: 'another',
    presented: { proven: false },
    groups: ['dev'],
  }
  for (const [field, other] of Object.entries(OTHERS)) {
    it(`is made again where "${field}" differs`, () => {
      assert.deepEqual(read(WHOLE), expected(WHOLE))
      const event = { ...WHOLE, [field]: other }
      assert.deepEqual(read(event), expected(event))
      const without = { ...WHOLE, [field]: undefined }
      assert.deepEqual(read(without), expected(without))
      assert.deepEqual(read(WHOLE), expected(WHOLE))
    })
  }
})
