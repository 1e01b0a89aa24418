// The thread of authz that sends the audit log: neither reading nor TLS nor JSON of other servers take time from checks.

import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../runtime/clock.ts'
import { createLogger } from '../../runtime/logger.ts'
import { startForwarders, type ForwardedLog } from './forwarders.ts'
import type { ForwardMessage } from './forward-thread.ts'

const COUNTS_EVERY_MS = 1_000

const report = (message: ForwardMessage): void => parentPort?.postMessage(message, [])

const main = async (forwarded: ForwardedLog): Promise<void> => {
  const forwarders = await startForwarders(forwarded, {
    clock: systemClock,
    logger: createLogger('info').child({ component: 'audit-forward' }),
    skipped: (skipped) => report({ kind: 'skipped', skipped }),
  })
  const counted = (): void => report({ kind: 'counts', counts: forwarders.counts() })
  const timer = setInterval(counted, COUNTS_EVERY_MS)
  parentPort?.once('message', () => {
    clearInterval(timer)
    const ending = async (): Promise<void> => {
      await forwarders[Symbol.asyncDispose]()
      counted()
      parentPort?.close()
    }
    void ending()
  })
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of `startForwardThread`
void main(workerData as ForwardedLog)
