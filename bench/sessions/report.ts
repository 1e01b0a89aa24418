// The table of what sessions cost, and how far they are from what they may cost.

import { rowsTable } from '../table.ts'
import type { SessionCosts } from './sessions.ts'

// What a check by a cookie may cost, in terms of one by a token that is known.
const MOST = { SQLite: 1.5, Redis: 2 }

/** A line for each kind, and what is wanted of them. */
export const sessionsTable = ({ rows, skipped }: SessionCosts): string =>
  [
    'Sessions of browsers, by their cookie (four groups, three rules, headers)',
    '',
    rowsTable(rows, '× JWT'),
    ...skipped.map(({ name, reason }) => `${name}: skipped, ${reason}`),
    '',
    `wanted, in terms of a known JWT: at most × ${MOST.SQLite} with SQLite, × ${MOST.Redis} with Redis`,
    ...rows.map(
      ({ name, ratio }) => `  ${name}: × ${ratio === undefined ? '–' : ratio.toFixed(2)}`,
    ),
  ].join('\n')
