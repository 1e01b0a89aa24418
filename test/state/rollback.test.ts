// What an attacker who can write the store can restore: one record, or all of an earlier state, while two
// replicas share it.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { BrowserSessions } from '../../src/logins/browser-sessions.ts'
import { RevocationMarks } from '../../src/logins/revocation-marks.ts'
import { LoginStore } from '../../src/logins/login-store.ts'
import { recordAdapter } from '../fakes/record-adapter.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import type { OpenedState } from '../../src/state/opened-state.ts'
import type { StateSettings } from '../../src/state/settings.ts'
import { skipWithoutRedis, startRedis } from '../servers/redis.ts'
import { temporaryFolder } from '../servers/temporary.ts'
import { fileSettings, opened } from './opening.ts'
import { serverAt } from './redis/reaching.ts'
import { redisSettings } from './redis/settings.ts'
import { tamperingWithFile, tamperingWithRedis, type Tampering } from './tampering.ts'

/** Longer than a process reads without looking for revocations of other replicas. */
const FRESH_MS = 1_100

const HOUR = 3_600_000
const TOKEN_S = 3_600

/** The records that a replica keeps of one user who has a session, a login and a refresh token. */
const replicaOn = ({ state, store }: OpenedState) => {
  const { records, keys } = state
  const sessions = new BrowserSessions(records, keys, systemClock)
  const revocationMarks = new RevocationMarks(records, systemClock)
  const logins = new LoginStore(records)
  const refreshTokens = recordAdapter('RefreshToken', records)
  const codes = recordAdapter('Session', records)
  return {
    store,
    sessions,
    revocationMarks,
    logins,
    refreshTokens,
    async logIn(user: string) {
      const login = { uid: `uid-${user}`, accountId: user, loginTs: 1, jti: `session-${user}` }
      await codes.upsert(`session-${user}`, login, TOKEN_S)
      const token = { accountId: user, grantId: `grant-${user}`, sessionUid: `uid-${user}` }
      await refreshTokens.upsert(`token-${user}`, { ...token, jti: `token-${user}` }, TOKEN_S)
      const cookie = await sessions.begin({
        user,
        claims: {},
        login: `sid-${user}`,
        host: 'app.example.org',
        source: '203.0.113.9',
        userAgent: 'Test/1.0',
        ends: Date.now() + HOUR,
        idle: HOUR,
      })
      assert.ok(cookie !== undefined)
      return { cookie, issued: Math.floor(Date.now() / 1_000) * 1_000 }
    },
    async logout(user: string) {
      await logins.endUser(user)
      await sessions.endUser(user)
    },
    /** Which of a user's records are still valid. */
    async good(
      user: string,
      { cookie, issued }: { readonly cookie: string; readonly issued: number },
    ) {
      return {
        session: (await sessions.find(cookie)) !== undefined,
        login: (await codes.find(`session-${user}`)) !== undefined,
        refreshToken: (await refreshTokens.find(`token-${user}`)) !== undefined,
        jwt: issued > (await revocationMarks.lastOf(user)),
      }
    },
  }
}

const NOTHING = { session: false, login: false, refreshToken: false, jwt: false }
const ALL = { session: true, login: true, refreshToken: true, jwt: true }

interface Store extends AsyncDisposable {
  readonly settings: StateSettings
  readonly tampering: Tampering
}

