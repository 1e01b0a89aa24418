// A process that runs test files, one after the other, by order of the pool.

import type { Order } from './protocol.ts'
import { trackTests } from './test-context.ts'

trackTests()
const { runFile } = await import('./file-run.ts') // loads node:test

process.env['NODE_TEST_WORKER_ID'] = '1' // as `run` sets it

const onOrder = async (order: Order): Promise<void> => {
  // The channel to the pool must not keep the process alive while a file runs.
  process.channel?.unref()
  const result = await runFile(order)
  process.channel?.ref()
  process.send?.(result)
}
process.on('message', (order: Order) => void onOrder(order))
