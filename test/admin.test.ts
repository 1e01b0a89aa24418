// The admin listener of authz, whole: a real configuration, real traffic, and what is said of it.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { startAuthz, type Authz } from '../src/authz.ts'
import { basic, type RequestParts } from './fakes/envoy.ts'
import { EnvoyClient } from './fakes/envoy-client.ts'
import { readOpenMetrics } from './fakes/exposition.ts'
import { bcryptHashOf, cheapHash } from './fakes/hashes.ts'
import { read, scrape, seriesOf } from './fakes/scraping.ts'
import { temporaryFolder, type TemporaryFolder } from './servers/temporary.ts'

const [hash, slowHash] = await Promise.all([
  cheapHash('the-password'),
  bcryptHashOf('the-password', '2b', 12),
])

const USERS = `
users:
  alice: { password: '${hash}', groups: [dev] }
  slow: { password: '${slowHash}', groups: [dev] }
`

const configuration = (admin = '127.0.0.1:0'): string => `
version: 1
listen: { authz: unix:authz.sock, admin: ${admin} }
authenticators:
  staff:
    basic:
      verify:
        - users: { file: users.yaml }
        - ldap: { servers: ['ldap://127.0.0.1:1'], direct: ['uid={user},dc=example'] }
  tokens:
    bearer:
      issuer: https://login.example.org
      audiences: [a]
      keys: { url: 'https://127.0.0.1:1/keys?key=in-the-query', coolDown: 60s }
routes:
  - name: app
    match: { hosts: [app.example.org] }
    authenticate: [staff, tokens]
    authorize: [{ deny: no, paths: [/no] }, { allow: all }]
    forward: { headers: kubernetes }
audit: { file: audit.jsonl }
log: { level: error }
`

const start = async (folder: TemporaryFolder, admin?: string): Promise<Authz> => {
  await writeFile(folder.file('users.yaml'), USERS)
  await writeFile(folder.file('countersign.yaml'), configuration(admin))
  return await startAuthz(folder.file('countersign.yaml'))
}

const as = (user: string, password = 'the-password', path = '/'): RequestParts => ({
  path,
  headers: [['authorization', basic(user, password)]],
})

const READY = '[+]config ok\n[+]audit ok\n[+]serving ok\nreadyz check passed\n'

