// What a process holds on to, as far as it can be measured from inside.

import { setTimeout as sleep } from 'node:timers/promises'

const COLLECTIONS = 8
const PAUSE_MS = 50

/** Bytes of heap after everything unreachable is collected; needs `--expose-gc`. */
export const collect = async (): Promise<number> => {
  if (globalThis.gc === undefined) throw new Error('started without --expose-gc')
  for (let round = 0; round < COLLECTIONS; round++) {
    globalThis.gc()
    // Streams are taken apart in later turns of the event loop, and code that has not run since is
    // dropped after several collections.
    await sleep(PAUSE_MS)
  }
  return process.memoryUsage().heapUsed
}
