// Pages of Prometheus of several processes as one.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { mergedPages, readPage, retain, writePage } from '../../src/workers/exposition.ts'

const page = (worker: string, text: string) => ({ worker, families: readPage(text) })

const CHECKS = (count: number): string => `# HELP checks_total Checks.
# TYPE checks_total counter
checks_total{route="a b"} ${count}
`

const merged = (...pages: readonly ReturnType<typeof page>[]): string =>
  writePage(mergedPages(pages, new Map()))

describe('the pages of several workers', () => {
  const RULES = [
    { name: 'adds counters', metric: 'checks_total', type: 'counter', want: 5 },
    { name: 'adds gauges', metric: 'countersign_checks_in_flight', type: 'gauge', want: 5 },
    {
      name: 'adds buckets',
      metric: 'countersign_check_seconds_bucket',
      type: 'histogram',
      want: 5,
    },
    {
      name: 'takes the largest of what is equal',
      metric: 'countersign_config_generation',
      type: 'gauge',
      want: 3,
    },
    {
      name: 'takes the smallest of what is up',
      metric: 'countersign_state_up',
      type: 'gauge',
      want: 2,
    },
  ]
  for (const { name, metric, type, want } of RULES) {
    it(name, () => {
      const family = metric.replace('_bucket', '')
      const of = (value: number): string =>
        `# HELP ${family} Text.\n# TYPE ${family} ${type}\n${metric}{le="1"} ${value}\n`
      const text = merged(page('0', of(2)), page('1', of(3)))
      assert.equal(
        text,
        `# HELP ${family} Text.\n# TYPE ${family} ${type}\n${metric}{le="1"} ${want}\n`,
      )
    })
  }

  it('have series of their own for what is about a process', () => {
    const memory = '# HELP process_bytes B.\n# TYPE process_bytes gauge\nprocess_bytes 7\n'
    const lines = merged(page('0', memory), page('1', memory)).split('\n')
    assert.ok(lines.includes('process_bytes{worker="0"} 7'))
    assert.ok(lines.includes('process_bytes{worker="1"} 7'))
  })

  it('keep what a process had counted when it ended, and none of its gauges', () => {
    const gauge = '# HELP entries E.\n# TYPE entries gauge\nentries 9\n'
    const ended = new Map()
    retain(ended, readPage(CHECKS(4) + gauge))
    const text = writePage(mergedPages([page('0', CHECKS(1))], ended))
    assert.match(text, /^checks_total\{route="a b"\} 5$/m)
    assert.doesNotMatch(text, /entries/)
  })

  it('keep NaN and infinity', () => {
    const odd = '# HELP odd O.\n# TYPE odd gauge\nodd NaN\nodd{a="1"} +Inf\n'
    assert.match(merged(page('0', odd)), /^odd NaN\nodd\{a="1"\} \+Inf$/m)
  })
})
