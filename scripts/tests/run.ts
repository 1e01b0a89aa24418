// Runs test files: those that share processes first, since they tell most in the least time; then
// those with a process each; then those that nothing may disturb.

import { availableParallelism } from 'node:os'
import type { TestFile } from './files.ts'
import { runFiles } from './pool.ts'
import { Report } from './report.ts'
import { longestFirst, readTimes, writeTimes } from './times.ts'

// Tests wait for timers and servers: one file more than there are cores keeps these busy, and some more do while
// several wait for long.
const CORES = Math.max(2, availableParallelism())
const CONCURRENCY = CORES + 1
const MOST = 3 * CORES

/**
 * At most so many files that fail are run once more, alone, and pass if they pass then. A server that another test has
 * slowed down makes about one file fail in some hundred runs. The second run is reported with the failure, so that the
 * cause can be mended.
 */
const MAX_SECOND_RUNS = 2

/** Whether all of them pass. */
export const runTestFiles = async (files: readonly TestFile[]): Promise<boolean> => {
  const report = new Report()
  const times = readTimes()
  const onResult = report.add.bind(report)
  const paths = (chosen: (file: TestFile) => boolean): readonly string[] =>
    longestFirst(
      files.filter(chosen).map(({ path }) => path),
      times,
    )
  const shared = paths((file) => file.shared)
  const apart = paths((file) => !file.shared && !file.alone)
  const alone = paths((file) => file.alone)
  const several = { concurrency: CONCURRENCY, most: MOST, onResult }
  await runFiles({ paths: shared, shared: true }, several)
  await runFiles({ paths: apart, shared: false }, several)
  await runFiles({ paths: alone, shared: false }, { concurrency: 1, onResult })
  writeTimes(report.times)
  const failed = report.failed
  if (failed.length <= MAX_SECOND_RUNS) {
    await runFiles(
      { paths: failed, shared: false },
      { concurrency: 1, onResult: report.addSecond.bind(report) },
    )
  }
  return report.finish(files.map(({ path }) => path))
}
