// The health of several workers as one.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { NamedCondition } from '../../src/workers/messages-schema.ts'
import { jointChecks, type WorkerConditions } from '../../src/workers/readiness.ts'

const OK: readonly NamedCondition[] = [{ name: 'audit', state: 'ok' }]
const WARNING: readonly NamedCondition[] = [{ name: 'audit', state: 'warning', reason: 'full' }]
const FAILED: readonly NamedCondition[] = [{ name: 'audit', state: 'failed', reason: 'gone' }]

const of = (...conditions: readonly (readonly NamedCondition[] | string)[]) =>
  conditions.map((one, index): WorkerConditions => {
    return typeof one === 'string' ? { index, fault: one } : { index, conditions: one }
  })

const listed = (workers: readonly WorkerConditions[]): readonly string[] =>
  jointChecks(workers).map(({ name, condition }) => {
    const found = condition()
    return found.state === 'ok' ? `${name} ok` : `${name} ${found.state}: ${found.reason}`
  })

describe('the health of several workers', () => {
  const CASES = [
    { name: 'is ok where all are', workers: of(OK, OK), want: ['workers ok', 'audit ok'] },
    {
      name: 'warns of a check of one, and names the worker',
      workers: of(OK, WARNING),
      want: ['workers ok', 'audit warning: worker 1: full'],
    },
    {
      name: 'names no worker where all have the same',
      workers: of(WARNING, WARNING),
      want: ['workers ok', 'audit warning: full'],
    },
    {
      name: 'does not fail where one fails',
      workers: of(FAILED, OK),
      want: ['workers ok', 'audit warning: worker 0: gone'],
    },
    {
      name: 'fails where all fail',
      workers: of(FAILED, FAILED),
      want: ['workers ok', 'audit failed: gone'],
    },
    {
      name: 'warns of a worker that is missing',
      workers: of(OK, 'worker 1 ended by SIGKILL'),
      want: ['workers warning: worker 1 does not serve: worker 1 ended by SIGKILL', 'audit ok'],
    },
    {
      name: 'fails where none serves',
      workers: of('ended', 'ended'),
      want: ['workers failed: worker 0 does not serve: ended; worker 1 does not serve: ended'],
    },
  ]
  for (const { name, workers, want } of CASES) {
    it(name, () => assert.deepEqual(listed(workers), want))
  }
})
