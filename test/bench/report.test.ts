// The report says what the results say.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AGED } from '../../bench/checks/aged.ts'
import { rowName, SCENARIOS } from '../../bench/checks/direct.ts'
import { FLOORS } from '../../bench/checks/floors.ts'
import { ENVOY_SCENARIOS } from '../../bench/checks/through-envoy.ts'
import type { Results } from '../../bench/report.ts'
import { isMet } from '../../bench/reporting/goal.ts'
import { goalsOf } from '../../bench/reporting/goals.ts'
import { reportFiles } from '../../bench/reporting/report.ts'
import { drawChart } from '../../bench/reporting/svg.ts'
import type { Summary } from '../../bench/rounds.ts'
import type { Measurement } from '../../bench/row.ts'
import { USUAL } from '../../bench/size.ts'

const measurement: Measurement = {
  requests: 1_000,
  requestsPerSecond: 5_000,
  p50: 0.25,
  p90: 0.5,
  p99: 1,
  p999: 2,
  longest: 3,
  alone: undefined,
  cpu: 20,
  envoyCpu: undefined,
  loadCpu: 4,
  late: 0.1,
  resident: 150e6,
}

const summary = (name: string, changes: Partial<Measurement> = {}): Summary => {
  const round = { ...measurement, ...changes }
  return { ...round, name, ratio: 1, rounds: [round, round] }
}

const results: Results = {
  size: USUAL,
  checks: {
    rows: [
      summary(rowName(SCENARIOS.same, FLOORS.grpcGo)),
      summary(rowName(SCENARIOS.same, 'Countersign'), { cpu: 9 }),
      summary(rowName(SCENARIOS.many, 'Countersign'), { cpu: 16 }),
      summary(rowName(SCENARIOS.many, AGED), { cpu: 17 }),
      summary(rowName(ENVOY_SCENARIOS.saturated, FLOORS.grpcGo)),
      summary(rowName(ENVOY_SCENARIOS.saturated, 'Countersign'), { requestsPerSecond: 7_000 }),
    ],
    missing: [{ name: 'heimdall', reason: 'go does not build it' }],
  },
  start: undefined,
  processes: [
    summary('2,000/s: one process'),
    summary('2,000/s each: 2 processes', { cpu: 21 }),
    summary('saturated: one process'),
    summary('saturated: 2 processes', { cpu: 40 }),
  ],
  reloads: undefined,
  aging: {
    seconds: 3_600,
    checks: 3_600_000,
    identities: 10_000,
    reloads: 100,
    rows: [summary('aged', { cpu: 23, resident: 180e6 }), summary('fresh')],
    resident: { before: 140e6, after: 170e6, fresh: 140e6 },
    first: { p50: 0.2, p99: 0.6 },
    last: { p50: 0.3, p99: 0.7 },
  },
  memory: undefined,
  credentials: undefined,
  tokens: undefined,
  sessions: undefined,
  certificates: undefined,
  policy: undefined,
  hostile: undefined,
  seconds: { checks: 200 },
}

describe('goalsOf', () => {
  it('compares with the floor of the same rounds, and leaves out what was not measured', () => {
    assert.deepEqual(
      goalsOf(results).map((goal) => [goal.name, goal.measured, isMet(goal)]),
      [
        ['CPU of a check by a known JWT, saturated', 0.45, true],
        ['the same with 10,000 tokens in turn', 16, false],
        ['CPU of a check after 100 reloads, saturated, many tokens in turn', 17 / 16, true],
        ['memory with 10,000 identities', 150, true],
        ['CPU of a check with two processes, each at 2,000/s', 1.05, true],
        ['requests through Envoy, saturated', 1.4, true],
        ['CPU of a check after 60 minutes and 100 reloads', 1.15, false],
        ['memory after 60 minutes and 100 reloads, with 10,000 identities', 180, true],
      ],
    )
  })
})

describe('reportFiles', () => {
  const machine = { cpu: 'a CPU', cores: 2, load: 0.1, versions: { node: 'v24.0.0' } }
  const files = reportFiles({
    date: '2026-11-27T00:00:00.000Z',
    machine,
    results,
    aging: { date: '2026-11-26T00:00:00.000Z', machine: { ...machine, load: 5 } },
  })
  const page = files.find(({ path }) => path === 'RESULTS.md')?.content ?? ''

  it('writes a page with machine, goals, figures, and what is missing', () => {
    for (const text of [
      '2026-11-27; a CPU, 2 cores',
      'node v24.0.0',
      '| CPU of a check by a known JWT, saturated | 0.45 × no-op on grpc-go | at most 0.5 | met |',
      '| Countersign | 9.0 | 5,000 | 0.25 | 0.50 | 1.00 | 2.00 | 3.0 | 150 | 4.0 | 0.10 |',
      'The process that worked for long: 2026-11-26; load at the end 5.0; countersign unknown.',
      'after 3,600,000 checks in 60 minutes by 10,000 identities in turn, with 100 reloads',
      'heimdall: not measured, go does not build it',
    ]) {
      assert.ok(page.includes(text), text)
    }
  })

  it('writes each plot that the page shows', () => {
    const images = [...page.matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)].map(([, path]) => path)
    const plots = files.map(({ path }) => path).filter((path) => path.endsWith('.svg'))
    assert.deepEqual(images, plots)
    assert.ok(plots.length > 0)
  })
})

describe('drawChart', () => {
  const chart = {
    title: 'A < B',
    unit: 'ms',
    series: ['p50', 'p99'],
    groups: [
      { name: 'first', own: true, values: [1, 100] },
      { name: 'second', own: false, values: [undefined, 50] },
    ],
    logarithmic: false,
  }
  const widthsOf = (svg: string): readonly number[] =>
    [...svg.matchAll(/<rect x="\d+" y="\d+" width="([\d.]+)"/g)].map(([, width]) => Number(width))

  it('draws a bar for each figure, as long as the figure is high', () => {
    const [one = 0, hundred = 0, fifty = 0, ...more] = widthsOf(drawChart(chart))
    assert.deepEqual(more, [])
    assert.ok(Math.abs(one * 100 - hundred) <= 10)
    assert.ok(Math.abs(fifty * 2 - hundred) <= 0.2)
  })

  it('draws every figure of a logarithmic scale', () => {
    const widths = widthsOf(drawChart({ ...chart, logarithmic: true }))
    assert.ok(widths.every((width) => width > 0))
  })

  it('escapes text in a chart', () => {
    assert.ok(drawChart(chart).includes('A &lt; B'))
  })
})