describe('the admin listener of authz', () => {
  it('counts decisions by route and reason', async () => {
    await using folder = await temporaryFolder()
    await using authz = await start(folder)
    using client = new EnvoyClient(authz.address)
    const requests = [
      as('alice'),
      as('alice'),
      as('alice', 'the-password', '/no'),
      as('alice', 'wrong-password'),
      as('alice', 'wrong-password'),
      as('nobody'), // the directory is down
      {},
      { host: 'other.example.org' },
    ]
    for (const request of requests) {
      await client.check(request)
    }
    const series = await scrape(authz.admin)
    assert.deepEqual(seriesOf(series, 'countersign_decisions_total'), {
      'decision=allow,reason=permitted,route=app': 2,
      'decision=deny,reason=rule-denied,route=app': 1,
      'decision=deny,reason=credential-wrong,route=app': 2,
      'decision=deny,reason=authenticator-unavailable,route=app': 1,
      'decision=deny,reason=credential-missing,route=app': 1,
      'decision=deny,reason=no-route,route=-': 1,
    })
    assert.deepEqual(seriesOf(series, 'countersign_check_duration_seconds_count'), {
      'decision=allow,route=app': 2,
      'decision=deny,route=app': 5,
      'decision=allow,route=-': 0,
      'decision=deny,route=-': 1,
    })
    assert.deepEqual(seriesOf(series, 'countersign_authentications_total'), {
      'authenticator=staff,outcome=authenticated': 3,
      'authenticator=staff,outcome=rejected': 2,
      'authenticator=staff,outcome=unavailable': 1,
    })
    assert.deepEqual(seriesOf(series, 'countersign_credential_cache_lookups_total'), {
      'authenticator=staff,result=hit': 2,
      'authenticator=staff,result=refusal': 0, // no password is refused unasked
      'authenticator=staff,result=joined': 0,
      'authenticator=staff,result=miss': 4,
      'authenticator=tokens,result=hit': 0,
      'authenticator=tokens,result=refusal': 0,
      'authenticator=tokens,result=joined': 0,
      'authenticator=tokens,result=miss': 0,
    })
    assert.deepEqual(seriesOf(series, 'countersign_credential_cache_entries'), {
      'kind=proof': 1,
      'kind=rejection': 0,
    })
    assert.deepEqual(seriesOf(series, 'countersign_dependency_up'), {
      'authenticator=staff,kind=ldap,route=,server=ldap://127.0.0.1:1': 0,
    })
    const issuer = 'source=https://127.0.0.1:1/keys'
    assert.deepEqual(seriesOf(series, 'countersign_token_keys'), { [issuer]: 0 })
    assert.deepEqual(seriesOf(series, 'countersign_token_keys_age_seconds'), {})
    const fetches = seriesOf(series, 'countersign_token_key_fetches_total')
    assert.equal(fetches[`result=fetched,${issuer}`], 0)
    // It is tried again until there are some.
    assert.ok((fetches[`result=failed,${issuer}`] ?? 0) > 0)
    assert.deepEqual(seriesOf(series, 'countersign_audit_events_total'), {
      'result=written': 9,
      'result=summarised': 0,
      'result=lost': 0,
    })
    assert.equal(series.get('countersign_checks_in_flight'), 0)
    assert.equal(series.get('countersign_audit_events_pending'), 0)
  })

  it('has the same metrics in OpenMetrics', async () => {
    await using folder = await temporaryFolder()
    await using authz = await start(folder, 'unix:admin.sock')
    using client = new EnvoyClient(authz.address)
    await client.check(as('alice'))
    const accept = 'application/openmetrics-text;version=1.0.0,text/plain;q=0.1'
    const { headers, body } = await read(authz.admin, '/metrics', { headers: { accept } })
    assert.match(headers['content-type'] ?? '', /^application\/openmetrics-text/)
    assert.deepEqual(seriesOf(readOpenMetrics(body), 'countersign_decisions_total'), {
      'decision=allow,reason=permitted,route=app': 1,
    })
  })

  it('contains no secret and no value of a request', async () => {
    await using folder = await temporaryFolder()
    await using authz = await start(folder)
    using client = new EnvoyClient(authz.address)
    await client.check(as('alice', 'the-password', '/the-path?the-query'))
    await client.check(as('the-user', 'wrong-password'))
    await client.check({ host: 'the-host.example.org' })
    await client.check({ headers: [['authorization', 'Bearer the-token']] })
    const pages = await Promise.all(
      ['/livez', '/readyz?verbose', '/metrics'].map((page) => read(authz.admin, page)),
    )
    const text = pages.map(({ headers, body }) => JSON.stringify(headers) + body).join('\n')
    const NEVER = [
      'alice',
      'the-',
      'wrong-password',
      'in-the-query',
      '203.0.113.7',
      folder.path,
      hash,
    ]
    assert.deepEqual(
      NEVER.filter((word) => text.includes(word)),
      [],
    )
  })

  it('reports readiness, and a failed reload as a warning', async () => {
    await using folder = await temporaryFolder()
    await using authz = await start(folder)
    const reloads = async (): Promise<readonly (number | undefined)[]> => {
      const series = await scrape(authz.admin)
      return [
        series.get('countersign_config_generation'),
        series.get('countersign_config_last_reload_successful'),
        series.get('countersign_config_reload_failures_total'),
      ]
    }
    assert.equal((await read(authz.admin, '/livez')).body, 'ok')
    assert.equal((await read(authz.admin, '/readyz')).body, 'ok')
    assert.equal((await read(authz.admin, '/readyz?verbose')).body, READY)
    assert.deepEqual(await reloads(), [1, 1, 0])
    await writeFile(folder.file('countersign.yaml'), 'version: 2')
    await authz.reload()
    const { status, body } = await read(authz.admin, '/readyz?verbose')
    assert.equal(status, 200) // the last good configuration decides as before
    assert.match(body, /^\[!\]config warning: the last change was refused/)
    const [generation, successful, failures = 0] = await reloads()
    assert.deepEqual([generation, successful], [1, 0])
    assert.ok(failures >= 1) // the watcher may have seen the change, too
    await writeFile(folder.file('countersign.yaml'), configuration())
    await authz.reload()
    assert.equal((await read(authz.admin, '/readyz?verbose')).body, READY)
    const series = await scrape(authz.admin)
    assert.equal(series.get('countersign_config_last_reload_successful'), 1)
    assert.ok((series.get('countersign_config_generation') ?? 0) >= 2)
    const loaded = series.get('countersign_config_last_reload_success_timestamp_seconds') ?? 0
    assert.ok(Math.abs(loaded - Date.now() / 1_000) < 60)
  })

  it('reports no revoked entry after the audit file alone was reopened', async () => {
    await using folder = await temporaryFolder()
    await using authz = await start(folder)
    using client = new EnvoyClient(authz.address)
    await client.check(as('alice'))
    await authz.reopenAudit()
    await client.check(as('alice'))
    const series = await scrape(authz.admin)
    assert.equal(seriesOf(series, 'countersign_credential_cache_entries')['kind=proof'], 1)
    assert.equal(series.get('countersign_credential_cache_revocations_total'), 0)
    assert.equal(series.get('countersign_config_generation'), 1)
    const lookups = seriesOf(series, 'countersign_credential_cache_lookups_total')
    assert.equal(lookups['authenticator=staff,result=hit'], 1)
  })

  it('reports the revoked credential cache entries after a reload by signal', async () => {
    await using folder = await temporaryFolder()
    await using authz = await start(folder)
    using client = new EnvoyClient(authz.address)
    await client.check(as('alice'))
    await authz.reload()
    const before = await scrape(authz.admin)
    assert.deepEqual(seriesOf(before, 'countersign_credential_cache_entries')['kind=proof'], 0)
    assert.equal(before.get('countersign_credential_cache_revocations_total'), 1)
    await client.check(as('alice'))
    const lookups = seriesOf(
      await scrape(authz.admin),
      'countersign_credential_cache_lookups_total',
    )
    assert.deepEqual(
      [lookups['authenticator=staff,result=miss'], lookups['authenticator=staff,result=hit']],
      [2, 0],
    )
  })

  it('reports authz as live, but not ready, while it answers its last checks', async () => {
    await using folder = await temporaryFolder()
    const authz = await start(folder)
    using client = new EnvoyClient(authz.address)
    assert.equal(await client.health(), 'SERVING')
    const { outcome } = client.call(as('slow'))
    // On the same connection, so the check has begun; the hash takes some hundred milliseconds.
    assert.equal(await client.health(), 'SERVING')
    const ending = authz[Symbol.asyncDispose]()
    const { status, body } = await read(authz.admin, '/readyz')
    assert.equal(status, 503)
    assert.match(body, /^\[-\]serving failed: shutting down$/m)
    assert.equal((await read(authz.admin, '/livez')).status, 200)
    assert.ok((await outcome).allow)
    await ending
    await assert.rejects(read(authz.admin, '/livez'))
  })

  it('does not exist unless it is configured', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('users.yaml'), USERS)
    const text = configuration().replace(', admin: 127.0.0.1:0', '')
    await writeFile(folder.file('countersign.yaml'), text)
    await using authz = await startAuthz(folder.file('countersign.yaml'))
    assert.equal(authz.admin, undefined)
  })

  it('stops the start where it cannot listen', async () => {
    await using folder = await temporaryFolder()
    await assert.rejects(start(folder, 'unix:authz.sock'), { code: 'listen-failed' })
  })
})
