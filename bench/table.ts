// Tables in text.

import type { Summary } from './rounds.ts'

const COLUMNS: readonly (readonly [title: string, of: (row: Summary) => string])[] = [
  ['req/s', (row) => row.requestsPerSecond.toFixed(0)],
  ['p50 ms', (row) => row.p50.toFixed(2)],
  ['p90', (row) => row.p90.toFixed(2)],
  ['p99', (row) => row.p99.toFixed(2)],
  ['p99.9', (row) => row.p999.toFixed(2)],
  ['longest', (row) => row.longest.toFixed(1)],
  ['alone ms', (row) => orDash(row.alone, 2)],
  ['load µs', (row) => row.loadCpu.toFixed(1)],
  ['CPU µs', (row) => orDash(row.cpu, 0)],
  ['ratio', (row) => orDash(row.ratio, 2)],
  ['Envoy µs', (row) => orDash(row.envoyCpu, 0)],
  ['RSS MB', (row) => orDash(row.resident === undefined ? undefined : row.resident / 1e6, 0)],
]

const NONE = '–'

const orDash = (value: number | undefined, digits: number): string =>
  value === undefined ? NONE : value.toFixed(digits)

/** Rows with their figures, without columns that none has; `ratio` says what the ratios are to. */
export const rowsTable = (rows: readonly Summary[], ratio: string): string => {
  const columns = COLUMNS.filter(([, of]) => rows.some((row) => of(row) !== NONE))
  return alignColumns([
    ['', ...columns.map(([title]) => (title === 'ratio' ? ratio : title))],
    ...rows.map((row) => [row.name, ...columns.map(([, of]) => of(row))]),
  ])
}

/** The first column to the left, the other columns to the right. */
export const alignColumns = (lines: readonly (readonly string[])[]): string => {
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
