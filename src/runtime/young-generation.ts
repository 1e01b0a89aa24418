// The young generation of V8's heap.
//
// What a start allocates stays: code, schemas, the configuration. V8 takes that for a high rate of allocation, and doubles
// the young generation again and again, up to 64 MiB, which the process keeps. Without that growth a start takes less CPU,
// since the scavenger copies less, and an idle service 10 MB less. Requests then grow it, up to a bound: a larger one takes
// memory, and no less CPU. Without any growth a check by one of 10,000 cached tokens takes a fifth more.
//
// V8 also makes it small again, when the process is idle: it may then grow anew.

import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

// V8 reads the flag each time when the young generation has survivors (`src/heap/new-spaces.cc`); 2 is its default. The
// bound itself (`--max-semi-space-size`) can be set on the command line of Node alone. `node --v8-options` lists all flags.
const GROWTH = '--semi-space-growth-factor'

// Few of the objects of a request survive. To share them among threads takes more than to copy them: 5 % of the CPU of a
// check, 15 MB for what each thread has in reserve, and a wait for each thread that has no core at that time.
const ONE_THREAD = '--no-parallel-scavenge'

/** The bound of both halves together, in bytes. */
const MOST_BYTES = 8 * 1_024 * 1_024

// How often it is looked whether it has been made small; V8 does that after eight seconds without much work.
const LOOK_MS = 1_000

let timer: NodeJS.Timeout | undefined

/** Keeps the young generation at its size. */
export const keepYoungGeneration = (): void => {
  clearInterval(timer)
  timer = undefined
  setFlagsFromString(ONE_THREAD)
  setFlagsFromString(`${GROWTH}=1`)
}

/** Lets it grow with what survives, until it has its greatest useful size. */
export const growYoungGeneration = (): void => {
  if (timer !== undefined) return
  timer = setInterval(growIfSmall, LOOK_MS).unref()
  growIfSmall()
}

let isGrowing = false

const growIfSmall = (): void => {
  if (isGrowing || youngBytes() >= MOST_BYTES) return
  isGrowing = true
  setFlagsFromString(`${GROWTH}=2`)
  // After each collection, which may have doubled it. No longer than it grows: an observer costs some 5 % of a check.
  const observer = new PerformanceObserver(() => {
    if (timer !== undefined && youngBytes() < MOST_BYTES) return
    observer.disconnect()
    setFlagsFromString(`${GROWTH}=1`)
    isGrowing = false
  })
  observer.observe({ entryTypes: ['gc'] })
}

const youngBytes = (): number =>
  getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0
