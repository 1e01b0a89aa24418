// Waiting for the end.

/**
 * Resolves with the first signal that ends the process; the end of the parent that started it
 * with an IPC channel counts as one. A second signal ends the process at once.
 */
export const endSignal = async (): Promise<NodeJS.Signals> => {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>()
  process.once('SIGTERM', resolve)
  process.once('SIGINT', resolve)
  process.once('disconnect', () => resolve('SIGTERM'))
  return await promise
}
