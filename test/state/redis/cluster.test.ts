// A cluster: the node that has our keys is found from any other, and followed when its replica replaces it.

import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RedisNode } from '../../../src/state/redis/address.ts'
import type { RedisServer } from '../../../src/state/redis/primary.ts'
import { CLUSTER_PASSWORD, startCluster } from '../../servers/redis-cluster.ts'
import { engineOf, skipWithout, type RedisNodeProcess } from '../../servers/redis-node.ts'
import { failing } from '../failing.ts'
import { opened } from '../opening.ts'
import { secretOf } from '../sealing.ts'
import { lostOf, writeUntil } from './failover.ts'
import { serverAt, type ServerParts } from './reaching.ts'
import { eventually, redisSettings } from './settings.ts'

const PREFIX = '{countersign}:'
const FAILOVER_MS = 60_000
const record = { text: 'x', kind: 'login', lifetime: 600_000 } as const

const at = ({ port }: RedisNodeProcess): RedisNode => ({ host: '127.0.0.1', port })

const serverIn = (nodes: readonly RedisNodeProcess[], parts: ServerParts = {}): RedisServer => ({
  ...serverAt('redis://unused', { password: CLUSTER_PASSWORD, ...parts }),
  nodes: nodes.map(at),
  topology: { kind: 'cluster', key: PREFIX },
})

const settingsOf = (server: RedisServer, secret = secretOf()) => ({
  ...redisSettings(server, secret),
  prefix: PREFIX,
})

for (const name of ['redis', 'valkey'] as const) {
  describe(`a cluster of ${name}`, { skip: skipWithout(name) }, () => {
    it('is entered by any node, also where another one is down', async () => {
      await using cluster = await startCluster(engineOf(name), PREFIX)
      const secret = secretOf()
      const [first, second] = cluster.others
      for (const node of [cluster.owner, cluster.replica, first]) {
        await using state = await opened(settingsOf(serverIn([node]), secret))
        await state.state.records.put(`from ${node.port}`, record, ['all'])
      }
      await second.kill()
      await using state = await opened(settingsOf(serverIn([second, first]), secret))
      assert.equal((await state.state.records.keysIn('all')).length, 3)
      const keys = await cluster.owner.command('KEYS', '*')
      assert.ok(
        keys
          .trim()
          .split('\n')
          .every((key) => key.startsWith(PREFIX)),
      )
    })

    it('loses nothing that was acknowledged when the node is killed', async (t: TestContext) => {
      await using cluster = await startCluster(engineOf(name), PREFIX)
      const settings = settingsOf(serverIn(cluster.others, { replicas: 1 }))
      await using state = await opened(settings)
      const end = new AbortController()
      const writing = writeUntil(state.state, 'one', end.signal)
      await sleep(1_000)
      await cluster.owner.kill()
      // Its replica is the only one left, and has none itself until the old node is back.
      await eventually(async () => {
        assert.match(await cluster.replica.command('ROLE'), /^master/)
      }, FAILOVER_MS)
      const began = performance.now()
      await cluster.owner.start()
      await eventually(() => state.state.records.put('after', record), FAILOVER_MS)
      t.diagnostic(`writes again ${Math.round(performance.now() - began)} ms after its return`)
      end.abort()
      const done = await writing
      t.diagnostic(`${done.put.size} rounds, ${done.failed} failures`)
      assert.ok(done.revoked.size > 20 && done.failed > 0)
      await using fresh = await opened(settings)
      assert.deepEqual(await lostOf(fresh.state, state.state, done), [])
    })

    it('is followed when node and replica are exchanged', async () => {
      await using cluster = await startCluster(engineOf(name), PREFIX)
      await using state = await opened(settingsOf(serverIn(cluster.others)))
      await state.state.records.put('a', record)
      await cluster.replica.command('CLUSTER', 'FAILOVER')
      await eventually(async () => {
        assert.match(await cluster.replica.command('ROLE'), /^master/)
      })
      await eventually(() => state.state.records.put('b', record), FAILOVER_MS)
      assert.equal((await state.state.records.get('a'))?.text, record.text)
    })
  })
}

describe('a cluster', { skip: skipWithout('redis') }, () => {
  it('without the slot of our keys is reported, and used when it has it', async () => {
    await using cluster = await startCluster(engineOf('redis'), PREFIX)
    await using state = await opened(settingsOf(serverIn(cluster.others)))
    await state.state.records.put('a', record)
    const slot = (await cluster.owner.command('CLUSTER', 'KEYSLOT', PREFIX)).trim()
    await cluster.owner.command('CLUSTER', 'DELSLOTS', slot)
    await assert.rejects(state.state.records.get('a'), failing('unavailable', /CLUSTERDOWN/))
    await cluster.owner.command('CLUSTER', 'ADDSLOTS', slot)
    await eventually(async () =>
      assert.equal((await state.state.records.get('a'))?.text, record.text),
    )
  })
})
