// The table of what rules cost.

import { alignColumns } from '../table.ts'
import type { PolicyCost } from './policy.ts'

const COLUMNS: readonly (readonly [title: string, of: (cost: PolicyCost) => string])[] = [
  ['rules', ({ rules }) => rules.toFixed(0)],
  ['p50 µs', ({ p50 }) => p50.toFixed(1)],
  ['p99', ({ p99 }) => p99.toFixed(1)],
  ['CPU µs', ({ cpu }) => cpu.toFixed(2)],
  ['× three', ({ ratio }) => ratio.toFixed(1)],
  ['new caller', ({ fresh }) => fresh.toFixed(1)],
  ['parse ms', ({ reading }) => orDash(reading?.parse)],
  ['of it YAML', ({ reading }) => orDash(reading?.yaml)],
  ['compile ms', ({ reading }) => orDash(reading?.compile)],
]

const orDash = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(0))

/** A line for each set of rules. */
export const policyTable = (costs: readonly PolicyCost[]): string =>
  [
    'Rules: one evaluation, and reading the rules in a new process',
    '',
    alignColumns([
      ['', ...COLUMNS.map(([title]) => title)],
      ...costs.map((cost) => [cost.name, ...COLUMNS.map(([, of]) => of(cost))]),
    ]),
    '',
    'CPU µs: of one evaluation, without the rest of the check; × three: divided by that of three rules; new',
    'caller: the median (µs) for a user without a cached credential.',
  ].join('\n')
