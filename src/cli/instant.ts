// Times on the command line.

import { InvalidArgumentError } from 'commander'

const RFC_3339 = /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2}))?$/

/**
 * A time as in RFC 3339, or a date; in milliseconds since the epoch.
 *
 * @throws InvalidArgumentError
 */
export const instant = (text: string): number => {
  const at = RFC_3339.test(text) ? Date.parse(text) : NaN
  if (Number.isNaN(at)) throw new InvalidArgumentError('It must be a time as in RFC 3339.')
  return at
}

const MILLISECONDS: ReadonlyMap<string | undefined, number> = new Map([
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])

/**
 * Such a time, or how long ago: `15m`.
 *
 * @throws InvalidArgumentError
 */
export const instantOrAgo = (text: string): number => {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  return count === undefined
    ? instant(text)
    : Date.now() - Number(count) * (MILLISECONDS.get(unit) ?? 0)
}
