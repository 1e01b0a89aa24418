// A primary that is replaced: by sentinels when it fails, by an administrator, and while it still has clients on its
// own side of a divided network.

import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RedisServer } from '../../../src/state/redis/primary.ts'
import { until } from '../../fakes/until.ts'
import { engineOf, skipWithout, type RedisNodeProcess } from '../../servers/redis-node.ts'
import {
  MASTER,
  PASSWORD,
  SENTINEL_PASSWORD,
  startSentinels,
  USER,
  USER_PASSWORD,
  type Sentinels,
} from '../../servers/redis-sentinels.ts'
import { failing } from '../failing.ts'
import { opened } from '../opening.ts'
import { secretOf } from '../sealing.ts'
import { lostOf, writeUntil } from './failover.ts'
import { serverAt, type ServerParts } from './reaching.ts'
import { eventually, redisSettings } from './settings.ts'

const record = { text: 'x', kind: 'login', lifetime: 600_000 } as const

// Of a failover on a busy machine: two seconds until the sentinels are sure, and their vote.
const FAILOVER_MS = 60_000

const behind = (
  { addresses }: Sentinels,
  parts: ServerParts = {},
  master = MASTER,
): RedisServer => ({
  ...serverAt('redis://unused', { username: USER, password: USER_PASSWORD, ...parts }),
  nodes: addresses.split(',').map((address) => ({
    host: '127.0.0.1',
    port: Number(address.split(':')[1]),
  })),
  topology: {
    kind: 'sentinel',
    master,
    login: { kind: 'fixed', username: undefined, password: SENTINEL_PASSWORD },
  },
})

const roleOf = async (server: RedisNodeProcess): Promise<string> =>
  (await server.command('ROLE')).split('\n')[0] ?? ''

for (const name of ['redis', 'valkey'] as const) {
  describe(`${name} with sentinels`, { skip: skipWithout(name) }, () => {
    it('loses nothing that was acknowledged when the primary is killed', async (t: TestContext) => {
      await using group = await startSentinels(engineOf(name))
      const secret = secretOf()
      const settings = redisSettings(behind(group, { replicas: 1 }), secret)
      await using one = await opened(settings)
      await using other = await opened(settings)
      const end = new AbortController()
      const writing = [
        writeUntil(one.state, 'one', end.signal),
        writeUntil(other.state, 'other', end.signal),
      ]
      await sleep(1_000)
      await group.primary.kill()
      const took = await eventually(() => one.state.records.put('after', record), FAILOVER_MS)
      t.diagnostic(`writes again ${Math.round(took)} ms after the kill`)
      await sleep(500)
      end.abort()
      const done = await Promise.all(writing)
      await using fresh = await opened(settings)
      const writers = [one.state, other.state] as const
      for (const [index, acknowledged] of done.entries()) {
        t.diagnostic(`${acknowledged.put.size} rounds, ${acknowledged.failed} failures`)
        assert.ok(acknowledged.revoked.size > 20 && acknowledged.failed > 0)
        assert.deepEqual(await lostOf(fresh.state, writers[index] ?? one.state, acknowledged), [])
      }
      assert.ok(one.lines.some((line) => line.includes('state store available again')))
    })

    it('follows an administrator who exchanges primary and replica', async () => {
      await using group = await startSentinels(engineOf(name))
      await using state = await opened(redisSettings(behind(group)))
      await state.state.records.put('a', record)
      await group.sentinels[0]?.command('SENTINEL', 'FAILOVER', MASTER)
      await until(async () => (await roleOf(group.primary)) === 'slave')
      await eventually(() => state.state.records.put('b', record), FAILOVER_MS)
      await eventually(async () =>
        assert.equal((await state.state.records.get('a'))?.text, record.text),
      )
    })

    it('gives one valid answer for a code in a divided network', async () => {
      await using group = await startSentinels(engineOf(name))
      const secret = secretOf()
      const { primary } = group
      const url = `redis://:${PASSWORD}@127.0.0.1:${primary.port}`
      // One process stays with the old primary; the other is on the side of the replicas and sentinels.
      await using inside = await opened(redisSettings(serverAt(url, { replicas: 1 }), secret))
      await using outside = await opened(redisSettings(behind(group, { replicas: 1 }), secret))
      await outside.state.records.put('code', record)
      await outside.state.records.put('session', record)
      assert.equal((await inside.state.records.get('code'))?.text, record.text)
      await group.link.refuse()
      const refused = failing('unavailable', /NOREPLICAS/)
      await assert.rejects(inside.state.records.take('code'), refused)
      // What it can no longer know to be the present, it does not read either.
      await until(async () => {
        try {
          await inside.state.records.get('session')
          return false
        } catch (cause) {
          refused(cause)
          return true
        }
      })
      // Until the new primary has a replica, what is done there is not acknowledged either.
      await eventually(() => outside.state.records.put('ready', record), FAILOVER_MS)
      assert.equal((await outside.state.records.take('code'))?.text, record.text)
      await outside.state.records.revoke(['session'])
      // When the division ends, the old primary becomes a replica.
      await group.link.accept()
      await until(async () => (await roleOf(primary)) === 'slave')
      await assert.rejects(inside.state.records.take('code'))
      assert.equal(await outside.state.records.take('code'), undefined)
      assert.equal(await outside.state.records.get('session'), undefined)
    })
  })
}

describe('sentinels', { skip: skipWithout('redis') }, () => {
  it('that do not know the primary are reported, and those that do not answer do not matter', async () => {
    await using group = await startSentinels(engineOf('redis'))
    const server = behind(group)
    const unknown = behind(group, {}, 'other')
    await using nowhere = await opened(redisSettings(unknown))
    await assert.rejects(
      nowhere.state.records.get('a'),
      failing('unavailable', /knows no primary named "other"/),
    )
    await group.sentinels[0]?.kill()
    group.sentinels[1]?.pause()
    await using state = await opened(redisSettings({ ...server, connectTimeout: 1_000 }))
    await eventually(() => state.state.records.put('a', record))
    group.sentinels[1]?.resume()
  })

  it('need their own password', async () => {
    await using group = await startSentinels(engineOf('redis'))
    const server = behind(group)
    const login = { kind: 'fixed', username: undefined, password: 'wrong' } as const
    const topology = { kind: 'sentinel', master: MASTER, login } as const
    await using state = await opened(redisSettings({ ...server, topology }))
    await assert.rejects(state.state.records.get('a'), failing('unavailable', /WRONGPASS/))
    assert.doesNotMatch(state.lines.join(), /"wrong"|user-secret/)
  })
})
