// What /metrics shows is what the reference describes: names, types, texts, labels and their values.

import assert from 'node:assert/strict'
import { AUTHZ_METRICS, SIGNER_METRICS } from '../../scripts/reference/metrics.ts'
import type { Metric } from '../../src/runtime/metrics/metric.ts'

const described: ReadonlyMap<string, Metric> = new Map(
  [...AUTHZ_METRICS, ...SIGNER_METRICS].map((metric) => [metric.name, metric]),
)

const SERIES = /^(\w+?)(?:\{(.*)\})? \S+$/
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g

/** Fails for a series of Countersign whose name, labels or closed list of values the reference does not have. */
export const assertDescribed = (exposition: string): void => {
  for (const line of exposition.split('\n')) {
    const [, series = '', text = ''] = SERIES.exec(line) ?? []
    if (series === '' || /^(process|nodejs)_/.test(series)) continue
    const metric =
      described.get(series) ?? described.get(series.replace(/_(bucket|sum|count)$/, ''))
    assert.ok(metric !== undefined, `${series} is not in the reference`)
    const labels = [...text.matchAll(LABEL)].filter(([, name]) => name !== 'le')
    for (const [, name = '', value = ''] of labels) {
      const values = metric.labels[name]
      assert.ok(values !== undefined, `${series} has the label ${name}`)
      const isOpen = typeof values === 'string'
      assert.ok(isOpen || values.includes(value), `${series} has ${name}="${value}"`)
    }
    const names = labels.map(([, name = '']) => name).toSorted()
    assert.deepEqual(names, Object.keys(metric.labels).toSorted(), line)
  }
}
