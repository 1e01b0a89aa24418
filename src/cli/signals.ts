// Waiting for the end.

/** Resolves with the first signal that asks the process to end. */
export const endSignal = async (): Promise<NodeJS.Signals> => {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>()
  process.once('SIGTERM', resolve)
  process.once('SIGINT', resolve)
  return await promise
}
