// What `state` holds, as metrics have it: in every store, by every process that shares it, and without what has ended.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { StateSamples } from '../../src/check/state-samples.ts'
import { BrowserSessions } from '../../src/logins/browser-sessions.ts'
import { systemClock, type Clock } from '../../src/runtime/clock.ts'
import { CountersignError } from '../../src/runtime/errors.ts'
import type { OpenedState } from '../../src/state/opened-state.ts'
import { FakeClock } from '../fakes/clock.ts'
import { memoryLogger } from '../fakes/logger.ts'
import { recordAdapter } from '../fakes/record-adapter.ts'
import { openState } from '../../src/state/open.ts'
import type { StateSettings } from '../../src/state/settings.ts'
import { until } from '../fakes/until.ts'
import { skipWithoutRedis, startRedis, type Redis } from '../servers/redis.ts'
import { temporaryFolder } from '../servers/temporary.ts'
import { fileSettings } from '../state/opening.ts'
import { serverAt } from '../state/redis/reaching.ts'
import { redisSettings } from '../state/redis/settings.ts'

const HOUR = 3_600_000

const open = async (settings: StateSettings, clock: Clock): Promise<OpenedState> =>
  await openState(settings, { clock, logger: memoryLogger().logger })

/** The samples of a metric, by the kind; of a metric without a label, under its name. */
const valuesIn = ({ metrics }: StateSamples, name: string): Readonly<Record<string, unknown>> => {
  const metric = metrics.find((one) => one.name === name)
  assert.ok(metric !== undefined)
  return Object.fromEntries(
    [...metric.read()].map(({ labels, value }) => [labels['kind'] ?? name, value]),
  )
}

/** Of a browser whose cookie is the result. */
const beginSession = async ({ state }: OpenedState, clock: Clock, idle = HOUR): Promise<string> => {
  const ends = clock.now() + HOUR
  const sessions = new BrowserSessions(state.records, state.keys, clock)
  const from = { user: 'alice', claims: {}, login: undefined, host: 'a', source: '', userAgent: '' }
  const text = await sessions.begin({ ...from, ends, idle })
  assert.ok(text !== undefined)
  return text
}

const PACE = { attempts: 1, backOff: 1_000, lockAfter: 1, lockFor: HOUR, forget: HOUR }

const lockOut = async ({ state: { attempts } }: OpenedState, name: string): Promise<void> => {
  const scope = { key: name, pace: PACE, binding: true, weight: 1, lockOut: 'user' } as const
  const result = await attempts.take([scope])
  assert.ok(result.outcome === 'taken')
  await attempts.settle(result.reservations.map((reservation) => ({ reservation, failures: 1 })))
}

const fill = async (opened: OpenedState, clock: Clock): Promise<string> => {
  const { records } = opened.state
  const text = await beginSession(opened, clock)
  await beginSession(opened, clock)
  await recordAdapter('Session', records).upsert('s', { uid: 'u', accountId: 'alice' }, 3_600)
  await recordAdapter('Grant', records).upsert('g', { jti: 'g', accountId: 'alice' }, 3_600)
  const devices = recordAdapter('DeviceCode', records)
  for (const id of ['waits', 'denied', 'approved']) await devices.upsert(id, {}, 600)
  await devices.upsert('denied', { error: 'access_denied' }, 600)
  await devices.upsert('approved', { accountId: 'alice', grantId: 'g' }, 600)
  await lockOut(opened, 'alice')
  return text
}

const FILLED = { browser: 2, login: 1, grant: 1, 'device-code': 1 }

