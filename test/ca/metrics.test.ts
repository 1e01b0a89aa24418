// What is counted of issuances: each once, as what it was in the end.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CertificateIssuer } from '../../src/ca/issuer.ts'
import { IssuanceMetrics } from '../../src/ca/metrics.ts'
import { memoryLogger } from '../fakes/logger.ts'
import { issuing, type Issuing } from './issuing.ts'

const observed = (parts: Issuing) => {
  const { snapshot, audit, clock } = parts
  const metrics = new IssuanceMetrics()
  const issuer = new CertificateIssuer({
    current: () => ({ value: snapshot, generation: 1 }),
    refresh: () => Promise.resolve(),
    audit,
    clock,
    logger: memoryLogger().logger,
    metrics,
  })
  return { issuer, metrics }
}

const countsOf = ({ durations, refusals }: IssuanceMetrics): unknown => ({
  issued: durations
    .read()
    .map(({ labels, value: { counts } }) => [
      labels['authority'],
      counts.reduce((sum, count) => sum + count, 0),
    ]),
  refused: refusals.read().map(({ labels, value }) => [labels['reason'], value]),
})

describe('the metrics of issued certificates', () => {
  it('count them by CA', async () => {
    const parts = await issuing()
    const { issuer, metrics } = observed(parts)
    await issuer.issue(parts.handle())
    await issuer.issue(parts.handle({ notAfter: 1_767_229_200 }))
    assert.deepEqual(countsOf(metrics), { issued: [['kube', 2]], refused: [] })
  })

  it('count refusals by reason, without the CA that they name', async () => {
    const parts = await issuing('{ rate: { perSecond: 1, burst: 1 } }')
    const { issuer, metrics } = observed(parts)
    for (const handle of [
      parts.handle(),
      parts.handle(),
      parts.handle({ authority: 'other' }),
      parts.handle({ authority: 'another' }),
      '!',
    ]) {
      await issuer.issue(handle)
    }
    assert.deepEqual(countsOf(metrics), {
      issued: [['kube', 1]],
      refused: [
        ['rate-limited', 1],
        ['authority-unknown', 2],
        ['handle-malformed', 1],
      ],
    })
  })

  it('count a certificate that cannot be recorded as refused', async () => {
    const parts = await issuing()
    const { issuer, metrics } = observed(parts)
    parts.audit.full = true
    await issuer.issue(parts.handle())
    assert.deepEqual(countsOf(metrics), { issued: [], refused: [['audit-unavailable', 1]] })
  })
})
