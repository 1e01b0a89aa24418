// The measurement of what a certificate costs, on a small scale: it works, and nothing is far off.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { measureMints } from './mint-cost.ts'

it('minting a certificate takes bounded CPU time, step by step', async () => {
  const costs = await measureMints({ count: 50, ca: 'p256', keys: 'ed25519' })
  assert.equal(costs.length, 7)
  for (const { step, micros } of costs) assert.ok(micros > 0 && micros < 50_000, step)
})