const STORES: Readonly<Record<string, () => Promise<Store>>> = {
  async 'a state file'() {
    const folder = await temporaryFolder()
    const file = folder.file('state.db')
    return {
      settings: fileSettings(file),
      tampering: tamperingWithFile(file),
      [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
    }
  },
  async Redis() {
    const server = await startRedis()
    return {
      settings: redisSettings(serverAt(server.url, { timeout: 10_000 })),
      tampering: tamperingWithRedis(server),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    }
  },
}

for (const [name, create] of Object.entries(STORES)) {
  const skip = name === 'Redis' && skipWithoutRedis()

  const setUp = async () => {
    await using stack = new AsyncDisposableStack()
    const { settings, tampering } = stack.use(await create())
    const [first, second] = [await opened(settings), await opened(settings)]
    stack.use(first)
    stack.use(second)
    const [one, other] = [replicaOn(first), replicaOn(second)]
    // Whole seconds, as tokens have them: what is issued now is later than the floor of an empty store.
    await sleep(FRESH_MS)
    const owned = stack.move()
    return {
      tampering,
      one,
      other,
      lines: [first.lines, second.lines],
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    }
  }

  describe(`an attacker who writes ${name} and has no secret`, { skip, concurrency: 3 }, () => {
    it('brings back nothing that a sign-out has ended, in no replica, by old records', async () => {
      await using setting = await setUp()
      const { tampering, one, other } = setting
      const [alice, bob] = [await one.logIn('alice'), await one.logIn('bob')]
      const putBack = await tampering.copyRecords()
      await one.logout('alice')
      await putBack()
      assert.deepEqual(await one.good('alice', alice), NOTHING)
      await sleep(FRESH_MS)
      assert.deepEqual(await other.good('alice', alice), NOTHING)
      assert.deepEqual(await one.good('bob', bob), ALL)
      assert.deepEqual(await other.good('bob', bob), ALL)
    })

    it('brings back no session that was ended alone, in no replica', async () => {
      await using setting = await setUp()
      const { tampering, one, other } = setting
      const alice = await one.logIn('alice')
      const putBack = await tampering.copyRecords()
      await one.sessions.endText(alice.cookie)
      await putBack()
      assert.equal(await one.sessions.find(alice.cookie), undefined)
      await sleep(FRESH_MS)
      assert.equal(await other.sessions.find(alice.cookie), undefined)
      assert.deepEqual(await other.good('alice', alice), { ...ALL, session: false })
    })

    it('makes no refresh token unused, in no replica', async () => {
      await using setting = await setUp()
      const { tampering, one, other } = setting
      await one.logIn('alice')
      const putBack = await tampering.copyRecords()
      await one.refreshTokens.consume('token-alice')
      await putBack()
      assert.ok((await one.refreshTokens.find('token-alice'))?.['consumed'] !== undefined)
      await sleep(FRESH_MS)
      assert.ok((await other.refreshTokens.find('token-alice'))?.['consumed'] !== undefined)
    })

    it('cannot undo a sign-out by removing its record', async () => {
      await using setting = await setUp()
      const { tampering, one, other } = setting
      const alice = await one.logIn('alice')
      await one.logout('alice')
      await sleep(FRESH_MS)
      assert.deepEqual(await other.good('alice', alice), NOTHING)
      await tampering.empty()
      assert.deepEqual(await one.good('alice', alice), NOTHING)
      assert.deepEqual(await other.good('alice', alice), NOTHING)
    })

    it('restores nothing by an earlier state of all, and an operator is notified', async () => {
      await using setting = await setUp()
      const { tampering, one, other, lines } = setting
      const [alice, bob] = [await one.logIn('alice'), await one.logIn('bob')]
      const putBack = await tampering.copyAll()
      await one.logout('alice')
      await sleep(FRESH_MS)
      assert.deepEqual(await other.good('bob', bob), ALL)
      await putBack()
      await sleep(FRESH_MS)
      for (const replica of [other, one]) {
        assert.deepEqual(await replica.good('alice', alice), NOTHING)
      }
      const warnings = lines.flat().filter((line) => line.includes('was reset to an earlier one'))
      assert.ok(warnings.length > 0)
      const counts = [one, other].flatMap(({ store }) => store.statistics.rollbacks.read())
      const found = counts.some(({ value }) => value > 0)
      assert.ok(found, JSON.stringify(counts))
      assert.ok([one, other].some(({ store }) => store.failure() !== undefined))
    })

    it('hides no sign-out from a replica by putting an earlier state back at once', async () => {
      await using setting = await setUp()
      const { tampering, one, other } = setting
      const [alice, bob] = [await one.logIn('alice'), await one.logIn('bob')]
      assert.deepEqual(await other.good('bob', bob), ALL)
      const putBack = await tampering.copyAll()
      await one.logout('alice')
      await tampering.empty()
      await putBack()
      // A replica that has not seen the sign-out does not know of it, but the one that has does.
      await sleep(FRESH_MS)
      assert.deepEqual(await one.good('alice', alice), NOTHING)
      await sleep(FRESH_MS)
      assert.deepEqual(await other.good('alice', alice), NOTHING)
    })

    it('lets users log in again after that', async () => {
      await using setting = await setUp()
      const { tampering, one, other } = setting
      await one.logIn('alice')
      await tampering.empty()
      await sleep(FRESH_MS)
      assert.equal((await one.sessions.list()).length, 0)
      await sleep(FRESH_MS) // a token of the same second counts as one from before
      const again = await one.logIn('carol')
      await sleep(FRESH_MS)
      assert.deepEqual(await other.good('carol', again), ALL)
    })
  })
}
