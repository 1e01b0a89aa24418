// Browser sessions without Envoy: what outlives a restart, what replicas share, and what happens while the store
// is down.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { decodeJwt } from 'jose'
import { startAuthz, type Authz } from '../../src/authz.ts'
import { newStateKeyLine } from '../../src/state/state-secret.ts'
import { Browser } from '../fakes/browser.ts'
import { basic } from '../fakes/envoy.ts'
import { cheapHash } from '../fakes/hashes.ts'
import { EnvoyClient, type Outcome } from '../fakes/envoy-client.ts'
import { skipWithoutRedis, startRedis } from '../servers/redis.ts'
import { configuration, startSite, type Site } from './authorization-server.ts'

const APP = 'https://app.example.org'
const COOKIE = '__Host-countersign'

const withSessions = (state: string, session = '{ cacheTtl: 0s }'): string =>
  configuration()
    .replace(
      'authenticators:\n  staff:',
      `${state}\nauthenticators:\n  browser: { session: ${session} }\n  staff:`,
    )
    .replace('authenticate: [staff]', 'authenticate: [browser, staff]')

const navigating = (cookie: string): readonly (readonly [string, string])[] => [
  ['accept', 'text/html'],
  ...(cookie === '' ? [] : [['cookie', cookie] as const]),
]

const outcomeOf = async (authz: Authz, cookie = '', path = '/'): Promise<Outcome> => {
  using client = new EnvoyClient(authz.address)
  return await client.check({ host: 'app.example.org', path, headers: navigating(cookie) })
}

/** Logs alice in, as a browser does it; the cookie of the session. */
const sessionAt = async (authz: Authz): Promise<string> => {
  assert.ok(authz.issuer?.kind === 'tcp')
  const browser = new Browser({ port: authz.issuer.port })
  const login = await browser.get(`${APP}/.countersign/login`)
  const page = await browser.get(login.url)
  const back = await browser.submit(page, '/password', { user: 'alice', password: 'wonderland' })
  await browser.get(back.url)
  const text = browser.cookiesOf(APP).get(COOKIE)
  assert.ok(text, back.body)
  return `${COOKIE}=${text}`
}

const restarted = async (site: Site): Promise<Authz> => {
  await site.authz[Symbol.asyncDispose]()
  return await startAuthz(site.folder.file('countersign.yaml'))
}

