// What unauthenticated clients write into the operational log: a few lines, however many requests there are.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CountersignError } from '../../src/runtime/errors.ts'
import type { FakeAnswer } from '../fakes/authenticator.ts'
import { FakeClock } from '../fakes/clock.ts'
import { processLogger } from '../fakes/logger.ts'
import { snapshotOf } from '../fakes/snapshot.ts'
import { answering, startService } from '../fakes/service.ts'

const REQUESTS = 1_000

const logAfter = async (answer: FakeAnswer): Promise<readonly string[]> => {
  const value = snapshotOf([answering(answer)])
  const log = processLogger(new FakeClock())
  await using service = await startService(
    () => ({ value, generation: 1 }),
    undefined,
    undefined,
    log,
  )
  const checks = Array.from({ length: REQUESTS }, () => service.client.check({}))
  const outcomes = new Set(
    (await Promise.all(checks)).map((outcome) => outcome.allow || outcome.status),
  )
  assert.deepEqual(outcomes, new Set(['ServiceUnavailable']))
  assert.equal(service.audit.events.length, REQUESTS)
  return service.log
}

describe('the log of a thousand refusals', () => {
  const cause = new CountersignError(
    'unavailable',
    'the server failed; its circuit breaker is open',
  )

  it('by a server that is down has a few lines, without a stack', async () => {
    const log = (await logAfter({ outcome: 'unavailable', cause })).join('')
    assert.ok(log.length < 4_096, `${log.length} bytes`)
    assert.match(log, /circuit breaker is open/)
    assert.doesNotMatch(log, /\bat .*\.ts:/)
  })

  it('by a bug has a few stacks', async () => {
    const log = (await logAfter(() => Promise.reject(new TypeError('the bug')))).join('')
    assert.ok(log.length < 32_768, `${log.length} bytes`)
    assert.match(log, /the bug/)
    assert.match(log, /\bat .*\.ts:/)
  })
})
