// `countersign sessions`, while an authz runs on the same SQLite file: what it lists, what it ends, and
// what it never prints.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeJwt } from 'jose'
import * as openid from 'openid-client'
import { startAuthz } from '../../src/authz.ts'
import { newStateKeyLine } from '../../src/state/state-secret.ts'
import { until } from '../fakes/until.ts'
import {
  atSocket,
  authorization,
  refusalOf,
  startSite,
  type Site,
} from '../issuer/authorization-server.ts'
import {
  ACCOUNT,
  ALICE,
  BOB,
  hasToLogIn,
  isIn,
  loggedIn,
  sessionOn,
  withSessions,
} from '../issuer/session/browsing.ts'
import { skipWithoutRedis, startRedis } from '../servers/redis.ts'
import { startScriptedHttp } from '../servers/scripted-http.ts'
import { countersign } from './run.ts'

/** What is listed. */
const loginsIn = async (
  config: string,
  ...args: readonly string[]
): Promise<readonly Record<string, unknown>[]> => {
  const all = ['sessions', 'list', '--json', '--config', config, ...args]
  const { status, stdout, stderr } = await countersign(all)
  assert.equal(status, 0, stderr)
  const lines = stdout.split('\n').filter((line) => line !== '')
  return lines.map((line): Record<string, unknown> => JSON.parse(line))
}

