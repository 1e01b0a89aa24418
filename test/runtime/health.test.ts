// `/livez` and `/readyz` as pages.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { healthPage, Serving, type Condition } from '../../src/runtime/health.ts'

const OK: Condition = { state: 'ok' }
const WARNING: Condition = { state: 'warning', reason: 'look at it' }
const FAILED: Condition = { state: 'failed', reason: 'shutting down' }

const ask = (query: string, ...conditions: readonly Condition[]) => {
  const checks = conditions.map((condition, index) => ({
    name: `c${index}`,
    condition: () => condition,
  }))
  const { status, body } = healthPage(
    'readyz',
    checks,
  )({
    query: new URLSearchParams(query),
    accept: undefined,
  })
  return [status, body]
}

const PASSED = 'readyz check passed\n'

describe('the page', () => {
  const CASES = [
    { name: 'of no checks', query: '', checks: [], want: [200, 'ok'] },
    { name: 'of no checks, verbose', query: 'verbose', checks: [], want: [200, PASSED] },
    { name: 'of what is well', query: '', checks: [OK, OK], want: [200, 'ok'] },
    {
      name: 'of passed checks, verbose',
      query: 'verbose',
      checks: [OK, OK],
      want: [200, `[+]c0 ok\n[+]c1 ok\n${PASSED}`],
    },
    { name: 'of a warning', query: '', checks: [OK, WARNING], want: [200, 'ok'] },
    {
      name: 'of a warning, verbose',
      query: 'verbose=1',
      checks: [WARNING, OK],
      want: [200, `[!]c0 warning: look at it\n[+]c1 ok\n${PASSED}`],
    },
    {
      name: 'of a failure, verbose in any case',
      query: '',
      checks: [OK, FAILED, WARNING],
      want: [
        503,
        '[+]c0 ok\n[-]c1 failed: shutting down\n[!]c2 warning: look at it\nreadyz check failed\n',
      ],
    },
  ] as const
  for (const { name, query, checks, want } of CASES) {
    it(name, () => assert.deepEqual(ask(query, ...checks), want))
  }
})

describe('serving', () => {
  it('is from its start to its end', () => {
    const serving = new Serving()
    const states = [serving.condition().state]
    serving.started()
    states.push(serving.condition().state)
    serving.ending()
    states.push(serving.condition().state)
    assert.deepEqual(states, ['failed', 'ok', 'failed'])
  })
})
