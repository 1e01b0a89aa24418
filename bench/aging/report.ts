// The table of a process that has worked for long.

import { rowsTable } from '../table.ts'
import type { AgingCost } from './aging.ts'

/** Its table, and its memory. */
export const agingTable = (cost: AgingCost): string => {
  const { seconds, checks, identities, reloads, rows, resident, first, last } = cost
  const [megabytes, latency] = [
    (bytes: number): string => (bytes / 1e6).toFixed(0),
    ({ p50, p99 }: AgingCost['first']): string => `${p50.toFixed(2)} / ${p99.toFixed(2)}`,
  ]
  return [
    `A process after ${checks.toLocaleString('en')} checks in ${duration(seconds)} by ${identities.toLocaleString('en')} identities in turn, with ${reloads} reloads, next to a fresh one`,
    '',
    rowsTable(rows, '× fresh'),
    '',
    `Resident MB: ${megabytes(resident.before)} when it had warmed up, ${megabytes(resident.after)} at the end; fresh ${megabytes(resident.fresh)}`,
    `1,000 checks a second, p50 / p99 ms: ${latency(first)} in the first share of the time, ${latency(last)} in the last`,
  ].join('\n')
}

const duration = (seconds: number): string =>
  seconds % 60 === 0 ? `${seconds / 60} minutes` : `${seconds} seconds`
