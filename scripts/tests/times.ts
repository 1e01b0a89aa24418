// How long each test file took when it last ran, so that the longest start first and the last ones are
// short. Kept in `.cache/`; nothing else depends on it.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const FILE = join(import.meta.dirname, '../../.cache/test-times.json')

/** Seconds by path. */
export type Times = Readonly<Record<string, number>>

/** Reads what is known. */
export const readTimes = (): Times => {
  try {
    return Object.fromEntries(
      Object.entries<unknown>(JSON.parse(readFileSync(FILE, 'utf8'))).map(([path, seconds]) => [
        path,
        Number(seconds),
      ]),
    )
  } catch {
    return {} // the first run
  }
}

/** Adds those of a run. */
export const writeTimes = (times: Times): void => {
  mkdirSync(dirname(FILE), { recursive: true })
  writeFileSync(FILE, JSON.stringify({ ...readTimes(), ...times }, null, 1))
}

/** Sorts paths, the longest first; those that are not known before them. */
export const longestFirst = (paths: readonly string[], times: Times): readonly string[] => {
  const seconds = (path: string): number => times[path] ?? Infinity
  return paths.toSorted((a, b) => (seconds(a) === seconds(b) ? 0 : seconds(b) - seconds(a)))
}
