// `npm run bench -- --report`: RESULTS.md and its plots, made of the latest results that were kept.

import { scenarioOf, serverOf } from '../checks/checks.ts'
import { COUNTERSIGN } from '../checks/countersign.ts'
import { SCENARIOS } from '../checks/direct.ts'
import { ENVOY_SCENARIOS } from '../checks/through-envoy.ts'
import { partTables, type Results } from '../report.ts'
import type { Summary } from '../rounds.ts'
import type { KeptResults } from './files.ts'
import { isMet } from './goal.ts'
import { goalsOf } from './goals.ts'
import { drawChart, type Chart } from './svg.ts'

/** A file of the report. */
export interface ReportFile {
  /** Below bench/. */
  readonly path: string
  readonly content: string
}

/** The report. */
export const reportFiles = (kept: KeptResults): readonly ReportFile[] => {
  const charts = chartsOf(kept)
  return [
    { path: 'RESULTS.md', content: pageOf(kept, charts) },
    ...charts.map(({ file, chart }) => ({ path: `results/${file}`, content: drawChart(chart) })),
  ]
}

interface NamedChart {
  readonly file: string
  readonly chart: Chart
}

type Figure = (row: Summary) => number | undefined

const chartsOf = ({ results }: KeptResults): readonly NamedChart[] => {
  const rows = results.checks?.rows ?? []
  const chart = (
    file: string,
    title: string,
    unit: string,
    columns: readonly (readonly [series: string, scenario: string, of: Figure])[],
    logarithmic = false,
  ): readonly NamedChart[] => {
    const find = (server: string, scenario: string): Summary | undefined =>
      rows.find(({ name }) => scenarioOf(name) === scenario && serverOf(name) === server)
    const servers = [...new Set(rows.map(({ name }) => serverOf(name)))]
    const groups = servers
      .map((server) => ({
        name: server,
        own: server.startsWith(COUNTERSIGN),
        values: columns.map(([, scenario, of]) => {
          const row = find(server, scenario)
          return row && of(row)
        }),
      }))
      .filter(({ values }) => values.some((value) => value !== undefined))
    const series = columns.map(([name]) => name)
    return groups.length === 0
      ? []
      : [{ file, chart: { title, unit, series, groups, logarithmic } }]
  }
  const { same, many, cold, pacedMany } = SCENARIOS
  const cpu: Figure = (row) => row.cpu
  const latencies = (scenario: string) =>
    [
      ['p50', scenario, (row) => row.p50],
      ['p99', scenario, (row) => row.p99],
      ['p99.9', scenario, (row) => row.p999],
    ] as const satisfies readonly (readonly [string, string, Figure])[]
  return [
    ...chart('cpu.svg', 'CPU of one check, saturated', 'µs, user and system, the whole process', [
      ['one token', same, cpu],
      ['many tokens', many, cpu],
      ['new tokens', cold, cpu],
    ]),
    ...chart('latency.svg', 'Latency at 1,000 checks a second', 'ms', latencies(pacedMany), true),
    ...chart('envoy-rate.svg', 'Requests a second through Envoy, one worker', 'requests/s', [
      ['', ENVOY_SCENARIOS.saturated, (row) => row.requestsPerSecond],
    ]),
    ...reloadsChart(results),
    ...chart(
      'envoy-latency.svg',
      'Latency through Envoy at 1,000 requests a second',
      'ms',
      latencies(ENVOY_SCENARIOS.paced),
      true,
    ),
  ]
}

const reloadsChart = ({ reloads }: Results): readonly NamedChart[] => {
  const groups = (reloads?.rows ?? []).map(({ name, longest, p99 }) => ({
    name,
    own: true,
    values: [longest, p99],
  }))
  const title = 'Waiting for a check during a reload, 1,000 checks a second'
  const series = ['longest', 'p99']
  const chart = { title, unit: 'ms', series, groups, logarithmic: false }
  return groups.length === 0 ? [] : [{ file: 'reloads.svg', chart }]
}

