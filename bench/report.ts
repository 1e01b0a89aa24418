// The results, for people and for programs.

import { arch, availableParallelism, cpus, loadavg } from 'node:os'
import type { MemoryCost } from './memory.ts'
import type { Summary } from './rounds.ts'
import type { Size } from './size.ts'

/** Everything that a run of the bench finds out. */
export interface Results {
  readonly size: Size
  readonly rows: readonly Summary[]
  readonly skipped: readonly { readonly name: string; readonly reason: string }[]
  readonly memory: MemoryCost
}

const machine = (): object => ({
  node: process.version,
  arch: arch(),
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  // Above 1 for each core, something else was at work too.
  load: loadavg()[0],
})

/** JSON; what a row does not have is null. Times in ms, CPU in µs, memory in bytes. */
export const toJson = (results: Results): string =>
  `${JSON.stringify({ date: new Date().toISOString(), machine: machine(), ...results }, null, 2)}\n`

const COLUMNS: readonly (readonly [title: string, of: (row: Summary) => string])[] = [
  ['req/s', (row) => row.requestsPerSecond.toFixed(0)],
  ['p50 ms', (row) => row.p50.toFixed(2)],
  ['p90', (row) => row.p90.toFixed(2)],
  ['p99', (row) => row.p99.toFixed(2)],
  ['alone ms', (row) => row.alone.toFixed(2)],
  ['CPU µs', (row) => orDash(row.cpu, 0)],
  ['× floor', (row) => orDash(row.ratio, 2)],
  ['Envoy µs', (row) => orDash(row.envoyCpu, 0)],
  ['RSS MB', (row) => orDash(row.resident === undefined ? undefined : row.resident / 1e6, 0)],
]

const orDash = (value: number | undefined, digits: number): string =>
  value === undefined ? '–' : value.toFixed(digits)

/** The table, with what its columns mean. */
export const toTable = ({ size, rows, skipped, memory }: Results): string => {
  const lines = [
    ['', ...COLUMNS.map(([title]) => title)],
    ...rows.map((row) => [row.name, ...COLUMNS.map(([, of]) => of(row))]),
  ]
  return [
    JSON.stringify(machine()),
    '',
    alignColumns(lines),
    ...skipped.map(({ name, reason }) => `${name}: skipped, ${reason}`),
    '',
    `Memory for each remembered identity: ${memory.heap.toFixed(0)} bytes of heap (${memory.identities} users)`,
    '',
    `Medians of ${size.rounds} rounds. Latency with ${size.concurrency} requests at a time (argon2id: one) as fast as they are answered;`,
    'alone: median with one at a time. CPU µs and RSS: the process that answers checks, for each request;',
    '× floor: its CPU divided by that of the first row. Envoy: one worker, TLS to caller and upstream.',
  ].join('\n')
}

const alignColumns = (lines: readonly (readonly string[])[]): string => {
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  )
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  '),
    )
    .join('\n')
}
