// The table of what callers notice of reloads.

import { alignColumns } from '../table.ts'
import type { ReloadCosts } from './reloads.ts'

/** A line for each kind. */
export const reloadsTable = ({ rows, failed }: ReloadCosts): string =>
  [
    'Reloads: 1,000 checks a second meanwhile, times in ms',
    '',
    alignColumns([
      ['', 'longest', 'p50', 'p99', 'p99.9', 'reload took'],
      ...rows.map(({ name, longest, p50, p99, p999, reload }) => [
        name,
        longest.toFixed(1),
        p50.toFixed(2),
        p99.toFixed(1),
        p999.toFixed(1),
        reload.toFixed(0),
      ]),
    ]),
    ...failed.map(({ name, reason }) => `${name}: not measured, ${reason}`),
  ].join('\n')
