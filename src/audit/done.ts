// Who waits for an event to be written, and how the outcome gets there.

import type { CountersignError } from '../runtime/errors.ts'

/** Is called with the outcome of an event. */
export type RecordDone = (failure: CountersignError | undefined) => void

/** Calls all that wait for the events of a batch, with its outcome. */
export type Settle = () => void

/** Where no event waits. */
export const settleNone: Settle = () => {}

/** @param written how many of the events were written; the failure is that of the remaining events */
export const settling =
  (
    waiting: readonly RecordDone[],
    written: number,
    failure: CountersignError | undefined,
  ): Settle =>
  () => {
    for (const [index, done] of waiting.entries()) done(index < written ? undefined : failure)
  }

/** The promise of an event. */
export const settled = async (record: (done: RecordDone) => void): Promise<void> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  record((failure) => {
    if (failure === undefined) resolve()
    else reject(failure)
  })
  await promise
}