describe('browser sessions of a route', () => {
  it('begin with a redirect to the login, recorded as a decision', async () => {
    await using site = await startSite(withSessions(''))
    const outcome = await outcomeOf(site.authz, '', '/orders?x=1')
    assert.ok(!outcome.allow)
    assert.equal(outcome.status, 'Found')
    const decision = (await site.audit('decision')).at(-1)
    assert.deepEqual([decision?.['reason'], decision?.['status']], ['credential-missing', 302])
  })

  it('survive a restart where state is a SQLite file', async () => {
    await using site = await startSite(withSessions('state: { sqlite: state.db }'))
    const cookie = await sessionAt(site.authz)
    await using authz = await restarted(site)
    assert.equal((await outcomeOf(authz, cookie)).allow, true)
  })

  it('end with the process where state is in memory', async () => {
    await using site = await startSite(withSessions(''))
    const cookie = await sessionAt(site.authz)
    assert.equal((await outcomeOf(site.authz, cookie)).allow, true)
    await using authz = await restarted(site)
    const outcome = await outcomeOf(authz, cookie)
    assert.equal(outcome.allow, false)
  })

  it('bound a stream by the end of the session', async () => {
    await using site = await startSite(
      withSessions('', '{ idleTimeout: 1m, maxLifetime: 1m, cacheTtl: 0s }'),
    )
    const cookie = await sessionAt(site.authz)
    const outcome = await outcomeOf(site.authz, cookie)
    assert.ok(outcome.allow)
    const left = Number(outcome.set['x-envoy-upstream-stream-duration-ms'])
    assert.ok(left > 0 && left <= 60_000, 'no stream outlives the session')
  })

  it('bound a stream by maxStreamDuration', async () => {
    for (const [section, want] of [
      ['{ cacheTtl: 0s }', '900000'],
      ['{ maxStreamDuration: 2s, cacheTtl: 1m }', '2000'],
    ] as const) {
      await using site = await startSite(withSessions('', section))
      const cookie = await sessionAt(site.authz)
      for (const time of ['first', 'second']) {
        const outcome = await outcomeOf(site.authz, cookie)
        assert.ok(outcome.allow)
        assert.equal(outcome.set['x-envoy-upstream-stream-duration-ms'], want, time)
      }
    }
  })

  it('answer a refusal with a page in a browser, and with a line of text to a script', async () => {
    const rules = `[{ deny: no-secrets, paths: ['/secrets/**'] }, { deny: by-day, paths: ['/late/**'], response: { message: Come by day. } }, { allow: all }]`
    const yaml = withSessions('').replace('authorize: [{ allow: all }]', `authorize: ${rules}`)
    await using site = await startSite(yaml)
    const cookie = await sessionAt(site.authz)
    const checkOf = async (path: string, further: readonly (readonly [string, string])[] = []) => {
      using client = new EnvoyClient(site.authz.address)
      const headers = [...navigating(cookie), ...further]
      const outcome = await client.check({ host: 'app.example.org', path, headers })
      assert.ok(!outcome.allow)
      assert.equal(outcome.status, 'Forbidden')
      return outcome
    }
    const { id, headers, body } = await checkOf('/secrets/1')
    assert.match(headers['content-type'] ?? '', /^text\/html/)
    assert.match(headers['content-security-policy'] ?? '', /frame-ancestors 'none'/)
    assert.equal(headers['cache-control'], 'no-store')
    assert.match(body, /<html lang="en"/)
    assert.match(body, /Access denied/)
    assert.ok(body.includes(id) && body.includes('Rule: no-secrets'), 'the decision, and the rule')
    assert.doesNotMatch(body, /ask the operator/, 'which the page says in its own words')
    assert.match((await checkOf('/secrets/1', [['accept-language', 'de']])).body, /<html lang="de"/)
    assert.match((await checkOf('/late/1')).body, /Come by day\./)
    const script = await checkOf('/secrets/1', [['sec-fetch-mode', 'cors']])
    assert.match(script.headers['content-type'] ?? '', /^text\/plain/)
  })

  it('hold 2,000 groups, which are not in the cookie', async () => {
    const groups = Array.from({ length: 2_000 }, (_, index) => `team-${index}`)
    const users = `users: { alice: { password: '${await cheapHash('wonderland')}', groups: [${groups.join()}] } }`
    const wide = 'identity: { groups: { max: 5000, maxBytes: 60000 } }'
    const yaml = withSessions('state: { sqlite: state.db }')
      .replace('users.yaml } }] } }', `many.yaml } }] }, ${wide} }`)
      .replace('headers: kubernetes', 'bearer: { mint: { audience: kubernetes } }')
      .replace('session: { cacheTtl: 0s } }', `session: { cacheTtl: 0s }, ${wide} }`)
    await using site = await startSite(yaml, { 'many.yaml': users })
    const cookie = await sessionAt(site.authz)
    assert.ok(cookie.length < 70)
    const outcome = await outcomeOf(site.authz, cookie)
    assert.ok(outcome.allow)
    const token = decodeJwt(outcome.set['authorization']?.replace('Bearer ', '') ?? '')
    assert.deepEqual(token['groups'], groups)
  })

  describe('in Redis', { skip: skipWithoutRedis() }, () => {
    it('are shared by replicas', async () => {
      await using redis = await startRedis()
      process.env['SESSIONS_REDIS'] = redis.url
      const yaml = withSessions('state: { redis: { url: env:SESSIONS_REDIS, secret: file:ring } }')
      await using one = await startSite(yaml, { ring: newStateKeyLine() })
      await writeFile(one.folder.file('other.yaml'), yaml.replace('audit.jsonl', 'other.jsonl'))
      await using other = await startAuthz(one.folder.file('other.yaml'))
      const cookie = await sessionAt(one.authz)
      assert.equal((await outcomeOf(other, cookie)).allow, true)
    })

    it('answer 503 to a returning login while Redis is down, with a link to log in again', async () => {
      await using redis = await startRedis({ persistent: true })
      process.env['SESSIONS_REDIS'] = redis.url
      const yaml = withSessions('state: { redis: { url: env:SESSIONS_REDIS, secret: file:ring } }')
      await using site = await startSite(yaml, { ring: newStateKeyLine() })
      const browser = site.browser()
      const login = await browser.get(`${APP}/.countersign/login`)
      const page = await browser.get(login.url)
      const back = await browser.submit(page, '/password', {
        user: 'alice',
        password: 'wonderland',
      })
      assert.equal(back.url.pathname, '/.countersign/callback')
      await redis.kill()
      const refused = await browser.get(back.url)
      assert.equal(refused.status, 503)
      assert.match(refused.body, /<h1>Temporarily unavailable/)
      assert.match(refused.body, /<a href="\/">Log in again<\/a>/)
    })

    it('answer 503 while Redis is down, and other authenticators still work', async () => {
      await using redis = await startRedis({ persistent: true })
      process.env['SESSIONS_REDIS'] = redis.url
      const yaml = withSessions('state: { redis: { url: env:SESSIONS_REDIS, secret: file:ring } }')
      await using site = await startSite(yaml, { ring: newStateKeyLine() })
      const cookie = await sessionAt(site.authz)
      await redis.command('SAVE')
      await redis.kill()
      const refused = await outcomeOf(site.authz, cookie)
      assert.ok(!refused.allow)
      assert.equal(refused.status, 'ServiceUnavailable')
      using client = new EnvoyClient(site.authz.address)
      const headers = [['authorization', basic('alice', 'wonderland')] as const]
      const served = await client.check({ host: 'app.example.org', path: '/', headers })
      assert.equal(served.allow, true)
      await redis.start()
      for (let left = 50; left > 0; left -= 1) {
        const outcome = await outcomeOf(site.authz, cookie)
        if (outcome.allow) return
        assert.equal(outcome.status, 'ServiceUnavailable')
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
      assert.fail('the session did not come back')
    })
  })
})
