// How busy the machine is: while files wait for timers, more of them can run.

import { cpus } from 'node:os'

/** Measures how many cores were idle since the last call, on average. */
export const idleCoresOfSystem = (): (() => number) => {
  let [idle, at] = [idleMs(), performance.now()]
  return () => {
    const [idleBefore, atBefore] = [idle, at]
    idle = idleMs()
    at = performance.now()
    return (idle - idleBefore) / Math.max(1, at - atBefore)
  }
}

const idleMs = (): number => cpus().reduce((sum, { times }) => sum + times.idle, 0)
