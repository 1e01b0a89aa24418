// The server of `state: redis`.

import { ProblemList } from '../../config/problem-list.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { RedisClient } from '../../state/redis/client.ts'
import { addressOf, connectPrimary, nameOf } from '../../state/redis/primary.ts'
import { Replication } from '../../state/redis/replication.ts'
import { readStateSettings, type StateSettings } from '../../state/settings.ts'
import { ok, type Bench, type Examination, type Judgement } from './examination.ts'

type RedisSettings = Extract<StateSettings, { kind: 'redis' }>

/** Its examination, where there is one. */
export const redisExaminations = async (bench: Bench): Promise<readonly Examination[]> => {
  const { config, files, locate, clock, noteTime } = bench
  const settings = await readStateSettings(config.state, files, new ProblemList(locate))
  if (settings?.kind !== 'redis') return []
  const { server } = settings
  const target = addressOf(server)
  return [
    {
      area: 'redis',
      target,
      path: ['state', 'redis'],
      ask: async () => {
        const { client, node } = await connectPrimary(server, () => undefined)
        using stack = new DisposableStack()
        stack.use(client)
        const began = clock.now()
        const time = await client.send(['TIME'])
        if (time.outcome === 'refused') return refused(time.message)
        if (Array.isArray(time.value)) noteTime(target, Number(time.value[0]) * 1_000, began)
        const shortage = await missingReplicas(client, settings, clock)
        if (shortage !== undefined) return shortage
        const where = server.topology.kind === 'single' ? '' : `; the primary is ${nameOf(node)}`
        return await judgeMemory(client, where)
      },
    },
  ]
}

/** Replicas that are not there would only be missed at the next write. */
const missingReplicas = async (
  client: RedisClient,
  { server: { replicas, timeout }, prefix }: RedisSettings,
  clock: Clock,
): Promise<Judgement | undefined> => {
  if (replicas === 0) return undefined
  const key = `${prefix}doctor`
  const reply = await new Replication({ client, replicas, timeout, key, clock }).confirmed()
  if (reply?.outcome !== 'refused') return undefined
  return {
    outcome: 'error',
    message: reply.message,
    remedy: 'Start the replicas, or lower "replicas"; until then every login and logout is refused',
  }
}

const judgeMemory = async (client: RedisClient, where: string): Promise<Judgement> => {
  const memory = await client.send(['INFO', 'memory'])
  // The user that docs/operate/state.md describes may not read it.
  if (memory.outcome === 'refused')
    return ok(`answers${where}; its memory policy may not be read by this user`)
  const text = String(memory.value)
  const policy = /^maxmemory_policy:(\S+)/m.exec(text)?.[1] ?? 'noeviction'
  if (policy === 'noeviction' || /^maxmemory:0\s*$/m.test(text)) return ok(`answers${where}`)
  return {
    outcome: 'warning',
    message: `evicts what it holds (maxmemory-policy ${policy})`,
    remedy:
      'Set maxmemory-policy noeviction: logins and used proofs would be forgotten before their time',
  }
}

const refused = (message: string): Judgement => ({
  outcome: 'error',
  message: `refuses TIME: ${message}`,
  remedy: 'Give the user the commands that docs/operate/state.md lists',
})
