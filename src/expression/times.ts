// Sums, differences and the order of timestamps and durations, without rounding. The library's timestamps
// have milliseconds; a duration with more is refused where it would be rounded.

import { Duration } from '@marcbachmann/cel-js/evaluator'
import { fail, nanosecondsOf } from './ranges.ts'

const NANOSECONDS = 1_000_000_000n
const IN_MILLISECOND = 1_000_000n

const durationOf = (nanoseconds: bigint): Duration =>
  new Duration(nanoseconds / NANOSECONDS, Number(nanoseconds % NANOSECONDS))

const moved = (time: Date, nanoseconds: bigint): Date => {
  if (nanoseconds % IN_MILLISECOND !== 0n) throw fail('finer_than_milliseconds')
  return new Date(time.getTime() + Number(nanoseconds / IN_MILLISECOND))
}

/** A sum in which there is a duration; `undefined` of other values. */
export const addTimes = (left: unknown, right: unknown): Date | Duration | undefined => {
  if (left instanceof Duration && right instanceof Duration) {
    return durationOf(nanosecondsOf(left) + nanosecondsOf(right))
  }
  if (left instanceof Date && right instanceof Duration) return moved(left, nanosecondsOf(right))
  if (left instanceof Duration && right instanceof Date) return moved(right, nanosecondsOf(left))
  return undefined
}

/** A difference of timestamps or durations; `undefined` of other values. */
export const subtractTimes = (left: unknown, right: unknown): Date | Duration | undefined => {
  if (left instanceof Duration && right instanceof Duration) {
    return durationOf(nanosecondsOf(left) - nanosecondsOf(right))
  }
  if (left instanceof Date && right instanceof Duration) return moved(left, -nanosecondsOf(right))
  if (left instanceof Date && right instanceof Date) {
    return durationOf(BigInt(left.getTime() - right.getTime()) * IN_MILLISECOND)
  }
  return undefined
}

/** The order of two durations, as for sorting; `undefined` of other values. */
export const compareTimes = (left: unknown, right: unknown): number | undefined => {
  if (!(left instanceof Duration && right instanceof Duration)) return undefined
  const difference = nanosecondsOf(left) - nanosecondsOf(right)
  return difference < 0n ? -1 : Number(difference > 0n)
}
