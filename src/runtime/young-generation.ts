// The young generation of V8's heap.
//
// What a start allocates stays: code, schemas, the configuration. V8 takes that for a high rate of allocation, and doubles
// the young generation again and again, up to 64 MiB for each of its halves, which the process keeps. Without that growth a
// start takes less CPU, since the scavenger copies less, and an idle service 10 MB less. Requests then grow it, up to a
// bound: a larger one takes memory (410 MB in place of 280 with 10,000 tokens in turn), and no less CPU.

import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

// V8 reads the flag each time when the young generation has survivors (`src/heap/new-spaces.cc`); 2 is its default. The
// bound itself (`--max-semi-space-size`) can be set on the command line of Node alone.
const FLAG = '--semi-space-growth-factor'

/** The bound of both halves together, in bytes. */
const MOST_BYTES = 16 * 1_024 * 1_024

/** Keeps the young generation at its size. */
export const keepYoungGeneration = (): void => setFlagsFromString(`${FLAG}=1`)

/** Lets it grow with what survives, until it has its greatest useful size. */
export const growYoungGeneration = (): void => {
  setFlagsFromString(`${FLAG}=2`)
  const observer = new PerformanceObserver(() => {
    if (youngBytes() < MOST_BYTES) return
    keepYoungGeneration()
    observer.disconnect()
  })
  observer.observe({ entryTypes: ['gc'] })
}

const youngBytes = (): number =>
  getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0
