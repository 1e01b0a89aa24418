// When V8 optimizes code.
//
// A start runs most code once or a few times. What V8 optimizes meanwhile takes a tenth of the CPU of a start, and 9 MB for
// its two optimizing compilers (Maglev, Turbofan) and for their results, few of which a check uses. So a service starts
// without them. A start that takes longer, as with thousands of rules, gets them.

import { setFlagsFromString } from 'node:v8'

// V8 reads the flag each time when it considers a function (`src/execution/tiering-manager.cc`); 2 is its default. Long loops
// are optimized nevertheless. Not `--no-opt --no-maglev`: a thread that starts without compilers could not use them later.
const LEAST_CALLS = '--minimum-invocations-before-optimization'

// Calls until Turbofan optimizes a function; 3,000 by default. What each check calls once gets there after 8,000 to 12,000 checks, since
// code of Maglev counts less. With half, the first 4,000 checks by new tokens take 233 in place of 172 µs of CPU, compilation
// included, and the next 20,000 take 95 in place of 117.
const CALLS_TO_TURBOFAN = '--invocation-count-for-turbofan'

/** CPU time of a start that is short, in microseconds. */
const SHORT_US = 300_000
const LOOK_MS = 50

let timer: NodeJS.Timeout | undefined

/** Optimizes no function until {@link allowOptimization}, or until the process has used 0.3 s of CPU. */
export const deferOptimization = (): void => {
  clearInterval(timer)
  setFlagsFromString(`${LEAST_CALLS}=1000000000`)
  const begun = process.cpuUsage()
  timer = setInterval(() => {
    const { user, system } = process.cpuUsage(begun)
    if (user + system < SHORT_US) return
    clearInterval(timer)
    setFlagsFromString(`${LEAST_CALLS}=2`)
  }, LOOK_MS).unref()
}

/** Optimizes functions that are called often. Does nothing where {@link deferOptimization} was not called. */
export const allowOptimization = (): void => {
  if (timer === undefined) return
  clearInterval(timer)
  timer = undefined
  setFlagsFromString(`${LEAST_CALLS}=2`)
  setFlagsFromString(`${CALLS_TO_TURBOFAN}=1500`)
}
