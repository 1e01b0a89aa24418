// Clients that have proven nothing leave no record in `state`, whatever it is kept in; what has to be stored
// for them stays within its room.

import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import { getHeapSpaceStatistics } from 'node:v8'
import { RevocationMarks } from '../../src/logins/revocation-marks.ts'
import { systemClock as clock } from '../../src/runtime/clock.ts'
import { MemoryRecords } from '../../src/state/memory-records.ts'
import { memoryState, type State } from '../../src/state/state.ts'
import { skipWithoutRedis, startRedis } from '../servers/redis.ts'
import { temporaryFolder } from '../servers/temporary.ts'
import { fileSettings, opened } from '../state/opening.ts'
import { serverAt } from '../state/redis/reaching.ts'
import { redisSettings } from '../state/redis/settings.ts'
import { CALLBACK, ISSUER } from './authorization-server.ts'
import { flood, type Sent } from './flooding.ts'
import { startIssuerOn } from './issuer-on.ts'

/** A state, and how much it holds. */
interface Setting extends AsyncDisposable {
  readonly state: State
  /** How many records there are, and how many bytes they take where that is known. */
  readonly held: () => Promise<readonly [records: number, bytes: number]>
}

const inMemory = async (): Promise<Setting> => {
  const records = new MemoryRecords(clock)
  return {
    state: { ...memoryState(clock), records },
    held: async () => [records.size, 0],
    [Symbol.asyncDispose]: async () => undefined,
  }
}