describe('samples of state', () => {
  const STORES: Readonly<Record<string, (file: string) => StateSettings>> = {
    memory: () => ({ kind: 'memory' }),
    'a state file': fileSettings,
  }
  for (const [name, settingsOf] of Object.entries(STORES)) {
    it(`count what ${name} holds, and no longer what has ended`, async () => {
      await using folder = await temporaryFolder()
      const clock = new FakeClock()
      await using opened = await open(settingsOf(folder.file('state.db')), clock)
      using samples = new StateSamples({ ...opened, clock })
      assert.deepEqual(valuesIn(samples, 'countersign_sessions'), {})
      const text = await fill(opened, clock)
      await samples.refresh()
      assert.deepEqual(valuesIn(samples, 'countersign_sessions'), FILLED)
      const lockOuts = { userAndSource: 0, user: 1, source: 0 }
      assert.deepEqual(valuesIn(samples, 'countersign_lockouts'), lockOuts)
      await new BrowserSessions(opened.state.records, opened.state.keys, clock).endText(text)
      await samples.refresh()
      assert.deepEqual(valuesIn(samples, 'countersign_sessions'), { ...FILLED, browser: 1 })
      clock.advance(HOUR)
      await samples.refresh()
      const none = { browser: 0, login: 0, grant: 0, 'device-code': 0 }
      assert.deepEqual(valuesIn(samples, 'countersign_sessions'), none)
      assert.deepEqual(valuesIn(samples, 'countersign_lockouts'), { ...lockOuts, user: 0 })
    })

    it(`have the size of ${name}`, async () => {
      await using folder = await temporaryFolder()
      await using opened = await open(settingsOf(folder.file('state.db')), systemClock)
      using samples = new StateSamples({ ...opened, clock: systemClock })
      const bytes = async (): Promise<number> => {
        await samples.refresh()
        return Number(Object.values(valuesIn(samples, 'countersign_state_store_bytes'))[0])
      }
      const empty = await bytes()
      const record = { text: 'x'.repeat(100_000), kind: 'login', lifetime: HOUR } as const
      await opened.state.records.put('a', record)
      const added = (await bytes()) - empty
      assert.ok(added >= 100_000 && added < 300_000, String(added))
      await opened.state.records.remove(['a'])
      assert.ok((await bytes()) - empty < 50_000)
      const [most] = Object.values(valuesIn(samples, 'countersign_state_store_max_bytes'))
      assert.ok(Number(most) >= 100_000_000)
      assert.deepEqual(valuesIn(samples, 'countersign_state_store_keys'), {})
    })
  }

  it('are absent once the store has not answered for a while', async () => {
    const clock = new FakeClock()
    await using opened = await open({ kind: 'memory' }, clock)
    let failure: Error | undefined
    const state = {
      attempts: opened.state.attempts,
      records: {
        countIn: async (index: string) => {
          if (failure !== undefined) throw failure
          return await opened.state.records.countIn(index)
        },
      },
    }
    using samples = new StateSamples({ state, store: opened.store, clock })
    await samples.refresh()
    failure = new CountersignError('unavailable', 'gone')
    clock.advance(40_000)
    await samples.refresh()
    assert.equal(valuesIn(samples, 'countersign_sessions')['browser'], 0)
    clock.advance(10_000)
    for (const { read } of samples.metrics) assert.deepEqual([...read()], [])
    failure = undefined
    await samples.refresh()
    assert.equal(valuesIn(samples, 'countersign_sessions')['browser'], 0)
  })
})

describe('samples of state in Redis', { skip: skipWithoutRedis() }, () => {
  const stack = new AsyncDisposableStack()
  after(() => stack.disposeAsync())
  let redis: Redis
  before(async () => {
    redis = stack.use(await startRedis({ maxMemory: 200_000_000 }))
  })

  it('are the same in every process, and without what has ended', async () => {
    const settings = { ...redisSettings(serverAt(redis.userUrl)), prefix: 'countersign:one:' }
    await using one = await open(settings, systemClock)
    await using other = await open(settings, systemClock)
    await fill(one, systemClock)
    for (const opened of [one, other]) {
      using samples = new StateSamples({ ...opened, clock: systemClock })
      await samples.refresh()
      assert.deepEqual(valuesIn(samples, 'countersign_sessions'), FILLED)
      assert.equal(valuesIn(samples, 'countersign_lockouts')['user'], 1)
      const sizeOf = (name: string): number =>
        Number(
          valuesIn(samples, `countersign_state_store_${name}`)[`countersign_state_store_${name}`],
        )
      assert.equal(sizeOf('max_bytes'), 200_000_000)
      assert.equal(sizeOf('keys'), Number(/\d+/.exec(await redis.command('DBSIZE'))?.[0]))
      assert.ok(sizeOf('bytes') > 500_000 && sizeOf('bytes') < 200_000_000)
    }
    await beginSession(other, systemClock, 1)
    using samples = new StateSamples({ ...one, clock: systemClock })
    await until(async () => {
      await samples.refresh()
      return valuesIn(samples, 'countersign_sessions')['browser'] === 2
    })
  })

  it('are absent for a user who may neither count nor read INFO, and count as no failure', async () => {
    await redis.command('ACL', 'SETUSER', 'countersign', '-zcount', '-info')
    const settings = { ...redisSettings(serverAt(redis.userUrl)), prefix: 'countersign:few:' }
    await using opened = await open(settings, systemClock)
    await fill(opened, systemClock)
    using samples = new StateSamples({ ...opened, clock: systemClock })
    await samples.refresh()
    for (const { read } of samples.metrics) assert.deepEqual([...read()], [])
    assert.equal(opened.store.failure(), undefined)
  })
})
