// What the hostile part of the bench says, and the bounds that hold on a machine that is busy with other things.

import assert from 'node:assert/strict'
import { z } from 'zod'

const positive = z.number().positive()
const figure = z.number().nonnegative()

const costSchema = z.object({
  name: z.string(),
  sent: z.int().positive(),
  answers: z.record(z.string(), z.int()),
  cpu: figure,
  envoyCpu: figure,
  stateBytes: figure,
  stateSeconds: figure,
  auditBytes: figure,
  p50: positive,
  p99: positive,
})

/** Its results. */
export const hostileSchema = z.object({
  rows: z.array(costSchema),
  skipped: z.string().optional(),
})

/** Kinds for which a password is hashed, in threads of their own: some 20 ms. */
const HASHED: readonly string[] = [
  'an unknown user',
  'a wrong password',
  'POST /login, an unknown user',
]

const KINDS: readonly string[] = [
  'no credential',
  'an unknown user',
  'a wrong password',
  'an opaque token, introspection',
  'a JWT with a wrong signature',
  'a query of ";"',
  'a query of names that are encoded',
  'subprotocols without a name',
  'cookies without a name',
  'lines of different names',
  'a path of runs of combining marks',
  'a path of many segments',
  'a target of 40 KB',
  'thousands of header lines',
  'GET /authorize',
  'GET /device',
  'GET /logout',
  'POST /login, an unknown user',
  'POST /token, half sent',
  'idle connections',
]

// One millisecond is what a check may take. Here all that a process does which has just started is counted, the
// collection of garbage and the connection among it.
const MOST_CPU_US = 8_000
const MOST_AUDIT_BYTES = 2_048
// Attempts on a name are counted; nothing else is recorded of a client that has proven nothing.
const MOST_STATE_BYTES = 1_024

/** Asserts that each kind was measured, and that one request costs no more than is stable anywhere. */
export const assertBounds = ({ rows }: z.output<typeof hostileSchema>): void => {
  assert.deepEqual(
    rows.map(({ name }) => name),
    KINDS,
  )
  for (const { name, cpu, auditBytes, stateBytes, answers, sent } of rows) {
    const all = Object.values(answers).reduce((sum, count) => sum + count, 0)
    assert.equal(all, sent, name)
    const isHashed = HASHED.includes(name)
    assert.ok(isHashed || cpu <= MOST_CPU_US, `${name}: ${cpu} µs`)
    assert.ok(auditBytes <= MOST_AUDIT_BYTES, `${name}: ${auditBytes} bytes of audit`)
    assert.ok(
      stateBytes <= (isHashed ? MOST_STATE_BYTES : 0),
      `${name}: ${stateBytes} bytes of state`,
    )
  }
}
