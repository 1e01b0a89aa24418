// The seams in a real Redis, in the clear and over TLS, through two connections as two processes have
// them; and as a user who may do no more than docs/operate/state.md lists.

import assert from 'node:assert/strict'
import { after, before, describe } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DerivedKeys } from '../../../src/state/derived-keys.ts'
import { RedisAttempts } from '../../../src/state/redis/attempts.ts'
import type { RedisServer } from '../../../src/state/redis/primary.ts'
import { RedisRecords } from '../../../src/state/redis/records.ts'
import { RedisReplays } from '../../../src/state/redis/replays.ts'
import type { Sender } from '../../../src/state/redis/sender.ts'
import { CLUSTER_PASSWORD, startCluster } from '../../servers/redis-cluster.ts'
import { engineOf, skipWithout, startNode } from '../../servers/redis-node.ts'
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

let count = 0

// Timers may ring a millisecond early, and the server shows what ends until that is over.
const pass = (milliseconds: number): Promise<void> => sleep(milliseconds + 3)

interface Way {
  readonly name: string
  readonly prefix?: string
  /** Starts what it needs, and gives the server. */
  readonly server: (redis: Redis, stack: AsyncDisposableStack) => RedisServer | Promise<RedisServer>
}

const CLUSTER_PREFIX = '{countersign}:'

const WAYS: readonly Way[] = [
  { name: 'in the clear', server: ({ url }) => serverAt(url, PATIENT) },
  { name: 'over TLS', server: (redis) => secureServerOf(redis, {}, PATIENT) },
  { name: 'as a user of few rights', server: ({ userUrl }) => serverAt(userUrl, PATIENT) },
  {
    name: 'in a cluster',
    prefix: CLUSTER_PREFIX,
    server: async (_redis, stack) => {
      const { primaries } = stack.use(await startCluster(engineOf('redis'), CLUSTER_PREFIX))
      return {
        ...serverAt('redis://unused', { password: CLUSTER_PASSWORD, ...PATIENT }),
        nodes: primaries.map(({ port }) => ({ host: '127.0.0.1', port })),
        topology: { kind: 'cluster', key: CLUSTER_PREFIX },
      }
    },
  },
  {
    name: 'by Valkey',
    server: async (_redis, stack) => {
      const options = { engine: engineOf('valkey'), password: 'secret' }
      const { port } = stack.use(await startNode(options))
      return serverAt(`redis://:secret@127.0.0.1:${port}`, PATIENT)
    },
  },
]

const skip = skipWithoutRedis() || skipWithout('valkey')

describe('Redis', { skip, concurrency: 3 }, () => {
  const stack = new AsyncDisposableStack()
  after(() => stack.disposeAsync())
  const senders = new Map<string, readonly [Sender, Sender]>()
  before(async () => {
    const redis = stack.use(await startRedis())
    for (const { name, server: serverOf } of WAYS) {
      const server = await serverOf(redis, stack)
      const [one, other] = [await connectTo(server), await connectTo(server)]
      stack.use(one)
      stack.use(other)
      senders.set(name, [one.sender, other.sender])
    }
  })

  for (const { name: way, prefix = 'countersign:' } of WAYS) {
    const both = (): readonly [Sender, Sender] => {
      const found = senders.get(way)
      assert.ok(found !== undefined)
      return found
    }

    recordStoreConformance(`Redis ${way}`, async () => {
      const [one, other] = both()
      const stores = [new RedisRecords(one, prefix), new RedisRecords(other, prefix)] as const
      return { stores, pass, isExact: false }
    })
    recordStoreConformance(`Redis ${way}, sealed`, async () => {
      const [one, other] = both()
      const own = `${prefix}sealed:${way}:${(count += 1)}:`
      const stores = await sealedPair(new RedisRecords(one, own), new RedisRecords(other, own))
      return { stores, pass, isExact: false }
    })
    quotaConformance(`Redis ${way}`, async (quotas) => {
      const [one, other] = both()
      const own = `${prefix}full:${way}:${(count += 1)}:`
      const stores = [
        new RedisRecords(one, own, quotas),
        new RedisRecords(other, own, quotas),
      ] as const
      return { stores, pass, refusing: ['used'] }
    })
    const createAttempts = async () => {
      const [one] = both()
      const time = await settableTime(one, prefix)
      const own = `${prefix}attempts:${way}:${(count += 1)}:`
      return { store: new RedisAttempts(one, own, time.clock), pass: time.pass }
    }
    attemptStoreConformance(`RedisAttempts ${way}`, createAttempts)
    lockOutConformance(`Redis ${way}`, createAttempts)
    replayMemoryConforms(async () => {
      const [one] = both()
      const keys = new DerivedKeys() // so that none knows another's uses
      return new RedisReplays(one, prefix, keys)
    }, Date.now)
  }
})
