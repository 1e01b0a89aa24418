// A goal: a figure of the bench and its bound.

import type { Summary } from '../rounds.ts'
import { median } from '../statistics.ts'

/** A figure and its bound. */
export interface Goal {
  readonly name: string
  readonly unit: string
  readonly bound: number
  /** Whether the bound is the highest or the lowest figure. */
  readonly side: 'at most' | 'at least'
  readonly measured: number
}

/** Whether it is met. */
export const isMet = ({ side, bound, measured }: Goal): boolean =>
  side === 'at most' ? measured <= bound : measured >= bound

/** A goal, if there is a figure. */
export const goal = (
  name: string,
  unit: string,
  [side, bound]: readonly [Goal['side'], number],
  measured: number | undefined,
): readonly Goal[] =>
  measured === undefined || Number.isNaN(measured) ? [] : [{ name, unit, side, bound, measured }]

/** A figure of one row in terms of another's in the same round: the median. */
export const ratioIn = (
  row: Summary | undefined,
  floor: Summary | undefined,
  of: (round: Summary['rounds'][number]) => number | undefined,
): number | undefined => {
  const ratios = (row?.rounds ?? []).flatMap((round, index) => {
    const other = floor?.rounds[index]
    const [own, theirs] = [of(round), other && of(other)]
    return own === undefined || theirs === undefined ? [] : [own / theirs]
  })
  return ratios.length === 0 ? undefined : median(ratios)
}
