// Starts the thread that sends the audit log, and starts it again should it end.

import { once } from 'node:events'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Logger } from '../../runtime/logger.ts'
import type { ForwardCounts, Skipped } from './forwarder.ts'
import type { ForwardedLog, Forwarders, SinkCounts } from './forwarders.ts'

/** What the thread reports. */
export type ForwardMessage =
  | { readonly kind: 'counts'; readonly counts: SinkCounts }
  | { readonly kind: 'skipped'; readonly skipped: Skipped }

// The extension is that of this file: `.ts` in a clone, `.js` when it is built.
const WORKER = new URL(`./forward-worker${extname(import.meta.filename)}`, import.meta.url)
const RESTART_MS = 5_000
const GRACE_MS = 3_000
// It holds some batches; a reader that grew would not take the memory of authz.
const LIMITS = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16 }

/** Starts it. */
export const startForwardThread = (
  forwarded: ForwardedLog,
  parts: { readonly logger: Logger; readonly skipped: (skipped: Skipped) => void },
): Forwarders => {
  /** The counts of threads that have ended, and of the one that runs. */
  let before: SinkCounts = {}
  let counts: SinkCounts = {}
  let isEnding = false
  let restart: NodeJS.Timeout | undefined
  const start = (): Worker => {
    const worker = new Worker(WORKER, { workerData: forwarded, resourceLimits: LIMITS })
    worker.on('message', (message: ForwardMessage) => {
      if (message.kind === 'counts') counts = message.counts
      else parts.skipped(message.skipped)
    })
    worker.on('error', (cause) => {
      parts.logger.error({ err: cause }, 'thread of audit sinks failed, it is started again')
    })
    worker.once('exit', () => {
      before = sum(before, counts)
      counts = {}
      if (!isEnding) restart = setTimeout(() => (running = start()), RESTART_MS).unref()
    })
    worker.unref()
    return worker
  }
  let running = start()
  return {
    counts: () => sum(before, counts),
    async [Symbol.asyncDispose]() {
      isEnding = true
      clearTimeout(restart)
      if (running.threadId === -1) return // it has ended
      const ended = once(running, 'exit')
      running.ref()
      running.postMessage('end', [])
      const timer = setTimeout(() => void running.terminate(), GRACE_MS)
      await ended
      clearTimeout(timer)
    },
  }
}

const NONE: ForwardCounts = { sent: 0, deleted: 0, refused: 0, failures: 0, failing: false }

const sum = (one: SinkCounts, other: SinkCounts): SinkCounts =>
  Object.fromEntries(
    [...new Set([...Object.keys(one), ...Object.keys(other)])].map((name) => {
      const a = one[name] ?? NONE
      const b = other[name] ?? NONE
      const added = {
        sent: a.sent + b.sent,
        deleted: a.deleted + b.deleted,
        refused: a.refused + b.refused,
        failures: a.failures + b.failures,
        failing: other[name] === undefined ? a.failing : b.failing,
      }
      return [name, added]
    }),
  )
