// Which routes give their upstream the decision id.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forwardSchema, sendsAuditId } from '../../src/transform/schema.ts'

const sends = (kind: 'http' | 'kubernetes', forward: object): boolean =>
  sendsAuditId(kind, forwardSchema.parse(forward))

describe('the decision id as Audit-ID', () => {
  it('is sent to Kubernetes API servers by default, with any credential', () => {
    const FORWARDS = [
      {},
      { headers: 'kubernetes' },
      { bearer: { mint: { audience: 'kubernetes' } } },
      { certificate: { ca: 'kube', subject: { CN: 'identity.user' } } },
      { passthrough: true },
    ]
    for (const forward of FORWARDS) assert.ok(sends('kubernetes', forward), JSON.stringify(forward))
  })

  it('is sent to every upstream that gets impersonation headers', () => {
    assert.ok(sends('http', { headers: ['grafana', 'kubernetes'] }))
    assert.ok(sends('http', { headers: 'impersonation' }))
  })

  it('is sent to no other upstream by default', () => {
    assert.ok(!sends('http', {}))
    assert.ok(!sends('http', { headers: ['grafana', 'headlamp', 'certificate'] }))
    assert.ok(!sends('http', { bearer: { mint: { audience: 'api' } } }))
  })

  it('is sent where the route is configured so, and only there', () => {
    assert.ok(sends('http', { auditId: true }))
    assert.ok(!sends('kubernetes', { headers: 'kubernetes', auditId: false }))
  })
})
