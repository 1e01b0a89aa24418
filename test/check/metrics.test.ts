// The metrics of authz that need more than a running service: read from their parts.

import assert from 'node:assert/strict'
import { deny } from '../../src/check/decision.ts'
import { describe, it } from 'node:test'
import { CredentialCache } from '../../src/authenticate/credential-cache.ts'
import { KeySets } from '../../src/authenticate/bearer/key-sets.ts'
import { authzMetrics } from '../../src/check/metrics.ts'
import { CheckStatistics } from '../../src/check/statistics.ts'
import { GrantSeal } from '../../src/grant/seal.ts'
import type { Issuer } from '../../src/keys/issuer.ts'
import { MetricsPage } from '../../src/runtime/metrics/page.ts'
import { TokenCache } from '../../src/transform/token/token-cache.ts'
import type { StoreHealth } from '../../src/state/opened-state.ts'
import { StateStatistics } from '../../src/state/statistics.ts'
import { FakeClock } from '../fakes/clock.ts'
import { readPrometheus } from '../fakes/exposition.ts'
import { grantOf, makeGrantKey } from '../fakes/grant.ts'
import { memoryLogger } from '../fakes/logger.ts'
import { routeOf } from '../fakes/route.ts'
import { seriesOf } from '../fakes/scraping.ts'
import { madeKey, signingKeysOf } from '../fakes/signing-keys.ts'
import { snapshotOf } from '../fakes/snapshot.ts'

const MINUTE = 60_000

const setUp = (
  checks = new CheckStatistics(),
  kind: StoreHealth['kind'] = 'memory',
  issuer?: Issuer,
) => {
  const clock = new FakeClock()
  const statistics = new StateStatistics(clock, () => undefined)
  let failure: unknown
  const name = kind === 'redis' ? 'redis a:6379' : ''
  const store = { kind, name, statistics, failure: () => failure, dropped: () => 7 }
  const created = clock.now() - 86_400_000
  const seal = new GrantSeal([{ ...makeGrantKey(), created }, makeGrantKey()])
  const keySets = new KeySets(clock, memoryLogger().logger)
  let up = true
  const server = {
    authenticator: 'staff',
    kind: 'ldap',
    name: 'ldaps://a',
    isUp: () => up,
  } as const
  const requests = {
    route: 'app',
    kind: 'access-review',
    name: 'https://k',
    isUp: () => true,
    refusals: () => new Map([['rate-limited', 3]] as const),
    cached: () => 5,
  } as const
  const value = { ...snapshotOf([]), seal, issuer, dependencies: [server, requests] }
  const metrics = authzMetrics({
    checks,
    credentialCache: new CredentialCache(clock),
    keySets,
    tokens: new TokenCache(),
    store,
    current: () => ({ value }),
    clock,
  })
  const page = new MetricsPage(metrics, clock)
  const read = async () => {
    clock.advance(1_000)
    return readPrometheus((await page.render()).body)
  }
  return {
    clock,
    seal,
    keySets,
    statistics,
    read,
    fail: () => (up = false),
    failState: () => (failure = new Error('no answer')),
  }
}