describe('countersign sessions', () => {
  let site: Site
  let file: string
  before(async () => {
    site = await startSite(atSocket(withSessions('state: { sqlite: state.db }')))
    file = site.folder.file('countersign.yaml')
  })
  after(() => site[Symbol.asyncDispose]())

  const sessions = async (...args: readonly string[]) =>
    await countersign(['sessions', ...args, '--config', file])
  const listed = async (user: string) => await loginsIn(file, '--user', user)

  it('lists logins with user and device', async () => {
    const agent = { 'user-agent': 'Somebody/1.0', 'x-countersign-source': '203.0.113.9' }
    const { browser } = await loggedIn(site, ALICE, agent)
    await sessionOn(browser)
    const { status, stdout, stderr } = await sessions('list')
    assert.equal(status, 0, stderr)
    assert.match(stdout, /^ID +USER +BEGAN +USED +FROM +HOSTS AND CLIENTS\n/)
    assert.match(stdout, /^[\w-]{43} +alice +\S+Z +\S+Z +203\.0\.113\.9 +app\.example\.org$/m)
    assert.match(stderr, /^1 login$/m)
    const [login] = await listed('alice')
    assert.deepEqual(
      [login?.['userAgent'], login?.['hosts']],
      ['Somebody/1.0', ['app.example.org']],
    )
    assert.deepEqual(await listed('bob'), [])
    await sessions('end', '--user', 'alice')
  })

  it('never prints a value that authenticates a user', async () => {
    const { browser, page } = await loggedIn(site)
    const cookie = await sessionOn(browser)
    const secrets = [
      cookie.slice(cookie.indexOf('=') + 1),
      ...browser.cookiesOf(ACCOUNT).values(),
      /name="csrf" value="([^"]*)"/.exec(page.body)?.[1] ?? '',
    ]
    const said = [await sessions('list'), await sessions('list', '--json')]
    for (const { stdout, stderr } of said) {
      for (const secret of secrets) {
        assert.ok(secret.length > 10)
        assert.equal(`${stdout}${stderr}`.includes(secret), false)
      }
      assert.doesNotMatch(stdout, /uid/)
    }
    await sessions('end', '--user', 'alice')
  })

  it('ends one login by its id, which a running authz refuses at once', async () => {
    const [first, second] = [await loggedIn(site), await loggedIn(site)]
    const cookies = [await sessionOn(first.browser), await sessionOn(second.browser)]
    const [login] = await listed('alice')
    const { status, stdout, stderr } = await sessions('end', '--id', String(login?.['id']))
    assert.deepEqual([status, stdout, stderr], [0, '', '1 login ended\n'])
    const left = await Promise.all(cookies.map(async (cookie) => await isIn(site.authz, cookie)))
    assert.equal(left.filter(Boolean).length, 1)
    const out = [await hasToLogIn(first.browser), await hasToLogIn(second.browser)]
    assert.equal(out.filter(Boolean).length, 1)
    await sessions('end', '--user', 'alice')
  })

  it('ends all logins of one user, then those of all users', async () => {
    const [alice, bob] = [await loggedIn(site), await loggedIn(site, BOB)]
    const [hers, his] = [await sessionOn(alice.browser), await sessionOn(bob.browser)]
    const client = await site.client('spa')
    const { url, checks } = await authorization(client, { scope: 'openid offline_access' })
    const back = (await alice.browser.get(url)).url
    const tokens = await openid.authorizationCodeGrant(client, back, checks)
    assert.equal((await sessions('end', '--user', 'alice')).stderr, '1 login ended\n')
    assert.equal(await isIn(site.authz, hers), false)
    assert.equal(await hasToLogIn(alice.browser), true)
    const again = openid.refreshTokenGrant(client, tokens.refresh_token ?? '')
    assert.equal(await refusalOf(again), 'invalid_grant')
    assert.equal(await isIn(site.authz, his), true)
    assert.equal((await sessions('end', '--all')).stderr, '1 login ended\n')
    assert.equal(await isIn(site.authz, his), false)
    assert.equal((await sessions('list')).stdout, '')
  })

  it('leaves the audit event and the notification of clients to one running authz', async () => {
    await using application = await startScriptedHttp(() => ({}))
    const yaml = withSessions('state: { sqlite: state.db }').replace(
      'spa: {',
      `spa: { backchannelLogout: '${application.origin}/bye',`,
    )
    await using own = await startSite(yaml)
    const config = own.folder.file('countersign.yaml')
    const second = (await readFile(config, 'utf8')).replace('audit.jsonl', 'second.jsonl')
    await writeFile(own.folder.file('second.yaml'), second)
    await using other = await startAuthz(own.folder.file('second.yaml'))
    assert.ok(other.issuer)
    const { browser } = await loggedIn(own)
    const client = await own.client('spa')
    const { url, checks } = await authorization(client)
    const back = (await browser.get(url)).url
    const tokens = await openid.authorizationCodeGrant(client, back, checks)
    await countersign(['sessions', 'end', '--user', 'alice', '--config', config])
    await countersign(['sessions', 'end', '--all', '--config', config])
    const ended = async () => [
      ...(await own.audit('sessions-ended')),
      ...(await own.audit('sessions-ended', 'second.jsonl')),
    ]
    await until(async () => (await ended()).length >= 2)
    await sleep(2_500) // as long as either looks again
    const events = await ended()
    const said = events.map(({ by, user = '-', which, source = '-' }) =>
      [by, user, which, source].join(' '),
    )
    assert.deepEqual(said.toSorted(), ['cli - all-users -', 'cli alice all -'])
    assert.equal(application.requests.length, 1)
    const [request] = application.requests
    const token = new URLSearchParams(request?.body.toString()).get('logout_token') ?? ''
    const { aud, sub, sid } = decodeJwt(token)
    assert.deepEqual([aud, sub, sid], ['spa', 'alice', tokens.claims()?.['sid']])
  })

  it('leaves them to the next authz where none runs', async () => {
    const own = await startSite(withSessions('state: { sqlite: state.db }'))
    const config = own.folder.file('countersign.yaml')
    await using stack = new AsyncDisposableStack()
    stack.use(own.folder)
    await loggedIn(own)
    const { id } = (await loginsIn(config))[0] ?? {}
    await own.authz[Symbol.asyncDispose]()
    await countersign(['sessions', 'end', '--id', String(id), '--config', config])
    assert.deepEqual(await own.audit('sessions-ended'), [])
    stack.use(await startAuthz(config))
    await until(async () => (await own.audit('sessions-ended')).length > 0)
    const [event] = await own.audit('sessions-ended')
    assert.deepEqual([event?.['user'], event?.['which'], event?.['by']], ['alice', 'one', 'cli'])
  })

  const REFUSED: readonly { name: string; args: readonly string[]; says: RegExp }[] = [
    { name: 'a missing selection', args: ['end'], says: /give --user NAME, --id ID, or --all/ },
    { name: 'an unknown id', args: ['end', '--id', 'abc'], says: /no login with the id "abc"/ },
    {
      name: 'both --user and --all',
      args: ['end', '--id', 'a', '--all'],
      says: /cannot be used with option '--all'/,
    },
    { name: 'an empty name', args: ['end', '--user', ''], says: /must not be empty/ },
  ]
  for (const { name, args, says } of REFUSED) {
    it(`refuses ${name}`, async () => {
      const { status, stderr } = await sessions(...args)
      assert.equal(status, 1)
      assert.match(stderr, says)
    })
  }

  it('says what to do where state is in memory', async () => {
    await using plain = await startSite(withSessions())
    const config = plain.folder.file('countersign.yaml')
    for (const args of [['list'], ['end', '--all']]) {
      const { status, stderr } = await countersign(['sessions', ...args, '--config', config])
      assert.equal(status, 1)
      assert.match(stderr, /in the memory of authz.*restart.*sqlite/)
    }
  })

  it('ends logins in Redis too', { skip: skipWithoutRedis() }, async () => {
    await using redis = await startRedis()
    process.env['SESSIONS_REDIS'] = redis.url
    const yaml = withSessions('state: { redis: { url: env:SESSIONS_REDIS, secret: file:ring } }')
    await using shared = await startSite(yaml, { ring: newStateKeyLine() })
    const config = shared.folder.file('countersign.yaml')
    const { browser } = await loggedIn(shared)
    const cookie = await sessionOn(browser)
    const { stdout } = await countersign(['sessions', 'list', '--config', config])
    assert.match(stdout, / alice /)
    const ended = await countersign(['sessions', 'end', '--user', 'alice', '--config', config])
    assert.deepEqual([ended.status, ended.stderr], [0, '1 login ended\n'])
    assert.equal(await isIn(shared.authz, cookie), false)
    assert.equal(await hasToLogIn(browser), true)
  })

  for (const { args, says } of [
    { args: [], says: [/list/, /end/, /SQLite/] },
    { args: ['list'], says: [/--config <file>/, /--user <name>/, /--json/] },
    {
      args: ['end'],
      says: [/--user <name>/, /--id <id>/, /--all/, /backchannelLogout/, /JWT access tokens/],
    },
  ]) {
    it(`has a help text: ${['sessions', ...args].join(' ')}`, async () => {
      const { status, stdout } = await countersign(['sessions', ...args, '--help'])
      assert.equal(status, 0)
      for (const pattern of says) assert.match(stdout.replaceAll(/\s+/g, ' '), pattern)
    })
  }
})
