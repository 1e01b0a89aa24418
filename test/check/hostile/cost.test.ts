// Whatever a client without a credential sends, authz decides within a millisecond: one request must not keep the event
// loop from all other checks. Each goes through the whole check, with what it writes into the audit log.
//
// Slow: it measures some ten thousand checks.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { randomFrom } from '../../fakes/random.ts'
import { mixture } from './mixtures.ts'
import { hostileRequests } from './requests.ts'
import { startSite, type Site } from './site.ts'

/** CPU time of one check, in milliseconds. */
const LONGEST = 1
/** Of one audit event. */
const MOST_AUDIT_BYTES = 2_048
/** Checks before anything is measured: a process that just started compiles. */
const WARM_UP = 300
const MIXTURES = 60
const SEED = 7

describe('an unauthenticated request takes no more than a millisecond of CPU time', () => {
  let site: Site
  before(async () => {
    site = await startSite()
    for (let round = 0; round < WARM_UP; round++) {
      await site.decide({})
    }
  })
  after(async () => await site[Symbol.asyncDispose]())

  for (const { name, request } of hostileRequests()) {
    it(`bounds the CPU time of a request with ${name}`, async (t) => {
      const { reason, ms, auditBytes } = await site.costOf(request)
      t.diagnostic(`${reason}, ${ms.toFixed(2)} ms, ${auditBytes} bytes of audit`)
      assert.ok(ms <= LONGEST, `${ms} ms`)
      assert.ok(auditBytes <= MOST_AUDIT_BYTES, `${auditBytes} bytes`)
    })
  }

  it(`random mixtures of hostile parts (seed ${SEED})`, async (t) => {
    const random = randomFrom(SEED)
    let longest = 0
    for (let count = 0; count < MIXTURES; count++) {
      const request = mixture(random)
      const { reason, ms, auditBytes } = await site.costOf(request)
      longest = Math.max(longest, ms)
      assert.ok(ms <= LONGEST, `number ${count}, ${reason}: ${ms} ms`)
      assert.ok(auditBytes <= MOST_AUDIT_BYTES, `number ${count}: ${auditBytes} bytes`)
    }
    t.diagnostic(`at most ${longest.toFixed(2)} ms`)
  })
})
