// Credentials in the query, through a whole check: never forwarded in any spelling, never written
// down, whichever authenticator decides.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Authenticator } from '../../src/authenticate/authenticator.ts'
import { check } from '../../src/check/check.ts'
import { describeDecision, MAX_PATH } from '../../src/check/record.ts'
import { CREDENTIAL_PARAMETERS } from '../../src/request/credential-parameters.ts'
import { cpuTime } from '../fakes/cpu-time.ts'
import { deny, type Decision } from '../../src/check/decision.ts'
import { credentialOf, fakeAuthenticator, PROVEN } from '../fakes/authenticator.ts'
import { attributesOf } from '../fakes/envoy.ts'
import { startService } from '../fakes/service.ts'
import { snapshotOf } from '../fakes/snapshot.ts'

const FOREVER = new AbortController().signal

const certificate = fakeAuthenticator('certificate', PROVEN, 'Fake', [{ kind: 'connection' }])
const keys = fakeAuthenticator(
  'keys',
  { outcome: 'authenticated', credential: credentialOf({ user: 'bot' }) },
  'Fake',
  [{ kind: 'query', name: 'api_key' }],
)

const decide = async (
  path: string,
  ...authenticators: readonly Authenticator[]
): Promise<Decision> =>
  await check(attributesOf({ path }), snapshotOf([{ authenticators }]), FOREVER)

describe('a query parameter with a credential', () => {
  it('is removed where its authenticator decides', async () => {
    const decision = await decide('/a?b=1&api_key=S&a', keys)
    assert.ok(decision.outcome === 'allow')
    assert.deepEqual(decision.credentials.setHeaders, [
      ['x-remote-user', 'bot'],
      [':path', '/a?b=1&a'],
    ])
  })

  it('is removed where another authenticator decides', async () => {
    const decision = await decide('/a?api_key=S', certificate, keys)
    assert.ok(decision.outcome === 'allow')
    assert.equal(decision.permit.identity.user, 'alice')
    assert.deepEqual(decision.credentials.setHeaders.at(-1), [':path', '/a'])
  })

  for (const query of ['%61pi_key=S', 'API_KEY=S', 'a=1;api_key=S', 'api_key=S&api.key=T']) {
    it(`is refused as ?${query}, also where another authenticator would decide`, async () => {
      for (const chain of [[keys], [certificate, keys], [keys, certificate]]) {
        const decision = await decide(`/a?${query}`, ...chain)
        assert.equal(decision.reason, 'credential-malformed')
      }
    })
  }

  it('is forwarded on a route without such an authenticator', async () => {
    const decision = await decide('/a?API_KEY=S&api_key=T', certificate)
    assert.ok(decision.outcome === 'allow')
    assert.ok(!decision.credentials.setHeaders.some(([name]) => name === ':path'))
  })
})

describe('the path in the audit log', () => {
  const pathOf = async (
    path: string,
    query: 'full' | 'names' | 'none',
    host = 'app.example.org',
  ): Promise<string | undefined> => {
    const match = { hosts: ['app.example.org'] }
    const value = snapshotOf([{ authenticators: [keys], match }], { query })
    await using service = await startService(() => ({ value, generation: 1 }))
    await service.client.check({ path, host })
    const [event] = service.audit.takeDecisions()
    return event?.path
  }

  it('has the whole query where configured, but no credential', async () => {
    assert.equal(await pathOf('/a?b=1&api_key=S&c', 'full'), '/a?b=1&api_key=[withheld]&c')
  })

  it('has no credential under another spelling of the name', async () => {
    assert.equal(await pathOf('/a?b=1&API%5FKEY=S', 'full'), '/a?b=1&API%5FKEY=[withheld]')
    assert.equal(await pathOf('/a?b=1;api_key=S', 'full'), '/a?b=[withheld]')
  })

  for (const name of CREDENTIAL_PARAMETERS) {
    it(`never has the value of ${name}`, async () => {
      const recorded = `/a?b=1&${name}=[withheld]&c`
      assert.equal(await pathOf(`/a?b=1&${name}=S&c`, 'full'), recorded)
      assert.equal(
        await pathOf(`/a?${name.toUpperCase()}%253DS`, 'full'),
        `/a?${name.toUpperCase()}=[withheld]`,
      )
    })
  }

  it('has no value whose "=" is percent-encoded', async () => {
    assert.equal(await pathOf('/a?b%3DS&c%253dS=T', 'names'), '/a?b=[withheld]&c=[withheld]')
  })

  it('has neither user nor password of the authority', async () => {
    const value = snapshotOf([{ authenticators: [keys] }])
    await using service = await startService(() => ({ value, generation: 1 }))
    await service.client.check({ host: 'alice:S@app.example.org' })
    assert.equal(service.audit.takeDecisions()[0]?.host, '[withheld]@app.example.org')
  })

  it('is cut to its limit, also with withheld values', async () => {
    for (const query of ['full', 'names'] as const) {
      const path = await pathOf(`/a?${'token=S&'.repeat(200)}`, query)
      assert.equal(path?.length, MAX_PATH)
    }
  })

  it('is made in linear time where the query has many parameters', () => {
    const snapshot = snapshotOf([{ authenticators: [keys] }], { query: 'full' })
    const batch = (path: string): number => {
      const attributes = attributesOf({ path })
      const before = cpuTime()
      for (let count = 0; count < 50; count++) {
        const basics = { id: 'd', generation: 1, duration: 0 }
        describeDecision(deny({ attributes }, 'no-route'), snapshot, basics)
      }
      return cpuTime() - before
    }
    // The least of several: garbage collection falls into some of them.
    const cost = (path: string): number =>
      Math.min(...Array.from({ length: 10 }, () => batch(path)))
    cost(`/a?${'&'.repeat(3_000)}`)
    const ratio = cost(`/a?${'&'.repeat(60_000)}`) / cost(`/a?${'&'.repeat(3_000)}`)
    assert.ok(ratio < 5, `${ratio}`)
  })

  it('has no credential of a request that is refused before it has a route', async () => {
    assert.equal(await pathOf('/a?api_key=S', 'full', 'other.example.org'), '/a?api_key=[withheld]')
    assert.equal(await pathOf('/a/../b?api_key=S', 'full'), '/a/../b?api_key=[withheld]')
  })

  it('has names only, or nothing, where configured', async () => {
    assert.equal(await pathOf('/a?b=1&api_key=S', 'names'), '/a?b=[withheld]&api_key=[withheld]')
    assert.equal(await pathOf('/a?b=1&api_key=S', 'none'), '/a')
  })
})
