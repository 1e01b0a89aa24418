// Ctrl-C, at a time when it can be obeyed without harm. The process then ends by the signal, as its
// shell expects.

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

type EndSignal = (typeof SIGNALS)[number]

/**
 * Runs what ends early, or does not, when its signal is aborted; then the process ends. A second signal
 * ends the process at once.
 */
export const heedingInterruption = async <T>(
  run: (interrupted: AbortSignal) => Promise<T>,
): Promise<T> => {
  const controller = new AbortController()
  let received: EndSignal | undefined
  const note = (signal: NodeJS.Signals): void => {
    received ??= SIGNALS.find((known) => known === signal)
    controller.abort(new Error('interrupted'))
  }
  for (const signal of SIGNALS) process.once(signal, note)
  try {
    return await run(controller.signal)
  } finally {
    for (const signal of SIGNALS) process.off(signal, note)
    // Without a listener of this module the signal ends the process, unless another listener handles it.
    if (received !== undefined) process.kill(process.pid, received)
  }
}
