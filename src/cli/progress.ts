// Progress of long work: one line on standard error that is overwritten, on a terminal only. In a pipe or a log it
// would be noise.

import type { CommandContext } from './context.ts'

/** A line of progress. */
export interface Progress extends Disposable {
  /** Shows how far the work is: a few words. */
  update(text: string): void
  /** Removes the line, before the result is printed. */
  end(): void
}

/** For work of another kind, and for tests. */
interface ProgressOptions {
  /** Milliseconds before the first text is shown. */
  readonly delay?: number
  /** Milliseconds, monotonic. */
  readonly now?: () => number
}

// Work that ends sooner shows nothing.
const DELAY_MS = 500
const INTERVAL_MS = 100
const START_OF_LINE = '\r\u001b[2K' // ECMA-48 §8.3.41: erase in line

/** Chunks, as they are, with the megabytes that have been read of them. */
export async function* withProgress(
  chunks: AsyncIterable<Uint8Array>,
  progress: Progress,
): AsyncGenerator<Uint8Array, void> {
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.length
    progress.update(`${Math.floor(bytes / 1_000_000)} MB`)
    yield chunk
  }
}

/**
 * Starts it.
 *
 * @param what the work, which precedes each text
 */
export const startProgress = (
  { process: { stderr, env } }: CommandContext,
  what: string,
  { delay = DELAY_MS, now = () => performance.now() }: ProgressOptions = {},
): Progress => {
  const isShown = 'isTTY' in stderr && stderr.isTTY === true && env['TERM'] !== 'dumb'
  let next = now() + delay
  let isOpen = false
  const end = (): void => {
    if (isOpen) stderr.write(START_OF_LINE)
    isOpen = false
  }
  return {
    update(text) {
      if (!isShown || now() < next) return
      next = now() + INTERVAL_MS
      isOpen = true
      stderr.write(`${START_OF_LINE}${what}: ${text}`)
    },
    end,
    [Symbol.dispose]: end,
  }
}
