// How many requests one client may send to the issuer, at the real Envoy: beyond that 429, for that client on
// these paths alone.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { http1, valuesOf, type Answer, type HeaderLine } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import type { Site } from '../site.ts'
import { startLoginSite } from './login-site.ts'

const BURST = 5
const RATE = { source: { perSecond: 1, burst: BURST }, total: { perSecond: 1, burst: 2 * BURST } }
const MORE = 20

describe('the rate limits of the issuer', { skip: skipWithoutEnvoy() }, () => {
  let site: Site
  before(async () => {
    site = await startLoginSite({
      login: { authenticators: ['staff'] },
      edge: { rateLimits: { login: RATE, token: RATE, documents: RATE, device: RATE } },
    })
  })
  after(() => site[Symbol.asyncDispose]())

  const ask = async (
    path: string,
    from: string,
    headers: readonly HeaderLine[] = [],
  ): Promise<Answer> =>
    await http1({ ...site.target, serverName: 'id.example.org', from }, { path, headers })
  /** How many of a flood were let through, and how many more a slow machine may let through meanwhile. */
  const flood = async (
    path: string,
    from: string,
  ): Promise<{ readonly passed: number; readonly grown: number }> => {
    const started = performance.now()
    const answers = await Promise.all(Array.from({ length: MORE }, () => ask(path, from)))
    const passed = answers.filter(({ status }) => !isLimited(status)).length
    return { passed, grown: Math.ceil((performance.now() - started) / 1_000) }
  }
  const isLimited = (status: number): boolean => status === 429
  const limited = async (group: string): Promise<number> => {
    const name = `issuer_${group}.http_local_rate_limit.rate_limited`
    return Number(/: (\d+)/.exec(await site.envoy.admin(`/stats?filter=${name}`))?.[1] ?? 0)
  }

  it('answer 429 beyond the burst of a source, and count it', async () => {
    const { passed, grown } = await flood('/authorize', '127.0.0.11')
    assert.ok(passed >= BURST && passed <= BURST + grown, `${passed} of ${MORE}`)
    assert.equal(await limited('login'), MORE - passed)
  })

  it('are separate for each group of paths and each source', async () => {
    assert.ok(isLimited((await ask('/login/x', '127.0.0.11')).status))
    assert.ok(!isLimited((await ask('/authorize', '127.0.0.12')).status))
    assert.equal((await ask('/jwks', '127.0.0.11')).status, 200)
    assert.ok(!isLimited((await ask('/token', '127.0.0.11')).status))
    assert.ok(!isLimited((await ask('/device', '127.0.0.11')).status))
  })

  it('have a total that refused requests of a source do not use up', async () => {
    const started = performance.now()
    const floods = []
    for (const source of [21, 22, 23, 24]) {
      floods.push((await flood('/token', `127.0.0.${source}`)).passed)
    }
    const grown = Math.ceil((performance.now() - started) / 1_000)
    const [first = 0, second = 0] = floods
    // One of the total went to the test before.
    assert.ok(first >= BURST && second >= BURST - 1, `${floods.join()} of ${MORE} each`)
    const all = floods.reduce((sum, passed) => sum + passed, 0)
    assert.ok(all <= 2 * BURST + grown, `${floods.join()} of ${MORE} each`)
  })

  it('answer in the format of authz', async () => {
    await flood('/device', '127.0.0.31')
    const plain = await ask('/device', '127.0.0.31', [['Accept', 'text/html, application/json']])
    assert.equal(plain.status, 429)
    assert.deepEqual(valuesOf(plain, 'retry-after'), ['5'])
    assert.deepEqual(valuesOf(plain, 'content-type'), ['text/plain; charset=utf-8'])
    assert.equal(plain.body, '429 Too Many Requests\n\nToo many requests. Wait, then try again.\n')
    const json = await ask('/device', '127.0.0.31', [['Accept', 'application/json']])
    assert.deepEqual(valuesOf(json, 'content-type'), ['application/problem+json'])
    assert.deepEqual(JSON.parse(json.body), {
      title: 'Too Many Requests',
      status: 429,
      detail: 'Too many requests. Wait, then try again.',
    })
  })
})

describe('the rate limits of the issuer behind a proxy', { skip: skipWithoutEnvoy() }, () => {
  it('use the address that the proxy names, of IPv6 its /64', async () => {
    await using site = await startLoginSite({
      login: { authenticators: ['staff'] },
      listener: { trustedHops: 1 },
      edge: { rateLimits: { login: { ...RATE, total: { perSecond: 1_000, burst: 1_000 } } } },
    })
    const target = { ...site.target, serverName: 'id.example.org' }
    const ask = async (address: string): Promise<number> => {
      const headers = [['X-Forwarded-For', `198.51.100.9, ${address}`]] as const
      return (await http1(target, { path: '/authorize', headers })).status
    }
    const isFlooded = async (address: string): Promise<boolean> => {
      const statuses = await Promise.all(Array.from({ length: MORE }, () => ask(address)))
      return statuses.includes(429)
    }
    assert.ok(await isFlooded('203.0.113.1'))
    assert.notEqual(await ask('203.0.113.2'), 429)
    assert.ok(await isFlooded('2001:db8::1'))
    assert.notEqual(await ask('2001:db8:0:1::1'), 429)
    // A token or two may have come back meanwhile.
    const neighbours = Array.from({ length: MORE }, (_, index) => ask(`2001:db8::ff:${index + 2}`))
    assert.ok((await Promise.all(neighbours)).includes(429))
  })
})
