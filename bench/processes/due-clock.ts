// The thread of load/due-clock.ts: wakes the generator up whenever a request is due.

import { parentPort, workerData } from 'node:worker_threads'
import { preciseNow, type DueTimes } from '../load/due-clock.ts'

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of load/due-clock.ts
const { start, period, count } = workerData as DueTimes
const nothing = new Int32Array(new SharedArrayBuffer(4))

for (let index = 0; index < count; index++) {
  const due = start + index * period
  for (let left = due - preciseNow(); left > 0; left = due - preciseNow()) {
    Atomics.wait(nothing, 0, 0, left)
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- no window, but a port
  parentPort?.postMessage(undefined)
}
