// Waits for work that several callers share.

/**
 * Begins or joins shared work. A caller whose signal aborts stops waiting, and the work continues for the
 * other callers. Where the signal has aborted already, no work begins.
 *
 * @throws the reason of the signal
 */
export const shared = async <T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> => {
  signal.throwIfAborted()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work(), aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