const inFile = async (): Promise<Setting> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const file = folder.file('state.db')
  const { state } = stack.use(await opened(fileSettings(file)))
  const reader = new DatabaseSync(file, { readOnly: true })
  stack.defer(() => reader.close())
  const numberIn = (sql: string): number =>
    Number(Object.values(reader.prepare(sql).get() ?? {})[0])
  const owned = stack.move()
  return {
    state,
    held: async () => [
      numberIn('SELECT count(*) FROM records'),
      numberIn('PRAGMA page_count') * numberIn('PRAGMA page_size'),
    ],
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

// What is tested is what is stored, however busy the machine is.
const PATIENT = { timeout: 10_000 }

const inRedis = async (): Promise<Setting> => {
  await using stack = new AsyncDisposableStack()
  const redis = stack.use(await startRedis())
  const { state } = stack.use(await opened(redisSettings(serverAt(redis.userUrl, PATIENT))))
  const owned = stack.move()
  return {
    state,
    held: async () => [Number(await redis.command('DBSIZE')), 0],
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const PKCE = { code_challenge: 'a'.repeat(43), code_challenge_method: 'S256' }
const AUTHORIZATION = {
  client_id: 'spa',
  redirect_uri: CALLBACK,
  response_type: 'code',
  scope: 'openid groups',
  ...PKCE,
}

/** As large as a request may be (`parameter-limits.ts`). */
const LARGE = { login_hint: 'x'.repeat(256), state: 'x'.repeat(2_048), nonce: 'x'.repeat(512) }

const queryOf = (fields: Readonly<Record<string, string>>): string =>
  new URLSearchParams(fields).toString()

/** @param cookie of a browser that was here before */
const REQUESTS = (cookie: string): readonly Sent[] => [
  { path: `/authorize?${queryOf(AUTHORIZATION)}` },
  { path: `/authorize?${queryOf({ ...AUTHORIZATION, ...LARGE })}` },
  { path: `/authorize?${queryOf(AUTHORIZATION)}`, headers: { cookie } },
  { path: '/authorize?client_id=unknown' },
  { path: '/device' },
  { path: '/device?user_code=BCDF-GHJK', headers: { cookie } },
  { path: '/logout' },
  { path: `/logout?${queryOf({ client_id: 'spa', state: LARGE.state })}` },
  { path: '/logout', headers: { cookie } },
  { path: '/logout/success' },
  { path: '/login/AAAAAAAAAAAAAAAAAAAAA', headers: { cookie } },
  { path: '/account' },
]

const STORES: readonly {
  readonly name: string
  readonly create: () => Promise<Setting>
  readonly skip?: string | false
}[] = [
  { name: 'in memory', create: inMemory },
  { name: 'in a file', create: inFile },
  { name: 'in Redis', create: inRedis, skip: skipWithoutRedis() },
]

const COUNT = 2_400
const PUSHED = 400

for (const { name, create, skip = false } of STORES) {
  describe(`unauthenticated clients, where state is ${name},`, { skip }, () => {
    const stack = new AsyncDisposableStack()
    after(() => stack.disposeAsync())

    it('leave no record by opening pages', async () => {
      const { state, held } = stack.use(await create())
      const issuer = stack.use(await startIssuerOn(state))
      const browser = issuer.browser()
      const page = await browser.get(`${ISSUER}/account`)
      await browser.submit(page, '/password', { user: 'alice', password: 'wonderland' })
      await new RevocationMarks(state.records, clock).note('bob')
      const visitor = issuer.browser()
      await visitor.get(`${ISSUER}/device`)
      const cookie = [...visitor.cookiesOf(ISSUER)].map((pair) => pair.join('=')).join('; ')
      const requests = REQUESTS(cookie)
      const before = await held()

      await flood(
        issuer.port,
        COUNT,
        (number) => requests[number % requests.length] ?? { path: '/device' },
        ({ status }) => assert.ok([200, 302, 303, 400].includes(status), `${status}`),
      )

      assert.deepEqual(await held(), before)
      assert.match((await browser.get(`${ISSUER}/account`)).body, />alice</)
      assert.ok((await new RevocationMarks(state.records, clock).lastOf('bob')) > 0)
    })

    it('evict no record of a login by what has to be stored for them', async () => {
      const { state, held } = stack.use(await create())
      const issuer = stack.use(await startIssuerOn(state))
      const browser = issuer.browser()
      const page = await browser.get(`${ISSUER}/account`)
      await browser.submit(page, '/password', { user: 'alice', password: 'wonderland' })
      const [before] = await held()
      const kinds = new Map<string, number>()
      const put = state.records.put.bind(state.records)
      state.records.put = async (key, record, indexes) => {
        kinds.set(record.kind, (kinds.get(record.kind) ?? 0) + 1)
        await put(key, record, indexes)
      }
      await flood(
        issuer.port,
        PUSHED,
        (number) =>
          number % 4 === 0
            ? { path: '/device/authorize', form: { client_id: 'cli', scope: 'openid' } }
            : { path: '/par', form: { ...AUTHORIZATION, ...LARGE } },
        ({ status }) => assert.ok([200, 201, 429].includes(status), `${status}`),
      )
      // A device code is found by its user code, too; of one source there are 60 at most (device-limits.ts).
      const codes = kinds.get('anonymous') ?? 0
      assert.ok(codes > 0 && codes <= 2 * 65, `${codes} records of device codes`)
      assert.deepEqual([...kinds.keys()].toSorted(), ['anonymous', 'public'])
      assert.equal(kinds.get('public'), (PUSHED * 3) / 4)
      assert.ok((await held())[0] > before)
      assert.match((await browser.get(`${ISSUER}/account`)).body, />alice</)
    })
  })
}

const MEBIBYTE = 1_048_576

/** What V8 keeps until it collects all of its heap, in MiB. */
const oldSpace = (): number => {
  const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'old_space')
  return (space?.space_used_size ?? 0) / MEBIBYTE
}

const ROUNDS = 3
const ROUND = 500

describe('a request of an unauthenticated client', () => {
  it('is garbage after a minor collection of V8, not only after a full one', async () => {
    const { state } = await inMemory()
    await using issuer = await startIssuerOn(state)
    const round = async (): Promise<number> => {
      const before = oldSpace()
      await flood(
        issuer.port,
        ROUND,
        () => ({ path: '/device' }),
        ({ status }) => assert.equal(status, 200),
      )
      return oldSpace() - before
    }
    await round() // compiles
    const grown = []
    for (let count = 0; count < ROUNDS; count += 1) grown.push(await round())
    // 12 MiB in a round, with the requests themselves (request-context.ts).
    assert.ok(Math.max(...grown) < 4, `${grown.map((size) => size.toFixed(1)).join(', ')} MiB`)
  })
})
