// The server of `state: redis`.

import { ProblemList } from '../../config/problem-list.ts'
import { formatAddress } from '../../config/values.ts'
import { connectClient, type RedisClient } from '../../state/redis/client.ts'
import { readStateSettings } from '../../state/settings.ts'
import { ok, type Bench, type Examination, type Judgement } from './examination.ts'

/** Its examination, where there is one. */
export const redisExaminations = async (bench: Bench): Promise<readonly Examination[]> => {
  const { config, files, locate, clock, noteTime } = bench
  const settings = await readStateSettings(config.state, files, new ProblemList(locate))
  if (settings?.kind !== 'redis') return []
  const { server } = settings
  const target = formatAddress({ kind: 'tcp', host: server.host, port: server.port })
  return [
    {
      area: 'redis',
      target,
      path: ['state', 'redis'],
      ask: async () => {
        using client = await connectClient(server, () => undefined)
        const began = clock.now()
        const time = await client.send(['TIME'])
        if (time.outcome === 'refused') return refused(time.message)
        if (Array.isArray(time.value)) noteTime(target, Number(time.value[0]) * 1_000, began)
        return await judgeMemory(client)
      },
    },
  ]
}

const judgeMemory = async (client: RedisClient): Promise<Judgement> => {
  const memory = await client.send(['INFO', 'memory'])
  // The user that docs/operate/state.md describes may not read it.
  if (memory.outcome === 'refused')
    return ok('answers; its memory policy may not be read by this user')
  const text = String(memory.value)
  const policy = /^maxmemory_policy:(\S+)/m.exec(text)?.[1] ?? 'noeviction'
  if (policy === 'noeviction' || /^maxmemory:0\s*$/m.test(text)) return ok('answers')
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
