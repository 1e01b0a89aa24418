// authz with `state` in a file and in Redis: what several processes share, and what they do while the store
// is down.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { startAuthz, type Authz } from '../src/authz.ts'
import { ConfigurationError } from '../src/config/problem.ts'
import { newStateKeyLine } from '../src/state/state-secret.ts'
import { basic } from './fakes/envoy.ts'
import { EnvoyClient } from './fakes/envoy-client.ts'
import { cheapHash } from './fakes/hashes.ts'
import { read, scrape, seriesOf } from './fakes/scraping.ts'
import { until } from './fakes/until.ts'
import { skipWithoutRedis, startRedis } from './servers/redis.ts'
import { temporaryFolder, type TemporaryFolder } from './servers/temporary.ts'

const hash = await cheapHash('right')

const configuration = (name: string, state: string): string => `
version: 1
listen: { authz: unix:${name}.sock, admin: unix:${name}-admin.sock }
authenticators:
  staff:
    basic:
      verify: [{ users: { file: users.yaml } }]
      bruteForceProtection: { userAndSource: { attempts: 3, backOff: 30s, lockAfter: 5 } }
  nobody: { anonymous: {} }
routes:
  - name: open
    match: { paths: [/open] }
    authenticate: [nobody]
    authorize: [{ allow: all }]
  - name: app
    authenticate: [staff]
    authorize: [{ allow: all }]
${state}
audit: { file: ${name}.jsonl }
log: { level: error }
`

const start = async (folder: TemporaryFolder, name: string, state: string): Promise<Authz> => {
  await writeFile(folder.file('users.yaml'), `users: { alice: { password: '${hash}' } }\n`)
  await writeFile(folder.file(`${name}.yaml`), configuration(name, state))
  return await startAuthz(folder.file(`${name}.yaml`))
}

/** The outcome of a request: `allow`, or the status of the refusal. */
const outcomeOf = async (authz: Authz, password: string, path = '/'): Promise<string> => {
  using client = new EnvoyClient(authz.address)
  const headers = path === '/open' ? [] : [['authorization', basic('alice', password)] as const]
  const outcome = await client.check({ path, headers })
  return outcome.allow ? 'allow' : outcome.status
}

const guessAtBoth = async (one: Authz, other: Authz): Promise<void> => {
  const answers = [
    await outcomeOf(one, 'wrong 1'),
    await outcomeOf(other, 'wrong 2'),
    await outcomeOf(one, 'wrong 3'),
    await outcomeOf(other, 'wrong 4'),
    await outcomeOf(one, 'right'), // has to wait too
  ]
  assert.deepEqual(answers, [
    'Unauthorized',
    'Unauthorized',
    'Unauthorized',
    'TooManyRequests',
    'TooManyRequests',
  ])
}

describe('authz with state in a file', () => {
  it('shares failed logins between processes, and keeps them over a restart', async () => {
    await using folder = await temporaryFolder()
    const state = 'state: { sqlite: state/state.db }'
    {
      await using one = await start(folder, 'one', state)
      await using other = await start(folder, 'other', state)
      await guessAtBoth(one, other)
    }
    await using again = await start(folder, 'one', state)
    assert.equal(await outcomeOf(again, 'right'), 'TooManyRequests')
    assert.equal(await outcomeOf(again, '', '/open'), 'allow')
    const { body } = await read(again.admin, '/readyz?verbose')
    assert.match(body, /^\[\+\]state ok$/m)
    assert.deepEqual(seriesOf(await scrape(again.admin), 'countersign_state_up'), {
      'kind=sqlite': 1,
    })
  })

  it('does not start with a file that is not a SQLite database, and names the configured field', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('state.db'), 'something else\n'.repeat(500))
    await assert.rejects(
      start(folder, 'one', 'state: { sqlite: state.db }'),
      (cause) =>
        cause instanceof ConfigurationError &&
        cause.problems.length === 1 &&
        cause.problems[0]?.path.startsWith('state') === true &&
        /state\.db cannot be used: it is not a database/.test(cause.message),
    )
  })

  it('keeps its store over a reload that configures another', async () => {
    await using folder = await temporaryFolder()
    const state = 'state: { sqlite: state.db }'
    await using one = await start(folder, 'one', state)
    await outcomeOf(one, 'wrong 1')
    await writeFile(folder.file('one.yaml'), configuration('one', 'state: { memory: {} }'))
    await one.reload()
    const { body } = await read(one.admin, '/readyz?verbose')
    assert.match(body, /^\[\+\]state ok$/m)
    assert.match(
      await readFile(folder.file('one.jsonl'), 'utf8'),
      /"configuration-loaded","gen.*:2/,
    )
  })

  it('reports wrong settings of state at a reload', async () => {
    await using folder = await temporaryFolder()
    await using one = await start(folder, 'one', '')
    const wrong = 'state: { sqlite: { file: a.db, secret: file:none } }'
    await writeFile(folder.file('one.yaml'), configuration('one', wrong))
    await one.reload()
    assert.match(await readFile(folder.file('one.jsonl'), 'utf8'), /state\.sqlite\.secret: .*none/)
  })
})

describe('authz with state in Redis', { skip: skipWithoutRedis() }, () => {
  it('shares failed logins between replicas; while Redis is down, each counts its own and stays ready', async () => {
    await using redis = await startRedis()
    await using folder = await temporaryFolder()
    await writeFile(folder.file('state.keys'), newStateKeyLine())
    await writeFile(folder.file('redis.url'), redis.url)
    const state = 'state: { redis: { url: file:redis.url, secret: file:state.keys } }'
    await using one = await start(folder, 'one', state)
    await using other = await start(folder, 'other', state)
    await guessAtBoth(one, other)
    const durations = seriesOf(
      await scrape(one.admin),
      'countersign_dependency_request_duration_seconds_count',
    )
    const attempt = `kind=redis,operation=attempt,outcome=answered,server=redis 127.0.0.1:${redis.port}`
    assert.ok((durations[attempt] ?? 0) > 0, JSON.stringify(durations))
    for (const { admin } of [one, other]) {
      await until(
        async () => 'kind=browser' in seriesOf(await scrape(admin), 'countersign_sessions'),
      )
    }
    await redis.kill()
    assert.equal(await outcomeOf(one, 'right'), 'TooManyRequests') // known without asking
    assert.equal(await outcomeOf(other, 'never tried'), 'TooManyRequests')
    await using fresh = await start(folder, 'fresh', state)
    assert.equal(await outcomeOf(fresh, 'right'), 'allow')
    for (const guess of ['wrong 1', 'wrong 2', 'wrong 3']) await outcomeOf(fresh, guess)
    assert.equal(await outcomeOf(fresh, 'wrong 4'), 'TooManyRequests')
    assert.equal(await outcomeOf(fresh, '', '/open'), 'allow')
    const { status, body } = await read(fresh.admin, '/readyz?verbose')
    assert.equal(status, 200)
    assert.match(body, /^\[!\]state warning: .*ECONNREFUSED/m)
    const series = await scrape(fresh.admin)
    assert.deepEqual(seriesOf(series, 'countersign_state_up'), { 'kind=redis': 0 })
    const dependency = `authenticator=,kind=state,route=,server=redis 127.0.0.1:${redis.port}`
    assert.deepEqual(seriesOf(series, 'countersign_dependency_up'), { [dependency]: 0 })
  })
})
