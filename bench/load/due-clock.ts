// When requests of a fixed rate are due. A thread of its own waits, since the timers of Node's event loop come
// in whole milliseconds, and late by as much.

import { join } from 'node:path'
import { Worker } from 'node:worker_threads'

/** What the thread is given. */
export interface DueTimes {
  /** When the first is due, in ms since 1970, with fractions. */
  readonly start: number
  /** Between two, in ms. */
  readonly period: number
  readonly count: number
}

/** The time, in ms since 1970, the same in every thread. */
export const preciseNow = (): number => performance.timeOrigin + performance.now()

const THREAD = join(import.meta.dirname, '../processes/due-clock.ts')
// Until the thread is there.
const LEAD_MS = 100

/**
 * Calls `send` with the index of each request and the time at which it was due (see {@link preciseNow}), not
 * before that time.
 */
export const atDueTimes = async (
  count: number,
  perSecond: number,
  send: (index: number, due: number) => void,
): Promise<void> => {
  const period = 1_000 / perSecond
  const start = preciseNow() + LEAD_MS
  const workerData: DueTimes = { start, period, count }
  const thread = new Worker(THREAD, { workerData })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let next = 0
  const sendDue = (): void => {
    const now = preciseNow()
    for (; next < count && start + next * period <= now; next++) send(next, start + next * period)
    if (next === count) resolve()
  }
  thread.on('message', sendDue)
  thread.on('error', reject)
  await promise
  await thread.terminate()
}
