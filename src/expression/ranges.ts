// The ranges of values of CEL (cel-spec, "Values"; protobuf's Timestamp and Duration).

import { EvaluationError } from '@marcbachmann/cel-js'
import { Duration } from '@marcbachmann/cel-js/evaluator'

const MOST_INT = 2n ** 63n - 1n
const LEAST_INT = -(2n ** 63n)
// 10,000 years of 365.2425 days, in nanoseconds, and the fraction of a second beyond.
const LIMIT_OF_DURATIONS = 315_576_000_001n * 1_000_000_000n
const FIRST_TIME = Date.parse('0001-01-01T00:00:00Z')
const LAST_TIME = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

/** The error of an evaluation, by its code. */
export const fail = (code: string): EvaluationError =>
  new EvaluationError({ code, message: code.replaceAll('_', ' ') })

/** A duration in nanoseconds. */
export const nanosecondsOf = ({ seconds, nanos }: Duration): bigint =>
  seconds * 1_000_000_000n + BigInt(nanos)

/**
 * A value, where it is one of CEL.
 *
 * @throws EvaluationError
 */
export const inRange = (value: unknown): unknown => {
  if (typeof value === 'bigint') {
    if (value < LEAST_INT || value > MOST_INT) throw fail('numeric_overflow')
  } else if (value instanceof Date) {
    const time = value.getTime()
    if (!(time >= FIRST_TIME && time <= LAST_TIME)) throw fail('numeric_overflow')
  } else if (value instanceof Duration) {
    const all = nanosecondsOf(value)
    if (all <= -LIMIT_OF_DURATIONS || all >= LIMIT_OF_DURATIONS) throw fail('numeric_overflow')
  }
  return value
}
