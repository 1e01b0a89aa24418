// The table of what tokens cost, and how far they are from what they may cost.

import type { Summary } from '../rounds.ts'
import { rowsTable } from '../table.ts'
import { HEADERS, NEW_HEADERS, type TokenCosts } from './tokens.ts'

// What a token that was made a moment ago may cost, in terms of headers alone.
const MOST_WARM = 1.1
// What making one may cost, in ms.
const MOST_COLD = 1

/** A line for each kind, and what is wanted of them. */
export const tokensTable = ({ rows }: TokenCosts): string =>
  [
    'Tokens of our own for the upstream; callers show a JWT (ES256)',
    '',
    rowsTable(rows, '× headers'),
    '',
    `wanted: a known caller’s token at most × ${MOST_WARM} of the headers; making one at most ${MOST_COLD} ms`,
    ...rows.filter(isKnownToken).map(({ name, ratio }) => `  ${name}: × ${shown(ratio, 2)}`),
    ...rows.filter(isNewToken).map((row) => `  ${row.name}: ${overHeaders(row, rows)}`),
  ].join('\n')

const isKnownToken = ({ name }: Summary): boolean => name !== HEADERS && name.endsWith(', known')

const isNewToken = ({ name }: Summary): boolean =>
  name !== NEW_HEADERS && name.endsWith(', new callers')

/** What it takes longer than headers for new callers, whose own credential is proven in both. */
const overHeaders = ({ cpu, alone }: Summary, rows: readonly Summary[]): string => {
  const headers = rows.find(({ name }) => name === NEW_HEADERS)
  const more = cpu === undefined || headers?.cpu === undefined ? undefined : cpu - headers.cpu
  const later =
    alone === undefined || headers?.alone === undefined ? undefined : alone - headers.alone
  return `+ ${shown(more, 0)} µs of CPU, + ${shown(later, 2)} ms for one request at a time`
}

const shown = (value: number | undefined, digits: number): string =>
  value === undefined ? '–' : value.toFixed(digits)
