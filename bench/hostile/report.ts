// The table of what hostile clients cost.

import { alignColumns } from '../table.ts'
import type { HostileResults } from './hostile.ts'
import type { HostileCost } from './measure.ts'

const COLUMNS: readonly (readonly [title: string, of: (row: HostileCost) => string])[] = [
  ['sent', ({ sent }) => String(sent)],
  ['authz µs', ({ cpu }) => cpu.toFixed(0)],
  ['Envoy µs', ({ envoyCpu }) => envoyCpu.toFixed(0)],
  ['state B', ({ stateBytes }) => stateBytes.toFixed(0)],
  ['for s', ({ stateSeconds }) => (stateSeconds === 0 ? '–' : stateSeconds.toFixed(0))],
  ['audit B', ({ auditBytes }) => auditBytes.toFixed(0)],
  ['user p50 ms', ({ p50 }) => p50.toFixed(2)],
  ['p99', ({ p99 }) => p99.toFixed(1)],
  ['answers', ({ answers }) => answersIn(answers)],
]

const answersIn = (answers: HostileCost['answers']): string =>
  Object.entries(answers)
    .map(([status, count]) => `${status} ×${count}`)
    .join(' ')

/** A line for each kind. */
export const hostileTable = ({ alone, rows, size, skipped }: HostileResults): string => {
  const title = 'Hostile clients: what one that has proven nothing costs, and what a user notices'
  if (alone === undefined) return `${title}: skipped, ${skipped ?? ''}`
  const { seconds, perSecond, connections } = size
  return [
    title,
    '',
    alignColumns([
      ['', ...COLUMNS.map(([name]) => name)],
      [
        'without them',
        '–',
        '–',
        '–',
        '–',
        '–',
        '–',
        alone.p50.toFixed(2),
        alone.p99.toFixed(1),
        '',
      ],
      ...rows.map((row) => [row.name, ...COLUMNS.map(([, of]) => of(row))]),
    ]),
    '',
    `${perSecond} requests a second for ${seconds} s from one address, or ${connections} connections; authz µs: CPU of authz for each`,
    'that Envoy did not refuse; state and audit: bytes for each that was sent, and until the last of them ends.',
  ].join('\n')
}
