// What it costs to cache identities: the memory of an authz that caches many users, next to that of one
// which has served the same requests and caches none. (Before and after in one process would not do: a
// user's entry of the users file shrinks when it is first used, since V8 joins strings late.)

import { z } from 'zod'
import { loadResultSchema } from './expectation.ts'
import { Installation } from './installation.ts'
import { checkEncoder, exchanges } from './requests.ts'
import { prepare } from './row.ts'
import { userNames } from './site.ts'
import type { Size } from './size.ts'
import { LOAD_OPTIONS, Worker } from './worker.ts'

/**
 * Bytes of JavaScript heap for each remembered identity, after garbage collection. Resident memory
 * says nothing here: of two equal processes one may keep 100 MB more that loading the users took.
 */
export interface MemoryCost {
  readonly identities: number
  readonly heap: number
}

const heapSchema = z.number()

/** Measures it, in processes of its own. */
export const measureMemory = async (
  { identities, concurrency }: Size,
  progress: (text: string) => void,
): Promise<MemoryCost> => {
  progress('memory')
  await using installation = await Installation.open()
  const users = await installation.users(identities, 'cheapest')
  await using load = new Worker('grpc-load', LOAD_OPTIONS)
  const everyone = exchanges(identities, userNames(identities), checkEncoder())
  const served = async (name: string, cacheTtl: string): Promise<number> => {
    const own = await installation.authz({
      name,
      users,
      cacheTtl,
      nodeOptions: ['--expose-gc'],
      inside: true,
    })
    await prepare(load, name, own.socket, 1, everyone)
    const question = { do: 'run', target: name, requests: identities, concurrency }
    await load.ask(question, loadResultSchema)
    return await own.worker.ask({ do: 'collect' }, heapSchema)
  }
  const [remembering, forgetful] = await Promise.all([
    served('remembering', '1h'),
    served('forgetful', '0s'),
  ])
  return {
    identities,
    heap: (remembering - forgetful) / identities,
  }
}
