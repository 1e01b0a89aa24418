// What a check by the cookie of a browser's session costs over one by a token that is known: with the
// session in a file and in Redis, looked up every few seconds and for every request.

import { writeFile } from 'node:fs/promises'
import { stringify } from 'yaml'
import { SESSION_COOKIE } from '../../src/authenticate/session/authenticator.ts'
import { BrowserSessions } from '../../src/logins/browser-sessions.ts'
import { openConfiguredState } from '../../src/check/configured-state.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { createLogger } from '../../src/runtime/logger.ts'
import { newStateKeyLine } from '../../src/state/state-secret.ts'
import { madeKey } from '../../test/fakes/signing-keys.ts'
import { skipWithoutRedis, startRedis } from '../../test/servers/redis.ts'
import { writeSigningKeys } from '../../test/servers/signing-keys.ts'
import { issue } from '../credentials/tokens.ts'
import { Installation } from '../installation.ts'
import { checkEncoder, exchanges, type Credential } from '../requests.ts'
import { measureInRounds, settle, type Summary } from '../rounds.ts'
import { prepare, type Row } from '../row.ts'
import { GROUPS, HEADERS_ROUTE, RULES, userNames, writeUsers } from '../site.ts'
import type { Size } from '../size.ts'
import type { Service } from '../service.ts'
import { LOAD_OPTIONS, Worker } from '../worker.ts'

/** What sessions cost. */
export interface SessionCosts {
  readonly rows: readonly Summary[]
  readonly skipped: readonly { readonly name: string; readonly reason: string }[]
}

/** The row that the other rows are compared with. */
const TOKEN = 'JWT, ES256, known'

const KNOWN_USERS = 32
// Each user on each path, twice.
const VARIETY = 320
const HOUR = 3_600_000

/** Where sessions are, and for how long one that was looked up is not looked up again. */
interface Kind {
  readonly name: string
  readonly store: 'sqlite' | 'redis'
  readonly cacheTtl: string
}

const KINDS: readonly Kind[] = [
  { name: 'session, SQLite', store: 'sqlite', cacheTtl: '5s' },
  { name: 'session, SQLite, looked up each time', store: 'sqlite', cacheTtl: '0s' },
  { name: 'session, Redis', store: 'redis', cacheTtl: '5s' },
  { name: 'session, Redis, looked up each time', store: 'redis', cacheTtl: '0s' },
]

/** Measures every kind. */
export const measureSessions = async (
  size: Size,
  progress: (text: string) => void,
): Promise<SessionCosts> => {
  await using installation = await Installation.open()
  progress('sessions: starting')
  const reason = skipWithoutRedis()
  const kinds = KINDS.filter(({ store }) => store === 'sqlite' || reason === false)
  const rows = await rowsOf(installation, kinds, size)
  progress('sessions: warming up')
  const settled = await settle(rows, size, undefined)
  const skipped = KINDS.filter((kind) => !kinds.includes(kind))
  return {
    rows: await measureInRounds(settled, TOKEN, size.rounds, progress),
    skipped: skipped.map(({ name }) => ({ name, reason: String(reason) })),
  }
}

