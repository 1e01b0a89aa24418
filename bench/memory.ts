// What it costs to remember who somebody is: memory before and after many users were proven, each
// once, after garbage collection.

import { z } from 'zod'
import type { Installation } from './installation.ts'
import { checkEncoder, exchanges } from './requests.ts'
import { prepare } from './row.ts'
import { userNames } from './site.ts'
import type { Size } from './size.ts'
import { loadResultSchema } from './expectation.ts'
import { LOAD_OPTIONS, Worker } from './worker.ts'

/** Bytes for each remembered identity. */
export interface MemoryCost {
  readonly identities: number
  /** Growth of the JavaScript heap. */
  readonly heap: number
  /** Growth of resident memory, which takes whole pages and keeps some that were needed meanwhile. */
  readonly resident: number
}

const memorySchema = z.object({ rss: z.number(), heap: z.number() })

/** Measures it, in an authz of its own. */
export const measureMemory = async (
  installation: Installation,
  { identities, warmUpRequests, concurrency }: Size,
): Promise<MemoryCost> => {
  const { worker, socket } = await installation.authz({
    name: 'memory',
    users: await installation.users(identities, 'cheapest'),
    remember: '1h',
    nodeOptions: ['--expose-gc'],
  })
  await using load = new Worker('grpc-load', LOAD_OPTIONS)
  const names = userNames(identities)
  const encode = checkEncoder()
  await prepare(load, 'one', socket, 1, exchanges(1, names, encode))
  await prepare(load, 'everyone', socket, 1, exchanges(identities, names, encode))
  const send = async (target: string, requests: number): Promise<void> => {
    await load.ask({ do: 'run', target, requests, concurrency }, loadResultSchema)
  }
  // Traffic of one user before both readings, so that buffers and compiled code are in both.
  await send('one', warmUpRequests)
  const before = await worker.ask({ do: 'collect' }, memorySchema)
  await send('everyone', identities)
  await send('one', warmUpRequests)
  const after = await worker.ask({ do: 'collect' }, memorySchema)
  return {
    identities,
    heap: (after.heap - before.heap) / identities,
    resident: (after.rss - before.rss) / identities,
  }
}
