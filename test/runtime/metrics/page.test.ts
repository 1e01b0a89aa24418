// The page of metrics: both of its forms, read back by a strict reader.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Distribution } from '../../../src/runtime/metrics/distribution.ts'
import { counter, gauge, histogram, type Metric } from '../../../src/runtime/metrics/metric.ts'
import { MetricsPage } from '../../../src/runtime/metrics/page.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { readOpenMetrics, readPrometheus } from '../../fakes/exposition.ts'
import { seriesOf } from '../../fakes/scraping.ts'

const OPEN =
  'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1'

const setUp = () => {
  const clock = new FakeClock()
  const values = { requests: 3, depth: -1.5 }
  const durations = new Distribution()
  const metrics: readonly Metric[] = [
    counter('test_requests_total', 'Requests, and "more".', () => values.requests),
    gauge('test_depth', 'A\\depth\nin two lines.', () => values.depth),
    counter('test_by_kind_total', 'By kind.', () => [
      { labels: { kind: 'a"b\\c\nd', more: '' }, value: 1 },
      { labels: { kind: 'e', more: 'f' }, value: 2 },
    ]),
    histogram('test_duration_seconds', 'Durations.', () => [
      { labels: { route: 'app' }, value: durations },
      { labels: { route: 'idle' }, value: new Distribution() },
    ]),
  ]
  return { clock, values, durations, page: new MetricsPage(metrics, clock) }
}

describe('the page of metrics', () => {
  it('has every value in Prometheus’ own text', async () => {
    const { page, durations } = setUp()
    for (const seconds of [0.00005, 0.0001, 0.3, 99]) durations.observe(seconds)
    const { type, body } = await page.render()
    assert.equal(type, 'text/plain; version=0.0.4; charset=utf-8')
    const series = readPrometheus(body)
    assert.deepEqual(seriesOf(series, 'test_requests_total'), { '': 3 })
    assert.deepEqual(seriesOf(series, 'test_depth'), { '': -1.5 })
    assert.equal(series.get('test_by_kind_total{kind="a\\"b\\\\c\\nd",more=""}'), 1)
    assert.equal(series.get('test_by_kind_total{kind="e",more="f"}'), 2)
    const bucket = (le: string) =>
      series.get(`test_duration_seconds_bucket{le="${le}",route="app"}`)
    assert.deepEqual(['0.0001', '0.25', '0.5', '10', '+Inf'].map(bucket), [2, 2, 3, 3, 4])
    assert.equal(series.get('test_duration_seconds_count{route="app"}'), 4)
    assert.equal(series.get('test_duration_seconds_sum{route="app"}'), 99.30015)
    assert.equal(series.get('test_duration_seconds_count{route="idle"}'), 0)
  })

  it('has the same values in OpenMetrics, and in the other again after it', async () => {
    const { page, clock, values } = setUp()
    const { type, body } = await page.render(OPEN)
    assert.equal(type, 'application/openmetrics-text; version=1.0.0; charset=utf-8')
    const open = readOpenMetrics(body)
    assert.deepEqual(seriesOf(open, 'test_requests_total'), { '': 3 })
    clock.advance(100)
    values.requests = 4
    assert.equal(readPrometheus((await page.render()).body).get('test_requests_total'), 4)
    assert.equal(readOpenMetrics((await page.render(OPEN)).body).get('test_requests_total'), 4)
  })

  it('has units in OpenMetrics, and bounds as it wants them', async () => {
    const { page } = setUp()
    const { body } = await page.render(OPEN)
    assert.match(body, /\n# UNIT test_duration_seconds seconds\n/)
    assert.match(body, /\ntest_duration_seconds_bucket\{le="10.0",route="idle"\} 0\n/)
    assert.doesNotMatch(body, /UNIT test_requests/)
    assert.doesNotMatch((await page.render()).body, /UNIT/)
  })

  it('has the trace of the last duration of a bucket in OpenMetrics alone', async () => {
    const { page, durations } = setUp()
    const [first, last] = ['a', 'b'].map((digit) => ({
      traceId: digit.repeat(32),
      spanId: digit.repeat(16),
    }))
    durations.observe(0.3, first)
    durations.observe(0.4, last)
    durations.observe(0.45)
    const { body } = await page.render(OPEN)
    readOpenMetrics(body)
    const exemplars = body.split('\n').filter((line) => line.includes(' # {'))
    assert.equal(exemplars.length, 1)
    const [sample, exemplar = ''] = exemplars[0]?.split(' # ') ?? []
    assert.equal(sample, 'test_duration_seconds_bucket{le="0.5",route="app"} 3')
    const [labels, value, at] = exemplar.split(' ')
    assert.equal(labels, `{trace_id="${last?.traceId}",span_id="${last?.spanId}"}`)
    assert.equal(value, '0.4')
    assert.ok(Math.abs(Number(at) - Date.now() / 1_000) < 60)
    const { body: plain } = await page.render()
    assert.ok(!plain.includes(' # {'))
    readPrometheus(plain)
  })

  it('is made once for all who ask within a moment', async () => {
    const { page, clock, values } = setUp()
    const requests = async () =>
      readPrometheus((await page.render()).body).get('test_requests_total')
    assert.equal(await requests(), 3)
    values.requests = 4
    clock.advance(99)
    assert.equal(await requests(), 3)
    clock.advance(1)
    assert.equal(await requests(), 4)
  })

  it('follows a counter that begins anew', async () => {
    const { page, clock, values } = setUp()
    await page.render()
    values.requests = 1
    clock.advance(100)
    assert.equal(readPrometheus((await page.render()).body).get('test_requests_total'), 1)
  })

  it('tells of the process, and lists none of its sockets', async () => {
    const { page } = setUp()
    const series = readPrometheus((await page.render()).body)
    const names = new Set([...series.keys()].map((key) => key.replace(/\{.*/, '')))
    for (const name of [
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_p99_seconds',
      'nodejs_heap_size_used_bytes',
    ]) {
      assert.ok(names.has(name), name)
    }
    assert.deepEqual(
      [...names].filter((name) => /active/.test(name)),
      [],
    )
  })
})
