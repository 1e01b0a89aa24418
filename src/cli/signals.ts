// Waiting for the end.

/**
 * Resolves with the first signal that ends the process; the end of the parent that started it
 * with an IPC channel counts as one. A second signal ends the process at once.
 *
 * @param onSecond is called before that: for children, which would complete what they do
 */
export const endSignal = async (onSecond?: () => void): Promise<NodeJS.Signals> => {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      resolve(signal)
      if (onSecond !== undefined) process.once(signal, () => endAtOnce(signal, onSecond))
    })
  }
  process.once('disconnect', () => resolve('SIGTERM'))
  return await promise
}

const endAtOnce = (signal: NodeJS.Signals, onSecond: () => void): void => {
  onSecond()
  process.kill(process.pid, signal) // without a listener by now
}
