// Opens state in Redis.

import { formatAddress } from '../../config/values.ts'
import { CountersignError } from '../../runtime/errors.ts'
import type { OpenedState, OpeningParts, StoreSize } from '../opened-state.ts'
import { statisticsOf } from '../opened-state.ts'
import { RecordSeal } from '../record-seal.ts'
import { following, journalOf, sealedState } from '../sealed-state.ts'
import type { StateSettings } from '../settings.ts'
import { StoreNames } from '../store-names.ts'
import { RedisAttempts } from './attempts.ts'
import { describeFailure } from './client.ts'
import { RedisConnection, type ConnectionState } from './connection.ts'
import { addressOf } from './primary.ts'
import { RedisRecords } from './records.ts'
import { RedisReplays } from './replays.ts'
import type { Sender } from './sender.ts'

// How late a server that lost its data is noticed, one that failed without a request, another primary while the old one
// answers, and another password.
const LOOK_EVERY_MS = 5_000

/**
 * Opens state in Redis. An unreachable server is tried again and again.
 *
 * @throws CountersignError `configuration-invalid` when it has state that was sealed with another secret
 */
export const openRedis = async (
  settings: Extract<StateSettings, { kind: 'redis' }>,
  parts: OpeningParts,
): Promise<OpenedState> => {
  await using stack = new AsyncDisposableStack()
  const { server, prefix, secret } = settings
  const name = `redis ${addressOf(server)}`
  const statistics = statisticsOf('redis', name, parts)
  const seal = new RecordSeal(secret)
  const names = new StoreNames(seal, secret)
  const agree = (sender: Sender): Promise<void> => names.agree(new RedisRecords(sender, prefix))
  const connection = stack.use(
    new RedisConnection({
      name,
      server,
      beat: `${prefix}replicated`,
      clock: parts.clock,
      statistics,
      greet: async (sender) => {
        await agree(sender)
        await warnOfEviction(sender, name, parts)
      },
      report: reporting(name, parts),
    }),
  )
  await connection.connect()
  const { failure } = connection
  if (isOtherSecret(failure)) {
    const message = `${name} cannot be used: ${failure.message}`
    throw new CountersignError(failure.code, message, { cause: failure })
  }
  stack.use(looking(() => agree(connection.sender), connection))
  const { sender } = connection
  const records = new RedisRecords(sender, prefix)
  const sealing = { seal, names, statistics, clock: parts.clock, records }
  const journal = journalOf(sealing, name, parts.logger)
  // A server that is unreachable now is read with the first record.
  await journal.look().catch(() => undefined)
  stack.use(following(journal))
  const state = sealedState({
    ...sealing,
    journal,
    attempts: new RedisAttempts(sender, prefix),
    replays: (keys) => new RedisReplays(sender, prefix, keys),
  })
  const owned = stack.move()
  return {
    state,
    store: {
      kind: 'redis',
      name,
      statistics,
      failure: () => connection.failure ?? statistics.recentFailure,
      dropped: () => records.dropped,
      size: () => sizeOf(connection.sender, server.database),
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const isOtherSecret = (failure: unknown): failure is CountersignError =>
  failure instanceof CountersignError && failure.code === 'configuration-invalid'

/** Logs one line when the store becomes unavailable, and one when it is back. */
const reporting = (store: string, { logger }: OpeningParts): ((state: ConnectionState) => void) => {
  let isUp = true
  return (state) => {
    const was = isUp
    isUp = 'node' in state
    if (isUp === was) return
    if ('node' in state) {
      const primary = formatAddress({ kind: 'tcp', ...state.node })
      logger.info({ store, primary }, 'state store available again')
    } else {
      logger.warn({ store, reason: describeFailure(state.failure) }, 'state store unavailable')
    }
  }
}

/** Checks repeatedly that the store is still the same. */
const looking = (agree: () => Promise<void>, connection: RedisConnection): Disposable => {
  const look = async (): Promise<void> => {
    await connection.look()
    try {
      await agree()
    } catch (cause) {
      // The connection detects every other failure itself.
      if (isOtherSecret(cause)) connection.giveUp(cause)
    }
  }
  const timer = setInterval(() => void look(), LOOK_EVERY_MS)
  timer.unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

/** By `INFO`, which takes no time that grows with the store; `undefined` where the user may not read it. */
const sizeOf = async (sender: Sender, database: number): Promise<StoreSize | undefined> => {
  const [memory, keyspace] = [
    await sender.ask(['INFO', 'memory']),
    await sender.ask(['INFO', 'keyspace']),
  ]
  if (memory.outcome === 'refused' || keyspace.outcome === 'refused') return undefined
  const numberIn = (text: unknown, pattern: RegExp): number =>
    Number(pattern.exec(String(text))?.[1] ?? 0)
  const maxBytes = numberIn(memory.value, /^maxmemory:(\d+)/m)
  return {
    bytes: numberIn(memory.value, /^used_memory:(\d+)/m),
    ...(maxBytes > 0 && { maxBytes }),
    // A database without keys has no line.
    keys: numberIn(keyspace.value, new RegExp(`^db${database}:keys=(\\d+)`, 'm')),
  }
}

/** Warns of an eviction policy, if the user may read it. */
const warnOfEviction = async (
  sender: Sender,
  store: string,
  { logger }: OpeningParts,
): Promise<void> => {
  const reply = await sender.ask(['INFO', 'memory'])
  if (reply.outcome === 'refused') return
  const text = String(reply.value)
  const policy = /^maxmemory_policy:(\S+)/m.exec(text)?.[1] ?? 'noeviction'
  if (policy === 'noeviction' || /^maxmemory:0\s*$/m.test(text)) return
  const message = 'the state server may forget before the time: set maxmemory-policy noeviction'
  logger.warn({ store, policy }, message)
}
