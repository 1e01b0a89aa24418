// Waits for work that several callers share.

import type { MaybePromise } from './maybe-promise.ts'

/**
 * Begins or joins shared work. A caller whose signal aborts stops waiting, and the work continues for the
 * other callers. Where the signal has aborted already, no work begins. Work that is done at once is not waited for.
 *
 * @returns rejected with the reason of the signal where that aborts first
 */
export function shared<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>
export function shared<T>(work: () => MaybePromise<T>, signal: AbortSignal): MaybePromise<T>
export function shared<T>(work: () => MaybePromise<T>, signal: AbortSignal): MaybePromise<T> {
  if (signal.aborted) return Promise.reject(signal.reason)
  const begun = work()
  return begun instanceof Promise ? unlessAborted(begun, signal) : begun
}

const unlessAborted = async <T>(begun: Promise<T>, signal: AbortSignal): Promise<T> => {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([begun, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
