// Envoy waits for so long and no longer: a check that takes longer is refused while it can be heard.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Authentication } from '../../src/authenticate/authenticator.ts'
import { SILENT } from '../../src/check/observer.ts'
import { checkMethod } from '../../src/check/service.ts'
import { authorizationService } from '../../src/proto/load.ts'
import { abortWith, DeadlineNear } from '../../src/runtime/grpc/unary.ts'
import { shared } from '../../src/runtime/shared.ts'
import { MemoryAudit } from '../fakes/audit-sink.ts'
import { FakeClock } from '../fakes/clock.ts'
import { messageOf, readOutcome } from '../fakes/envoy-client.ts'
import { memoryLogger } from '../fakes/logger.ts'
import type { RouteParts } from '../fakes/route.ts'
import { answering, eventOf } from '../fakes/service.ts'
import { snapshotOf } from '../fakes/snapshot.ts'

const never = Promise.withResolvers<Authentication>().promise

/** One check with a deadline, without a connection: a client that gives up by its own clock would race it. */
const check = async (route: RouteParts, deadline: number) => {
  const value = snapshotOf([route])
  const [audit, { logger, lines: log }] = [new MemoryAudit(), memoryLogger()]
  const method = checkMethod({
    current: () => ({ value, generation: 3 }),
    audit,
    clock: new FakeClock(),
    logger,
    observer: SILENT,
  })
  const { promise, resolve } = Promise.withResolvers<Uint8Array>()
  method.handle(messageOf({}), { deadline, answer: resolve, onCancelled: () => undefined })
  method.flush?.()
  const answer = Buffer.from(await promise)
  const outcome = readOutcome(authorizationService.Check.responseDeserialize(answer))
  return { outcome, event: eventOf({ audit }, outcome), log }
}

describe('the deadline of a check', () => {
  it('causes an answer that names the slow authenticator', async () => {
    const slow = answering((_, signal) => shared(() => never, signal))
    const { outcome, event, log } = await check(slow, Date.now() + 200)
    assert.ok(!outcome.allow)
    assert.equal(outcome.status, 'ServiceUnavailable')
    assert.equal(outcome.headers['retry-after'], '5')
    assert.equal(event.reason, 'deadline-exceeded')
    assert.equal(event.authenticator, 'staff')
    assert.ok(log.some((line) => line.includes('check took too long')))
  })

  it('does nothing for a check without one, or one that is answered', async () => {
    const none = answering({ outcome: 'not-applicable' })
    for (const deadline of [Infinity, Date.now() + 60_000]) {
      assert.equal((await check(none, deadline)).event.reason, 'credential-missing')
    }
  })
})

describe('the time that a check has', () => {
  const CASES = [
    { name: 'ends 150 ms before the deadline', left: 1_000, want: 850 },
    { name: 'is half of the time when hardly any is left', left: 200, want: 100 },
    { name: 'is over at once after the deadline', left: -1_000, want: 1 },
  ]
  for (const { name, left, want } of CASES) {
    it(name, (t) => {
      t.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
      const controller = new AbortController()
      const call = { deadline: Date.now() + left, answer: () => {}, onCancelled: () => {} }
      abortWith(controller, call)
      t.mock.timers.tick(want - 1)
      assert.equal(controller.signal.aborted, left < 0)
      t.mock.timers.tick(1)
      assert.ok(controller.signal.reason instanceof DeadlineNear)
    })
  }
})
