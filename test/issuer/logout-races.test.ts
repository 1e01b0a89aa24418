// A browser that returns from a login while that login is being ended: whichever is first, no session is left
// afterwards. With each store.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { BrowserSessions } from '../../src/logins/browser-sessions.ts'
import { SESSION_CLIENT } from '../../src/logins/session-client.ts'
import { LoginStore } from '../../src/logins/login-store.ts'
import { recordAdapter } from '../fakes/record-adapter.ts'
import { listLogins } from '../../src/logins/live-logins.ts'
import { Logout } from '../../src/logins/logout.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import type { RevocableRecords } from '../../src/state/record-store.ts'
import type { StateSettings } from '../../src/state/settings.ts'
import { skipWithoutRedis, startRedis, type Redis } from '../servers/redis.ts'
import { temporaryFolder } from '../servers/temporary.ts'
import { fileSettings, opened as openedState } from '../state/opening.ts'
import { serverAt } from '../state/redis/reaching.ts'
import { redisSettings } from '../state/redis/settings.ts'
import { secretOf } from '../state/sealing.ts'

const HOUR = 3_600_000
const SESSION = /^browser-session /
const SESSIONS = /^browser-sessions (of login|that are renewed by) /

interface Interruptions {
  /** Just before a session is written. */
  readonly beforeWriting?: () => Promise<void>
  /** Just after the sessions of a login were listed. */
  readonly afterListing?: () => Promise<void>
}

/** A store in which something else happens meanwhile. */
const interrupted = (
  store: RevocableRecords,
  { beforeWriting, afterListing }: Interruptions,
): RevocableRecords => ({
  put: async (key, ...rest) => {
    if (SESSION.test(key)) await beforeWriting?.()
    await store.put(key, ...rest)
  },
  add: async (...args) => await store.add(...args),
  replace: async (...args) => await store.replace(...args),
  get: async (...args) => await store.get(...args),
  take: async (...args) => await store.take(...args),
  remove: async (...args) => await store.remove(...args),
  revoke: async (...args) => await store.revoke(...args),
  revokeAll: async () => await store.revokeAll(),
  revokedAt: (name) => store.revokedAt(name),
  get floor() {
    return store.floor
  },
  countIn: async (index) => await store.countIn(index),
  keysIn: async (index) => {
    const keys = await store.keysIn(index)
    if (SESSIONS.test(index)) await afterListing?.()
    return keys
  },
})

const begun = (login: string) => ({
  user: 'alice',
  claims: {},
  login,
  host: 'app.example.org',
  source: '203.0.113.9',
  userAgent: 'Browser/1.0',
  ends: Date.now() + HOUR,
  idle: HOUR,
})

const setUp = async (settings: StateSettings) => {
  const { state, [Symbol.asyncDispose]: close } = await openedState(settings)
  const { records: store, keys } = state
  const sessions = new BrowserSessions(store, keys, systemClock)
  const parts = { records: new LoginStore(store), sessions, keys }
  const logIn = async (uid: string): Promise<void> => {
    const authorizations = { [SESSION_CLIENT]: { sid: `sid-${uid}` } }
    const payload = { uid, accountId: 'alice', loginTs: 1, exp: 2, authorizations }
    await recordAdapter('Session', store).upsert(`id-${uid}`, payload, 3_600)
  }
  /** Comes back from a login, and what happens meanwhile. */
  const comeBack = async (uid: string, meanwhile: () => Promise<unknown>) => {
    let interruptions = 0
    const beforeWriting = async (): Promise<void> => {
      interruptions += 1
      await meanwhile()
    }
    const own = interrupted(store, { beforeWriting })
    const text = await new BrowserSessions(own, keys, systemClock).begin(begun(`sid-${uid}`))
    assert.equal(interruptions, 1)
    return text
  }
  const logout = new Logout({
    ...parts,
    upstreamLogout: { end: () => Promise.resolve(undefined) },
    notify: () => Promise.resolve(),
  })
  return { store, keys, parts, sessions, logout, logIn, comeBack, [Symbol.asyncDispose]: close }
}

type Setting = Awaited<ReturnType<typeof setUp>>

/** The ways in which a login is ended. */
const ENDINGS: readonly {
  readonly name: string
  readonly end: (setting: Setting) => Promise<unknown>
}[] = [
  { name: 'all logins of one user', end: async ({ logout }) => await logout.endAll('alice') },
  { name: 'all logins of all users', end: async ({ logout }) => await logout.endEverybody() },
  {
    name: 'this login alone',
    end: async ({ parts, logout }) => {
      for (const login of await listLogins(parts, 'alice')) {
        await logout.endOne(login)
      }
    },
  },
  {
    // The authorization server sends logout tokens before it deletes the login.
    name: 'by a logout at the issuer',
    end: async ({ sessions }) => await sessions.endLogin('sid-one'),
  },
]

const racesWith = (open: (file: string) => StateSettings): void => {
  for (const { name, end } of ENDINGS) {
    it(`begins no session while it is ended: ${name}`, async () => {
      await using folder = await temporaryFolder()
      await using setting = await setUp(open(folder.file('state.db')))
      const { sessions, logIn, comeBack } = setting
      await logIn('one')
      assert.equal(await comeBack('one', async () => await end(setting)), undefined)
      assert.deepEqual(await sessions.list(), [])
      await logIn('two')
      const text = await comeBack('two', () => Promise.resolve())
      assert.equal((await sessions.find(text ?? ''))?.user, 'alice')
      await sessions.endUser('alice')
    })
  }
}

describe('a login that is ended', () => {
  it('gets no session that begins after its sessions were listed', async () => {
    await using setting = await setUp({ kind: 'memory' })
    const { store, keys, sessions } = setting
    const texts: unknown[] = []
    const renewal = { uid: 'one', login: 'login-one', from: Date.now(), by: Date.now() + HOUR }
    const afterListing = async (): Promise<void> => {
      texts.push(await sessions.begin({ ...begun('sid-one'), renewal }))
    }
    const own = new BrowserSessions(interrupted(store, { afterListing }), keys, systemClock)
    await own.endByUid('one')
    await own.endLogin('sid-one')
    assert.deepEqual(texts, [undefined, undefined])
    assert.deepEqual(await sessions.list(), [])
  })
})

describe('a login that returns to its route, with state in memory,', () => {
  racesWith(() => ({ kind: 'memory' }))
})

describe('a login that returns to its route, with state in a file,', () => {
  racesWith(fileSettings)
})

describe(
  'a login that returns to its route, with state in Redis,',
  { skip: skipWithoutRedis() },
  () => {
    let redis: Redis
    const secret = secretOf()
    before(async () => {
      redis = await startRedis()
    })
    after(() => redis[Symbol.asyncDispose]())
    racesWith(() => ({
      ...redisSettings(serverAt(redis.url), secret),
      prefix: `${randomUUID()}:`,
    }))
  },
)
