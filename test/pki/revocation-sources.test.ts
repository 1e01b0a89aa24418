// What OCSP answers and CRLs outlive, and when they end.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CrlSource } from '../../src/pki/crl/crl.ts'
import { RevocationSources } from '../../src/pki/revocation-sources.ts'
import { context, element, sequence } from '../../src/x509/der.ts'
import type { Extension } from '../../src/x509/extensions.ts'
import { FakeClock } from '../fakes/clock.ts'
import { memoryLogger } from '../fakes/logger.ts'
import { startScriptedHttp } from '../servers/scripted-http.ts'
import { answer, Authority, crl, DAY, HOUR, MINUTE, NOW, single, wrap } from './revoking.ts'
import { statusOf } from '../authenticate/certificate/source-conformance.ts'
import { OPTIONS } from './ocsp/asking.ts'

const FETCHING = {
  ca: undefined,
  times: { refresh: { min: HOUR, max: HOUR }, coolDown: 5_000, timeout: 2_000 },
  maxBytes: 1_048_576,
}

const ca = new Authority()

const setUp = async () => {
  const body = {
    ocsp: answer([single(ca.issued())], { signer: ca }),
    crl: crl(ca, [], { nextUpdate: NOW + DAY }),
  }
  const server = await startScriptedHttp(({ path }) => ({
    body: path === '/ocsp' ? body.ocsp : body.crl,
  }))
  const clock = new FakeClock(NOW)
  const sources = new RevocationSources(clock, memoryLogger().logger)
  const url = new URL(`${server.origin}/ca.crl`)
  return {
    server,
    sources,
    url,
    ocsp: { ...OPTIONS, urls: [`${server.origin}/ocsp`] },
    crlSource: (options: Partial<ConstructorParameters<typeof CrlSource>[0]>) =>
      new CrlSource({ files: [], remote: [], grace: 0, skew: MINUTE, clock, ...options }),
    async [Symbol.asyncDispose]() {
      sources[Symbol.dispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

const pointingTo = (...urls: readonly string[]): readonly Extension[] => [
  {
    oid: '2.5.29.31',
    critical: false,
    value: sequence(
      ...urls.map((url) =>
        sequence(wrap(0, wrap(0, element(context(6, 'primitive'), Buffer.from(url))))),
      ),
    ),
  },
]

describe('sources of revocation over reloads', () => {
  it('are shared by equal options, and not by different ones', async () => {
    await using site = await setUp()
    const { sources, url, ocsp } = site
    const policy = { hosts: ['127.0.0.1'] }
    assert.equal(sources.ocsp({ ...ocsp }), sources.ocsp(ocsp))
    assert.notEqual(sources.ocsp({ ...ocsp, maxAge: 1 }), sources.ocsp(ocsp))
    assert.notEqual(sources.ocsp({ ...ocsp, responders: [ca.der] }), sources.ocsp(ocsp))
    assert.equal(sources.crl(new URL(url.href), { ...FETCHING }), sources.crl(url, FETCHING))
    const shorter = { ...FETCHING, times: { ...FETCHING.times, timeout: 1 } }
    assert.notEqual(sources.crl(url, shorter), sources.crl(url, FETCHING))
    const smaller = { ...FETCHING, maxBytes: 1_024 }
    assert.notEqual(sources.crl(url, smaller), sources.crl(url, FETCHING))
    assert.equal(sources.pointed({ ...policy }, FETCHING), sources.pointed(policy, FETCHING))
    assert.notEqual(sources.pointed({ hosts: [] }, FETCHING), sources.pointed(policy, FETCHING))
  })

  it('keep their answers while every server is down', async () => {
    await using site = await setUp()
    const { sources, url, ocsp } = site
    const acquired = [sources.ocsp(ocsp), sources.crl(url, FETCHING)] as const
    await statusOf(acquired[0], ca.issued())
    await acquired[1].current()
    await site.server.stop()
    sources.retain(new Set(acquired))
    assert.equal((await statusOf(sources.ocsp(ocsp), ca.issued())).outcome, 'good')
    const source = site.crlSource({ remote: [sources.crl(url, FETCHING)] })
    assert.equal((await statusOf(source, ca.issued())).outcome, 'good')
  })

  it('are replaced once no configuration uses them any more', async () => {
    await using site = await setUp()
    const { sources, url, ocsp } = site
    const before = [sources.ocsp(ocsp), sources.crl(url, FETCHING)] as const
    await before[1].current()
    sources.retain(new Set())
    assert.notEqual(sources.ocsp(ocsp), before[0])
    assert.notEqual(sources.crl(url, FETCHING), before[1])
  })
})

describe('the CRL distribution points of a certificate', () => {
  const outcomeOf = async (
    pointer: (origin: string) => readonly string[],
    hosts: readonly string[],
  ): Promise<readonly [string, number]> => {
    await using site = await setUp()
    const { placesOf } = site.sources.pointed({ hosts }, FETCHING)
    const issued = ca.issued({ extensions: pointingTo(...pointer(site.server.origin)) })
    const source = site.crlSource({ placesOf })
    const statuses = [await statusOf(source, issued), await statusOf(source, issued)]
    assert.equal(statuses[0]?.outcome, statuses[1]?.outcome)
    return [statuses[0]?.outcome ?? '', site.server.requests.length]
  }

  it('are fetched once, where their host is listed', async () => {
    assert.deepEqual(await outcomeOf((origin) => [`${origin}/a`], ['127.0.0.1']), ['good', 1])
  })

  it('are not fetched from this machine', async () => {
    assert.deepEqual(await outcomeOf((origin) => [`${origin}/a`], []), ['unavailable', 0])
    const named = (origin: string): readonly string[] => [origin.replace('127.0.0.1', 'localhost')]
    assert.deepEqual(await outcomeOf(named, []), ['unavailable', 0])
  })

  it('are fetched three at most', async () => {
    const many = (origin: string): readonly string[] =>
      Array.from({ length: 50 }, (_, index) => `${origin}/${index}`)
    assert.deepEqual(await outcomeOf(many, ['127.0.0.1']), ['good', 3])
  })
})
