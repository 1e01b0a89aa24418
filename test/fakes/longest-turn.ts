// How long a piece of work keeps the event loop, by CPU time, which the load of the machine does not change.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { cpuTime } from './cpu-time.ts'

/** The result of the work, and the CPU time of this thread in the longest turn of the event loop, in milliseconds. */
export const longestTurn = async <T>(
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly longest: number }> => {
  let longest = 0
  const end = new AbortController()
  const measure = async (): Promise<void> => {
    let before = cpuTime()
    while (!end.signal.aborted) {
      await nextTurn()
      const now = cpuTime()
      longest = Math.max(longest, now - before)
      before = now
    }
  }
  const measured = measure()
  const result = await work()
  end.abort()
  await measured
  return { result, longest }
}
