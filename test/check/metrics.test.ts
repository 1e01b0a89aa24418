// The metrics of authz that need more than a running service: read from their parts.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FactMemory } from '../../src/authenticate/facts.ts'
import { KeySets } from '../../src/authenticate/token/key-sets.ts'
import { authzMetrics } from '../../src/check/metrics.ts'
import { CheckStatistics } from '../../src/check/statistics.ts'
import { GrantSeal } from '../../src/grant/seal.ts'
import { MetricsPage } from '../../src/runtime/metrics.ts'
import { FakeClock } from '../fakes/clock.ts'
import { readPrometheus } from '../fakes/exposition.ts'
import { grantOf, makeGrantKey } from '../fakes/grant.ts'
import { memoryLogger } from '../fakes/logger.ts'
import { seriesOf } from '../fakes/scraping.ts'
import { snapshotOf } from '../fakes/snapshot.ts'

const MINUTE = 60_000

const setUp = () => {
  const clock = new FakeClock()
  const seal = new GrantSeal([makeGrantKey()])
  const keySets = new KeySets(clock, memoryLogger().logger)
  let up = true
  const server = {
    authenticator: 'staff',
    kind: 'ldap',
    name: 'ldaps://a',
    isUp: () => up,
  } as const
  const value = { ...snapshotOf([]), seal, dependencies: [server] }
  const metrics = authzMetrics({
    checks: new CheckStatistics(),
    memory: new FactMemory(clock),
    keySets,
    current: () => ({ value }),
  })
  const page = new MetricsPage(metrics, clock)
  const read = async () => {
    clock.advance(1_000)
    return readPrometheus((await page.render()).body)
  }
  return { clock, seal, keySets, read, fail: () => (up = false) }
}

describe('the metrics of authz', () => {
  it('count grants that are sealed', async () => {
    const { seal, read } = setUp()
    assert.equal((await read()).get('countersign_grants_sealed_total'), 0)
    seal.seal(grantOf())
    seal.seal(grantOf())
    assert.equal((await read()).get('countersign_grants_sealed_total'), 2)
  })

  it('say of a server whether it is asked', async () => {
    const { read, fail } = setUp()
    const name = 'countersign_dependency_up{authenticator="staff",kind="ldap",server="ldaps://a"}'
    assert.equal((await read()).get(name), 1)
    fail()
    assert.equal((await read()).get(name), 0)
  })

  it('have each source of keys once, by its place alone', async () => {
    const { keySets, read } = setUp()
    const refresh = { least: MINUTE, most: MINUTE }
    const times = { refresh, coolDown: MINUTE, maxAge: MINUTE, timeout: 10 }
    for (const url of ['https://127.0.0.1:1/keys?secret=1', 'https://127.0.0.1:1/keys?secret=2']) {
      keySets.lend({ source: { kind: 'url', url }, times })
    }
    const series = await read()
    assert.equal(keySets.statuses().length, 1)
    keySets[Symbol.dispose]()
    assert.deepEqual(seriesOf(series, 'countersign_token_keys'), {
      'source=https://127.0.0.1:1/keys': 0,
    })
  })
})