describe('the metrics of authz', () => {
  it('count sealed certificate grants', async () => {
    const { seal, read } = setUp()
    assert.equal((await read()).get('countersign_grants_sealed_total'), 0)
    seal.seal(grantOf())
    seal.seal(grantOf())
    assert.equal((await read()).get('countersign_grants_sealed_total'), 2)
  })

  it('report the age of the grant key that seals', async () => {
    const { clock, read } = setUp()
    clock.advance(86_400_000 - 1_000)
    assert.equal((await read()).get('countersign_grant_key_age_seconds'), 2 * 86_400)
  })

  it('report when each signing key was made, and when the next one begins', async () => {
    const clock = new FakeClock()
    const [old, next] = [
      await madeKey('ES256', clock.now() - 86_400_000),
      await madeKey('ES256', clock.now() + 3_600_000),
    ]
    const keys = signingKeysOf([old, next], clock)
    const issuer = { url: 'https://id.example.org', keys, maxAge: 60_000 }
    const series = await setUp(new CheckStatistics(), 'memory', issuer).read()
    assert.deepEqual(seriesOf(series, 'countersign_signing_key_created_timestamp_seconds'), {
      [`algorithm=ES256,kid=${old.entry.kid},state=signing`]: clock.now() / 1_000 - 86_400,
      [`algorithm=ES256,kid=${next.entry.kid},state=next`]: clock.now() / 1_000 + 3_600,
    })
    assert.deepEqual(seriesOf(series, 'countersign_signing_key_next_timestamp_seconds'), {
      'algorithm=ES256': clock.now() / 1_000 + 3_600,
    })
  })

  it('report what is cached of an API server', async () => {
    assert.deepEqual(seriesOf(await setUp().read(), 'countersign_dependency_answers_cached'), {
      'authenticator=,kind=access-review,route=app,server=https://k': 5,
    })
  })

  it('report whether the circuit of a server is closed', async () => {
    const { read, fail } = setUp()
    const ofStaff = 'authenticator=staff,kind=ldap,route=,server=ldaps://a'
    const ofRules = 'authenticator=,kind=access-review,route=app,server=https://k'
    const up = async () => seriesOf(await read(), 'countersign_dependency_up')
    assert.deepEqual(await up(), { [ofStaff]: 1, [ofRules]: 1 })
    fail()
    assert.deepEqual(await up(), { [ofStaff]: 0, [ofRules]: 1 })
  })

  it('count refused requests to a server by reason', async () => {
    const { read } = setUp()
    assert.deepEqual(seriesOf(await read(), 'countersign_dependency_refusals_total'), {
      'authenticator=,kind=access-review,reason=rate-limited,route=app,server=https://k': 3,
    })
  })

  it('report whether the store of `state` is up, and count its failures', async () => {
    const { read, failState, statistics } = setUp(new CheckStatistics(), 'redis')
    await statistics.measure('get', async () => 1)
    await assert.rejects(statistics.measure('get', () => Promise.reject(new Error('x'))))
    await statistics.measure('put', async () => 1)
    statistics.notOpened()
    const before = await read()
    assert.deepEqual(seriesOf(before, 'countersign_state_up'), { 'kind=redis': 1 })
    assert.equal(before.get('countersign_state_decryption_failures_total'), 1)
    assert.equal(before.get('countersign_state_dropped_total'), 7)
    failState()
    const after = await read()
    assert.deepEqual(seriesOf(after, 'countersign_state_up'), { 'kind=redis': 0 })
    const own = 'authenticator=,kind=state,route=,server=redis a:6379'
    assert.equal(seriesOf(after, 'countersign_dependency_up')[own], 0)
    assert.equal(seriesOf(before, 'countersign_dependency_up')[own], 1)
  })

  it('have one series for each key set, labelled with its location only', async () => {
    const { keySets, read } = setUp()
    const refresh = { min: MINUTE, max: MINUTE }
    const times = { refresh, coolDown: MINUTE, maxAge: MINUTE, timeout: 10 }
    for (const url of ['https://127.0.0.1:1/keys?secret=1', 'https://127.0.0.1:1/keys?secret=2']) {
      keySets.acquire({ source: { kind: 'url', url }, times })
    }
    const series = await read()
    assert.equal(keySets.statuses().length, 1)
    keySets[Symbol.dispose]()
    assert.deepEqual(seriesOf(series, 'countersign_token_keys'), {
      'source=https://127.0.0.1:1/keys': 0,
    })
  })

  it('count the decisions of rules, and those of shadow rules', async () => {
    const checks = new CheckStatistics()
    const route = routeOf({ name: 'app' })
    const shadows = [{ rule: 'strict', decision: 'deny' }] as const
    for (const denial of [
      { reason: 'rule-denied', rule: 'no' },
      { reason: 'rule-failed', rule: 'no' },
      { reason: 'no-rule' },
    ] as const) {
      const { reason, ...details } = denial
      checks.decided(deny({ route, shadows }, reason, details), 1)
    }
    const series = await setUp(checks).read()
    assert.deepEqual(seriesOf(series, 'countersign_rule_decisions_total'), {
      'decision=allow,route=app,rule=no': 0,
      'decision=deny,route=app,rule=no': 1,
      'decision=failed,route=app,rule=no': 1,
    })
    assert.deepEqual(seriesOf(series, 'countersign_shadow_decisions_total'), {
      'decided=allow,decision=allow,route=app,rule=strict': 0,
      'decided=deny,decision=allow,route=app,rule=strict': 0,
      'decided=allow,decision=deny,route=app,rule=strict': 0,
      'decided=deny,decision=deny,route=app,rule=strict': 3,
      'decided=allow,decision=failed,route=app,rule=strict': 0,
      'decided=deny,decision=failed,route=app,rule=strict': 0,
    })
  })
})
