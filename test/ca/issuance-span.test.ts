// The span of an issuance: its parts, how it ended, and that it names no user.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { handleDigest, issuanceTrace } from '../../src/grant/handle.ts'
import { NOW_S } from '../fakes/grant.ts'
import { issuing } from './issuing.ts'

/** The spans of one issuance, for a reader. */
const spansOf = async (
  limits?: string,
  prepare?: (world: Awaited<ReturnType<typeof issuing>>) => string,
) => {
  const world = await issuing(limits)
  world.spans.read('', 0)
  const handle = prepare?.(world) ?? world.handle()
  const outcome = await world.outcome(handle)
  const { spans } = world.spans.read('', 0)
  return { handle, outcome, spans, whole: spans.at(-1), names: spans.map(({ name }) => name) }
}

describe('the span of an issuance', () => {
  it('has a part for each step, in the trace of the handle', async () => {
    const { handle, spans, whole, names } = await spansOf()
    assert.deepEqual(names, ['admit', 'key', 'sign', 'verify', 'audit', 'sds issue'])
    const { traceId } = issuanceTrace(handle)
    assert.ok(spans.every((span) => span.traceId === traceId))
    assert.ok(traceId.startsWith(handleDigest(handle)))
    assert.deepEqual(whole?.attributes, {
      'countersign.certificate.handle': handleDigest(handle),
      'countersign.authority': 'kube',
      'countersign.route': 'kubernetes',
      'countersign.authenticator': 'staff',
    })
    assert.equal(whole.failure, undefined)
    assert.doesNotMatch(JSON.stringify(spans), /alice|developers/)
    assert.ok(!JSON.stringify(spans).includes(handle))
  })

  it('has the reason of a refusal, which is not a failure', async () => {
    const { outcome, whole, names } = await spansOf(undefined, (world) =>
      world.handle({ notAfter: NOW_S - 1, renewAt: NOW_S - 1 }),
    )
    assert.deepEqual(names, ['admit', 'sds issue'])
    assert.equal(whole?.attributes['countersign.reason'], outcome)
    assert.notEqual(outcome, 'issued')
    assert.equal(whole.failure, undefined)
  })

  it('has failed where the audit event could not be written', async () => {
    const { outcome, whole } = await spansOf(undefined, (world) => {
      world.audit.full = true
      return world.handle()
    })
    assert.equal(outcome, 'audit-unavailable')
    assert.equal(whole?.failure, 'audit-unavailable')
  })

  it('is the exemplar of its duration', async () => {
    const world = await issuing()
    world.spans.read('', 0)
    assert.equal(await world.outcome(), 'issued')
    const exemplars = world.metrics.durations.read().flatMap(({ value }) => value.exemplars)
    const [exemplar] = exemplars.filter((one) => one !== undefined)
    const whole = world.spans.read('', 0).spans.at(-1)
    assert.equal(exemplar?.span.spanId, whole?.spanId)
  })

  it('is not made without a reader', async () => {
    const world = await issuing()
    assert.equal(await world.outcome(), 'issued')
    assert.deepEqual(world.spans.read('', 0).spans, [])
  })
})
