// The tables of what checks cost: one for each scenario, a line for each server.

import type { Summary } from '../rounds.ts'
import { rowsTable } from '../table.ts'
import { floorFor, scenarioOf, serverOf, type CheckResults } from './checks.ts'

/** A table for each scenario. */
export const checksTable = ({ rows, missing }: CheckResults): string => {
  const scenarios = new Set(rows.map(({ name }) => scenarioOf(name)))
  return [
    ...[...scenarios].map((scenario) => {
      const own = rows.filter(({ name }) => scenarioOf(name) === scenario)
      return `Checks ${scenario}\n\n${rowsTable(own.map(named), '× no-op')}\n`
    }),
    `× no-op: to the ${floorFor(missing)}, in the same round.`,
    ...missing.map(({ name, reason }) => `${name}: not measured, ${reason}`),
  ].join('\n')
}

const named = (row: Summary): Summary => ({ ...row, name: serverOf(row.name) })
