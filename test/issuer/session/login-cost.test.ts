// The cost of a login of a user who has logged in many times before: every read of the store is counted.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { LoginStore } from '../../../src/logins/login-store.ts'
import { recordAdapter } from '../../fakes/record-adapter.ts'
import type { OpenedState } from '../../../src/state/opened-state.ts'
import type { RevocableRecords } from '../../../src/state/record-store.ts'
import type { StateSettings } from '../../../src/state/settings.ts'
import { newStateKeyLine } from '../../../src/state/state-secret.ts'
import { scrape, seriesOf } from '../../fakes/scraping.ts'
import { skipWithoutRedis, startRedis, type Redis } from '../../servers/redis.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { fileSettings, opened } from '../../state/opening.ts'
import { serverAt } from '../../state/redis/reaching.ts'
import { redisSettings } from '../../state/redis/settings.ts'
import type { Site } from '../authorization-server.ts'
import { startUpstreamIdp, type UpstreamIdp } from '../federated-logins.ts'

const LOGINS = 12

/** A store, and how often it was read. */
const counting = (
  inner: RevocableRecords,
): { readonly store: RevocableRecords; readonly reads: () => number } => {
  let reads = 0
  const store: RevocableRecords = {
    put: (...args) => inner.put(...args),
    add: (...args) => inner.add(...args),
    replace: (...args) => inner.replace(...args),
    remove: (...args) => inner.remove(...args),
    revoke: (...args) => inner.revoke(...args),
    revokeAll: () => inner.revokeAll(),
    revokedAt: (name) => inner.revokedAt(name),
    floor: inner.floor,
    get: (...args) => ((reads += 1), inner.get(...args)),
    take: (...args) => ((reads += 1), inner.take(...args)),
    countIn: (index) => inner.countIn(index),
    keysIn: (...args) => ((reads += 1), inner.keysIn(...args)),
  }
  return { store, reads: () => reads }
}

describe('the login of a session on a route', () => {
  const stack = new AsyncDisposableStack()
  after(() => stack.disposeAsync())

  const STORES: Readonly<Record<string, () => Promise<StateSettings>>> = {
    memory: async () => ({ kind: 'memory' }),
    'a state file': async () => fileSettings(stack.use(await temporaryFolder()).file('state.db')),
    Redis: async () => redisSettings(serverAt(stack.use(await startRedis()).url)),
  }
  for (const [name, settingsOf] of Object.entries(STORES)) {
    const skip = name === 'Redis' && skipWithoutRedis()
    it(
      `is found by one read of ${name}, however often its user has logged in`,
      { skip },
      async () => {
        const state: OpenedState = stack.use(await opened(await settingsOf()))
        const { store, reads } = counting(state.state.records)
        const grants = recordAdapter('Grant', store)
        const tokens = recordAdapter('AccessToken', store)
        const logins = new LoginStore(store)
        const costs: number[] = []
        for (let count = 0; count < LOGINS; count += 1) {
          const login = { login: `login-${count}`, sessionUid: `session-${count}` }
          await grants.upsert(`grant-${count}`, { accountId: 'alice', ...login }, 600)
          await tokens.upsert(`token-${count}`, { accountId: 'alice' }, 600)
          const begun = reads()
          assert.equal(await logins.ofGrant(`grant-${count}`), login.login)
          costs.push(reads() - begun)
        }
        assert.deepEqual([...new Set(costs)], [1])
      },
    )
  }
})

describe('a login by an upstream IdP', () => {
  let upstream: UpstreamIdp
  before(async () => {
    upstream = await startUpstreamIdp()
    await upstream.reset()
  })
  after(async () => await upstream[Symbol.asyncDispose]())

  const readsOf = async ({ authz }: Site): Promise<number> => {
    const page = await scrape(authz.admin)
    const counts = seriesOf(page, 'countersign_dependency_request_duration_seconds_count')
    const isRead = /^kind=(?:sqlite|redis),operation=(?:get|take|keysIn),outcome=answered,/
    return Object.entries(counts).reduce(
      (sum, [labels, count]) => sum + (isRead.test(labels) ? count : 0),
      0,
    )
  }

  const costsNoMore = async (state: string): Promise<void> => {
    await using site = await upstream.start({}, state, ', admin: "127.0.0.1:0"')
    const costs: number[] = []
    for (let count = 0; count < LOGINS; count += 1) {
      const begun = await readsOf(site)
      await upstream.sessionBy(site)
      costs.push((await readsOf(site)) - begun)
    }
    const [, second = 0] = costs
    const last = Math.min(...costs.slice(-3))
    // What looks into the state now and then may come in between.
    assert.ok(last <= second + 2, costs.join(' '))
  }

  it('does not need more reads of a state file than the second one', async () => {
    await costsNoMore('state: { sqlite: state.db }')
  })

  it(
    'does not need more reads of Redis than the second one',
    { skip: skipWithoutRedis() },
    async () => {
      await using redis: Redis = await startRedis()
      process.env['LOGIN_COST_REDIS'] = redis.url
      process.env['LOGIN_COST_SECRET'] = newStateKeyLine()
      await costsNoMore(
        'state: { redis: { url: env:LOGIN_COST_REDIS, secret: env:LOGIN_COST_SECRET } }',
      )
    },
  )
})
