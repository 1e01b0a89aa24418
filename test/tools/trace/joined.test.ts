// What joins a login, the tokens that it led to, the decisions by them, and what Envoy refused by itself.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isAlarming, isEmpty, type Trace } from '../../../src/tools/trace/report.ts'
import { decisionLine } from '../../fakes/audit-lines.ts'
import { logOf } from '../../fakes/traced-lines.ts'
import { traceIn } from './tracing.ts'

const LOGIN = 'lOgIn-of-bob'
const TOKEN = 'jti-of-the-access-token'
const at = (second: number): string => `2026-11-27T10:00:0${second}.000Z`

const LINES = [
  { event: 'login', time: at(0), request: 'r-0', login: LOGIN, outcome: 'succeeded', user: 'bob' },
  {
    event: 'tokens-issued',
    time: at(1),
    request: 'r-1',
    login: LOGIN,
    jti: [TOKEN],
    grantType: 'code',
  },
  { event: 'tokens-issued', time: at(2), request: 'r-2', login: LOGIN, jti: ['another token'] },
  { event: 'login', time: at(2), request: 'r-3', login: 'login of eve', user: 'eve' },
  { event: 'tokens-issued', time: at(2), request: 'r-4', login: 'login of eve', jti: ['of eve'] },
  decisionLine({
    id: 'd-1',
    time: at(3),
    presented: { proven: true, jti: TOKEN, iss: 'https://as' },
  }),
  decisionLine({
    id: 'd-2',
    time: at(4),
    presented: { proven: true, login: LOGIN, id: 'session-1' },
  }),
  decisionLine({ id: 'd-3', time: at(5), presented: { proven: false, jti: TOKEN } }),
  decisionLine({ id: 'd-4', time: at(5), presented: { proven: true, jti: 'of eve' } }),
  { event: 'login-renewed', time: at(6), login: LOGIN, user: 'bob', provider: 'google' },
  { event: 'login-ended', time: at(7), login: LOGIN, user: 'bob', cause: 'not-renewed' },
]
const audit = logOf(...LINES)

const reportedIn = ({ logins, reports }: Trace) => ({
  logins: logins.map(({ time, event }) => `${time.slice(-6, -5)} ${event}`),
  decisions: reports.map(({ decision }) => decision.id),
})

describe('the jti of an incoming token', () => {
  it('leads to its decisions, its issuance and its login', async () => {
    assert.deepEqual(reportedIn(await traceIn({ audit }, TOKEN)), {
      logins: ['0 login', '1 tokens-issued', '6 login-renewed', '7 login-ended'],
      decisions: ['d-1', 'd-3'],
    })
  })
})

describe('the id of a login', () => {
  it('leads to all of its events and to the decisions by its sessions', async () => {
    assert.deepEqual(reportedIn(await traceIn({ audit }, LOGIN)), {
      logins: ['0 login', '1 tokens-issued', '2 tokens-issued', '6 login-renewed', '7 login-ended'],
      decisions: ['d-2'],
    })
  })
})

describe('the id of a decision', () => {
  it('leads to the login of its credential, and to no other', async () => {
    for (const id of ['d-1', 'd-2']) {
      const { logins, reports } = await traceIn({ audit }, id)
      assert.deepEqual(
        reports.map(({ decision }) => decision.id),
        [id],
      )
      assert.equal(logins[0]?.user, 'bob', id)
      assert.ok(logins.every(({ user = 'bob' }) => user === 'bob'))
    }
  })
})

describe('the credential presented with a decision', () => {
  const presented = { proven: false, subject: 'CN=old', serial: '0abc', fingerprint: 'f1f2' }
  const certificate = logOf(decisionLine({ id: 'd-5', presented }), ...LINES)

  it('leads to it by serial number and fingerprint of the certificate, and by the id of a key', async () => {
    const found = await Promise.all(
      ['0abc', 'f1f2'].map((id) => traceIn({ audit: certificate }, id)),
    )
    for (const { reports } of found) assert.equal(reports[0]?.decision.id, 'd-5')
    assert.equal((await traceIn({ audit }, 'session-1')).reports[0]?.decision.id, 'd-2')
  })

  it('leads nowhere by its names', async () => {
    assert.ok(isEmpty(await traceIn({ audit: certificate }, 'CN=old')))
  })
})

describe('what Envoy refused by itself', () => {
  const refused = {
    log: 'envoy',
    event: 'connection-refused',
    time: at(1),
    reason: 'TLS_error:certificate_has_expired',
    flags: '-',
    source: '203.0.113.9',
    subject: 'CN=old',
    serial: '0abc',
    fingerprint: 'f1f2',
  }
  const failed = {
    log: 'envoy',
    event: 'request-failed',
    time: at(4),
    reason: 'upstream_reset_before_response_started',
    status: 503,
    source: '203.0.113.10',
    request: 'r-9',
    decision: 'd-1',
  }
  const envoy = logOf(refused, failed)

  it('is found by source address, serial number and fingerprint', async () => {
    for (const id of ['203.0.113.9', '0abc', 'f1f2']) {
      const trace = await traceIn({ audit, envoy }, id)
      assert.deepEqual(
        trace.failures.map(({ reason }) => reason),
        [refused.reason],
        id,
      )
      assert.ok(!isAlarming(trace))
    }
  })

  it('is reported with the decision that could not be carried out', async () => {
    const byDecision = await traceIn({ audit, envoy }, 'd-1')
    assert.equal(byDecision.reports[0]?.failures[0]?.status, 503)
    assert.deepEqual(byDecision.failures, [])
    const alone = await traceIn({ envoy }, 'r-9')
    assert.equal(alone.failures[0]?.reason, failed.reason)
  })
})
