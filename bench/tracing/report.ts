// The table of what traces cost.

import { rowsTable } from '../table.ts'
import type { TracingCosts } from './tracing.ts'

/** A line for each kind. */
export const tracingTable = ({ rows }: TracingCosts): string =>
  [
    'Traces: a check by a known token (four groups, three rules, headers), in terms of one without tracing',
    '',
    rowsTable(rows, '× none'),
  ].join('\n')
