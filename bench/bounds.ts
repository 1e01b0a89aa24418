// The recorded bounds of ratios (bounds.json): how much CPU a row may need in terms of another row of the same run.
// A ratio does not depend on the machine, and CPU time hardly on what else the machine does.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Results } from './report.ts'
import type { Measurement } from './row.ts'
import { alignColumns } from './table.ts'

const boundSchema = z.strictObject({
  /** The part of the bench that has both rows. */
  part: z.enum(['checks', 'processes', 'credentials', 'tokens', 'sessions', 'certificates']),
  row: z.string(),
  floor: z.string(),
  /** The highest ratio. */
  most: z.number().positive(),
  /** Why it is that one. */
  reason: z.string().min(1),
})

/** A bound. */
export type Bound = z.output<typeof boundSchema>

/** A bound, and what was measured. */
export interface Judged {
  readonly bound: Bound
  /**
   * The lowest CPU of all rounds, in terms of the floor's lowest: other work on the machine only makes it higher.
   * Absent: no such rows.
   */
  readonly measured: number | undefined
  readonly exceeded: boolean
}

/** The bounds that are recorded. */
export const recordedBounds = (): readonly Bound[] => {
  const text = readFileSync(join(import.meta.dirname, 'bounds.json'), 'utf8')
  return z.array(boundSchema).parse(JSON.parse(text))
}

/** The rows of a part, as far as bounds need them. */
export interface BoundedRow {
  readonly name: string
  readonly rounds: readonly Pick<Measurement, 'cpu'>[]
}

/** The rows of every part that was measured. */
export const boundedRows = (
  results: Results,
): Readonly<Record<Bound['part'], readonly BoundedRow[]>> => ({
  checks: results.checks?.rows ?? [],
  processes: results.processes ?? [],
  credentials: results.credentials?.rows ?? [],
  tokens: results.tokens?.rows ?? [],
  sessions: results.sessions?.rows ?? [],
  certificates: [
    ...(results.certificates?.warm.direct ?? []),
    ...(results.certificates?.warm.envoy ?? []),
  ],
})

/** A bound and its measurement in words. */
export const describeBound = ({ bound: { row, floor, most }, measured }: Judged): string =>
  `"${row}" takes ${measured?.toFixed(2)} times the CPU time of "${floor}", and at most ${most} is accepted`

/** Compares rows with bounds. */
export const judge = (
  bounds: readonly Bound[],
  rows: Readonly<Record<Bound['part'], readonly BoundedRow[]>>,
): readonly Judged[] =>
  bounds.map((bound) => {
    const find = (name: string): BoundedRow | undefined =>
      rows[bound.part].find((row) => row.name === name)
    const measured = ratioOfLowest(find(bound.row), find(bound.floor))
    return { bound, measured, exceeded: measured !== undefined && measured > bound.most }
  })

const ratioOfLowest = (
  row: BoundedRow | undefined,
  floor: BoundedRow | undefined,
): number | undefined => {
  const [own, other] = [lowestCpu(row), lowestCpu(floor)]
  return own === undefined || other === undefined ? undefined : own / other
}

/** A round in which the kernel counted nothing says nothing. */
const lowestCpu = (row: BoundedRow | undefined): number | undefined => {
  const all = (row?.rounds ?? []).flatMap(({ cpu = 0 }) => (cpu > 0 ? [cpu] : []))
  return all.length === 0 ? undefined : Math.min(...all)
}

/** A line for each bound that there are rows for. */
export const boundsTable = (judged: readonly Judged[]): string =>
  [
    'Bounds: the lowest CPU of all rounds, in terms of that of a floor',
    '',
    alignColumns([
      ['', '× floor', 'at most', 'result'],
      ...judged.flatMap(({ bound, measured, exceeded }) =>
        measured === undefined
          ? []
          : [
              [
                `${bound.part}: ${bound.row} / ${bound.floor}`,
                measured.toFixed(2),
                String(bound.most),
                exceeded ? 'EXCEEDED' : 'kept',
              ],
            ],
      ),
    ]),
  ].join('\n')