const pageOf = (kept: KeptResults, charts: readonly NamedChart[]): string => {
  const { date, machine, results } = kept
  const { cpu, cores, load, versions } = machine
  return [
    '# Results of the bench',
    '',
    'Written by `npm run bench -- --report` from the figures in `bench/results`, which `npm run bench -- --save`',
    'measured. What is measured, and how: [the README of the bench](README.md).',
    '',
    `${date.slice(0, 10)}; ${cpu}, ${cores} cores, which the load generator shares; load at the end ${load.toFixed(1)}; medians of ${results.size.rounds} rounds.`,
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join('; '),
    ...agingRun(kept),
    '',
    ...goalsSection(kept),
    ...charts.flatMap(({ file, chart }) => [`![${chart.title}](results/${file})`, '']),
    ...scenarioSections(results.checks?.rows ?? []),
    ...(results.checks?.missing ?? []).map(
      ({ name, reason }) => `${name}: not measured, ${reason}`,
    ),
    '',
    '## All parts',
    '',
    '```text',
    partTables(results),
    '```',
    '',
  ].join('\n')
}

/** A run of its own, which may be of another day and version. */
const agingRun = ({ aging }: KeptResults): readonly string[] => {
  if (aging === undefined) return []
  const { date, machine } = aging
  const version = machine.versions['countersign'] ?? 'unknown'
  return [
    `The process that worked for long: ${date.slice(0, 10)}; load at the end ${machine.load.toFixed(1)}; countersign ${version}.`,
  ]
}

const goalsSection = ({ results }: KeptResults): readonly string[] => [
  '## Goals',
  '',
  '| | measured | goal | |',
  '| --- | --- | --- | --- |',
  ...goalsOf(results).map((goal) => {
    const { name, unit, side, bound, measured } = goal
    const figure = measured < 10 ? measured.toFixed(2) : measured.toFixed(0)
    return `| ${name} | ${figure} ${unit} | ${side} ${bound} | ${isMet(goal) ? 'met' : 'missed'} |`
  }),
  '',
]

const COLUMNS: readonly (readonly [title: string, of: (row: Summary) => string])[] = [
  ['CPU µs', ({ cpu }) => (cpu === undefined ? '' : cpu.toFixed(1))],
  ['requests/s', ({ requestsPerSecond }) => Math.round(requestsPerSecond).toLocaleString('en')],
  ['p50 ms', ({ p50 }) => p50.toFixed(2)],
  ['p90', ({ p90 }) => p90.toFixed(2)],
  ['p99', ({ p99 }) => p99.toFixed(2)],
  ['p99.9', ({ p999 }) => p999.toFixed(2)],
  ['longest', ({ longest }) => longest.toFixed(1)],
  ['RSS MB', ({ resident }) => (resident === undefined ? '' : (resident / 1e6).toFixed(0))],
  ['Envoy µs', ({ envoyCpu }) => (envoyCpu === undefined ? '' : envoyCpu.toFixed(0))],
  ['generator µs', ({ loadCpu }) => loadCpu.toFixed(1)],
  ['late ms', ({ late }) => late.toFixed(2)],
]

const scenarioSections = (rows: readonly Summary[]): readonly string[] =>
  [...new Set(rows.map(({ name }) => scenarioOf(name)))].flatMap((scenario) => {
    const own = rows.filter(({ name }) => scenarioOf(name) === scenario)
    const columns = COLUMNS.filter(([, of]) => own.some((row) => of(row) !== ''))
    return [
      `## Checks ${scenario}`,
      '',
      `| | ${columns.map(([title]) => title).join(' | ')} |`,
      `| --- |${' --- |'.repeat(columns.length)}`,
      ...own.map(
        (row) => `| ${serverOf(row.name)} | ${columns.map(([, of]) => of(row)).join(' | ')} |`,
      ),
      '',
    ]
  })