const rowsOf = async (
  installation: Installation,
  kinds: readonly Kind[],
  { requests, concurrency }: Size,
): Promise<readonly Row[]> => {
  const users = userNames(KNOWN_USERS)
  const { tokens, authenticator } = await issue(installation, 'ES256', users)
  await writeSigningKeys(installation.file('signing-keys'), [await madeKey('ES256')])
  await writeUsers(installation.file('nobody.yaml'), users.slice(0, 1), 'cheapest')
  const stores = await storesOf(installation, kinds)
  const load = installation.use(new Worker('grpc-load', LOAD_OPTIONS))
  const rows: Row[] = []
  const add = async (
    name: string,
    authz: Service,
    socket: string,
    credential: (user: string) => Credential,
  ): Promise<void> => {
    const sent = exchanges(
      VARIETY,
      users,
      checkEncoder(HEADERS_ROUTE),
      (user) => ({ outcome: 'allow', user, groups: GROUPS }),
      credential,
    )
    await prepare(load, name, socket, 1, sent)
    const target = { load, target: name, authorizers: [authz.pid], envoy: undefined }
    rows.push({ name, requests, concurrency, alone: true, ...target })
  }
  for (const [index, kind] of kinds.entries()) {
    const files = { config: `sessions-${index}.yaml`, socket: installation.file(`s-${index}.sock`) }
    const config = configuration(installation, files.socket, authenticator('1h'), {
      state: stores.get(kind.store),
      cacheTtl: kind.cacheTtl,
    })
    const path = installation.file(files.config)
    await writeFile(path, stringify(config))
    const cookies = await beginSessions(path, users)
    const authz = await installation.service({ command: 'authz', config: path })
    if (index === 0) {
      await add(TOKEN, authz, files.socket, (user) => ({
        headers: [['authorization', `Bearer ${tokens.get(user) ?? ''}`]],
      }))
    }
    await add(kind.name, authz, files.socket, (user) => ({ cookie: cookies.get(user) ?? '' }))
  }
  return rows
}

/** The `state` section of each store. */
const storesOf = async (
  installation: Installation,
  kinds: readonly Kind[],
): Promise<ReadonlyMap<Kind['store'], object>> => {
  const stores = new Map<Kind['store'], object>([
    ['sqlite', { sqlite: installation.file('state.db') }],
  ])
  if (!kinds.some(({ store }) => store === 'redis')) return stores
  const redis = installation.use(await startRedis())
  process.env['BENCH_REDIS'] = redis.url
  const ring = installation.file('ring')
  await writeFile(ring, newStateKeyLine(), { mode: 0o600 })
  return stores.set('redis', { redis: { url: 'env:BENCH_REDIS', secret: `file:${ring}` } })
}

/** A session of each user, as a login would have begun it; the cookies. */
const beginSessions = async (
  config: string,
  users: readonly string[],
): Promise<ReadonlyMap<string, string>> => {
  const parts = { clock: systemClock, logger: createLogger('warn') }
  await using opened = await openConfiguredState(config, parts)
  const { records, keys } = opened.state
  const sessions = new BrowserSessions(records, keys, systemClock)
  const cookies = new Map<string, string>()
  for (const user of users) {
    const text = await sessions.begin({
      user,
      claims: { sub: user, groups: GROUPS, amr: ['pwd'] },
      login: undefined,
      host: HEADERS_ROUTE.host,
      source: '203.0.113.7',
      userAgent: 'Mozilla/5.0',
      ends: systemClock.now() + 12 * HOUR,
      idle: HOUR,
    })
    cookies.set(user, `${SESSION_COOKIE}=${text}`)
  }
  return cookies
}

const configuration = (
  installation: Installation,
  socket: string,
  staff: object,
  { state, cacheTtl }: { readonly state: object | undefined; readonly cacheTtl: string },
): object => ({
  version: 1,
  listen: { authz: `unix:${socket}`, issuer: `unix:${socket}.issuer` },
  issuer: {
    url: 'https://id.example.org',
    keys: installation.file('signing-keys'),
    login: { authenticators: ['people'] },
  },
  state,
  authenticators: {
    browser: { session: { cacheTtl } },
    staff,
    people: {
      basic: { realm: 'Bench', verify: [{ users: { file: installation.file('nobody.yaml') } }] },
    },
  },
  routes: [
    {
      name: HEADERS_ROUTE.name,
      match: { hosts: [HEADERS_ROUTE.host] },
      authenticate: ['browser', 'staff'],
      authorize: RULES,
      forward: { headers: 'kubernetes' },
    },
  ],
  audit: { file: `${socket}.jsonl` },
  log: { level: 'warn' },
})
