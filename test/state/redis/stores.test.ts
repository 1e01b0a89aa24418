// The seams in a real Redis, in the clear and over TLS, through two connections as two processes have
// them; and as a user who may do no more than docs/operate/state.md lists.

import assert from 'node:assert/strict'
import { after, before, describe } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DerivedKeys } from '../../../src/state/derived-keys.ts'
import { RedisAttempts } from '../../../src/state/redis/attempts.ts'
import type { RedisServer } from '../../../src/state/redis/client.ts'
import { RedisRecords } from '../../../src/state/redis/records.ts'
import { RedisReplays } from '../../../src/state/redis/replays.ts'
import type { Sender } from '../../../src/state/redis/sender.ts'
import { skipWithoutRedis, startRedis, type Redis } from '../../servers/redis.ts'
import { attemptStoreConformance } from '../conformance.ts'
import { lockOutConformance } from '../lock-out-conformance.ts'
import { quotaConformance } from '../quota-conformance.ts'
import { recordStoreConformance } from '../record-conformance.ts'
import { replayMemoryConforms } from '../replay-conformance.ts'
import { sealedPair } from '../sealing.ts'
import { connectTo, secureServerOf, serverAt } from './reaching.ts'
import { settableTime } from './settable-time.ts'

// What is tested is what the server does, however busy the machine is.
const PATIENT = { timeout: 10_000 }

const PREFIX = 'countersign:'
let count = 0

// Timers may ring a millisecond early, and the server shows what ends until that is over.
const pass = (milliseconds: number): Promise<void> => sleep(milliseconds + 3)

const WAYS: Readonly<Record<string, (redis: Redis) => RedisServer | Promise<RedisServer>>> = {
  'in the clear': ({ url }) => serverAt(url, PATIENT),
  'over TLS': async (redis) => ({ ...(await secureServerOf(redis)), ...PATIENT }),
  'as a user of few rights': ({ userUrl }) => serverAt(userUrl, PATIENT),
}

describe('Redis', { skip: skipWithoutRedis(), concurrency: 3 }, () => {
  const stack = new AsyncDisposableStack()
  after(() => stack.disposeAsync())
  const senders = new Map<string, readonly [Sender, Sender]>()
  before(async () => {
    const redis = stack.use(await startRedis())
    for (const [way, serverOf] of Object.entries(WAYS)) {
      const server = await serverOf(redis)
      const [one, other] = [await connectTo(server), await connectTo(server)]
      stack.use(one)
      stack.use(other)
      senders.set(way, [one.sender, other.sender])
    }
  })

  for (const way of Object.keys(WAYS)) {
    const both = (): readonly [Sender, Sender] => {
      const found = senders.get(way)
      assert.ok(found !== undefined)
      return found
    }

    recordStoreConformance(`Redis ${way}`, async () => {
      const [one, other] = both()
      const stores = [new RedisRecords(one, PREFIX), new RedisRecords(other, PREFIX)] as const
      return { stores, pass, isExact: false }
    })
    recordStoreConformance(`Redis ${way}, sealed`, async () => {
      const [one, other] = both()
      const prefix = `${PREFIX}sealed:${way}:${(count += 1)}:`
      const stores = await sealedPair(
        new RedisRecords(one, prefix),
        new RedisRecords(other, prefix),
      )
      return { stores, pass, isExact: false }
    })
    quotaConformance(`Redis ${way}`, async (quotas) => {
      const [one, other] = both()
      const prefix = `${PREFIX}full:${way}:${(count += 1)}:`
      const stores = [
        new RedisRecords(one, prefix, quotas),
        new RedisRecords(other, prefix, quotas),
      ] as const
      return { stores, pass, refusing: ['used'] }
    })
    const createAttempts = async () => {
      const [one] = both()
      const time = await settableTime(one)
      const prefix = `${PREFIX}attempts:${way}:${(count += 1)}:`
      return { store: new RedisAttempts(one, prefix, time.clock), pass: time.pass }
    }
    attemptStoreConformance(`RedisAttempts ${way}`, createAttempts)
    lockOutConformance(`Redis ${way}`, createAttempts)
    replayMemoryConforms(async () => {
      const [one] = both()
      const keys = new DerivedKeys() // so that none knows another's uses
      return new RedisReplays(one, PREFIX, keys)
    }, Date.now())
  }
})
