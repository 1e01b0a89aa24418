// Requests to an OCSP responder over HTTP: which answers are kept, when the next request is sent, and the results
// of callers while it fails.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OcspSource } from '../../../src/pki/ocsp/ocsp.ts'
import { memoryLogger } from '../../fakes/logger.ts'
import { startScriptedHttp, type Script } from '../../servers/scripted-http.ts'
import { alice, ca, nonceIn, OPTIONS, says, setUp } from './asking.ts'
import { answer, Authority, HOUR, MINUTE, NOW, refusal, single } from '../revoking.ts'
import { sourceConformance, statusOf } from '../../authenticate/certificate/source-conformance.ts'

sourceConformance('OCSP', async () => {
  const revoked = ca.issued({ serial: 99 })
  const body = answer([single(alice), single(revoked, { status: 'revoked' })], { signer: ca })
  const site = await setUp(() => ({ body }))
  return {
    source: site.source,
    silent: new OcspSource(OPTIONS, { clock: site.clock, logger: memoryLogger().logger }),
    now: NOW,
    good: alice,
    revoked,
    stranger: new Authority('Other CA').issued(),
    impostor: new Authority().issued(),
    [Symbol.asyncDispose]: () => site[Symbol.asyncDispose](),
  }
})

describe('an OCSP request', () => {
  it('is a POST with a new nonce each time', async () => {
    await using site = await setUp(says({ status: 'unknown' }))
    await site.ask()
    site.clock.advance(OPTIONS.coolDown)
    await site.ask()
    const [first, second] = site.server.requests
    assert.ok(first !== undefined && second !== undefined)
    assert.equal(first.method, 'POST')
    assert.equal(first.headers['content-type'], 'application/ocsp-request')
    assert.equal(first.headers['content-length'], String(first.body.length))
    assert.notDeepEqual(nonceIn(first), nonceIn(second))
  })

  it('has no nonce where `nonce` is none', async () => {
    await using site = await setUp(says(), { nonce: 'none' })
    assert.equal(await site.ask(), 'good')
    assert.ok((site.server.requests[0]?.body.length ?? 0) < 100)
  })

  it('is answered with its nonce where that is required', async () => {
    const script: Script = (request) => ({
      body: answer([single(alice)], { signer: ca, nonce: nonceIn(request) }),
    })
    await using site = await setUp(script, { nonce: 'required' })
    assert.equal(await site.ask(), 'good')
  })

  it('is sent once for many callers that wait for it', async () => {
    await using site = await setUp(says())
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => site.ask()))
    assert.deepEqual(new Set(outcomes), new Set(['good']))
    assert.equal(site.server.requests.length, 1)
  })

  it('continues for the remaining callers when one has left', async () => {
    const { promise: held, resolve } = Promise.withResolvers<void>()
    await using site = await setUp(async (request) => {
      await held
      return await says()(request)
    })
    const gone = new AbortController()
    const first = site.source.status(alice, gone.signal)
    const second = site.ask()
    gone.abort()
    assert.equal((await first).outcome, 'unavailable')
    resolve()
    assert.equal(await second, 'good')
    assert.equal(site.server.requests.length, 1)
  })
})

describe('an OCSP answer', () => {
  it('is kept, and requested again after `maxAge`', async () => {
    await using site = await setUp(says({ nextUpdate: NOW + 10 * HOUR }))
    assert.equal(await site.ask(), 'good')
    site.clock.advance(HOUR - 1)
    assert.equal(await site.ask(), 'good')
    assert.equal(site.server.requests.length, 1)
    site.clock.advance(1)
    site.server.script = says({ status: 'revoked', nextUpdate: NOW + 10 * HOUR })
    assert.equal(await site.ask(), 'revoked')
    assert.equal(site.server.requests.length, 2)
  })

  it('is valid until the next request is due, or until its nextUpdate', async () => {
    await using site = await setUp(says({ nextUpdate: NOW + 10 * HOUR }))
    assert.deepEqual(await statusOf(site.source, alice), { outcome: 'good', until: NOW + HOUR })
    await using short = await setUp(says({ nextUpdate: NOW + 10 * MINUTE }))
    const until = NOW + 10 * MINUTE + OPTIONS.skew
    assert.deepEqual(await statusOf(short.source, alice), { outcome: 'good', until })
  })

  it('stays in use while the responder is down, until its nextUpdate', async () => {
    await using site = await setUp(says({ nextUpdate: NOW + 10 * HOUR }))
    await site.ask()
    await site.server.stop()
    site.clock.advance(9 * HOUR)
    const again = NOW + 9 * HOUR + OPTIONS.coolDown
    assert.deepEqual(await statusOf(site.source, alice), { outcome: 'good', until: again })
    site.clock.advance(HOUR + OPTIONS.skew)
    assert.equal(await site.ask(), 'unavailable')
  })

  it('of a revocation stays in use after its nextUpdate, while the responder is down', async () => {
    await using site = await setUp(says({ status: 'revoked' }))
    await site.ask()
    await site.server.stop()
    site.clock.advance(100 * HOUR)
    assert.equal(await site.ask(), 'revoked')
  })

  it('is not replaced by an older one', async () => {
    await using site = await setUp(says({ status: 'revoked' }))
    await site.ask()
    site.clock.advance(HOUR)
    site.server.script = says({ thisUpdate: NOW - 2 * MINUTE, nextUpdate: NOW + 10 * HOUR })
    assert.equal(await site.ask(), 'revoked')
    assert.match(site.lines.join(), /possibly a replay/)
  })

  it('of a revocation is not replaced by another status of the same second', async () => {
    await using site = await setUp(says({ status: 'revoked' }))
    await site.ask()
    for (const status of ['good', 'unknown'] as const) {
      site.clock.advance(HOUR)
      site.server.script = says({ status, nextUpdate: NOW + 10 * HOUR })
      assert.equal(await site.ask(), 'revoked')
    }
    site.clock.advance(HOUR)
    site.server.script = says({ thisUpdate: NOW + 2 * HOUR, nextUpdate: NOW + 10 * HOUR })
    assert.equal(await site.ask(), 'good') // a hold that was released
  })

  it('of status unknown is kept for `coolDown` only', async () => {
    await using site = await setUp(says({ status: 'unknown', nextUpdate: NOW + 10 * HOUR }))
    assert.equal(await site.ask(), 'unknown')
    site.server.script = says()
    assert.equal(await site.ask(), 'unknown')
    site.clock.advance(OPTIONS.coolDown)
    assert.equal(await site.ask(), 'good')
  })
})

describe('an OCSP responder that fails', () => {
  it('is queried again after `coolDown`', async () => {
    await using site = await setUp(() => ({ status: 500 }))
    assert.equal(await site.ask(), 'unavailable')
    site.server.script = says()
    assert.equal(await site.ask(), 'unavailable')
    assert.equal(site.server.requests.length, 1)
    site.clock.advance(OPTIONS.coolDown)
    assert.equal(await site.ask(), 'good')
  })

  it('is not queried for a while after failures for several certificates', async () => {
    await using site = await setUp(() => ({ status: 500 }))
    for (let serial = 1; serial <= 20; serial++) {
      assert.equal(await site.ask(ca.issued({ serial })), 'unavailable')
    }
    assert.equal(site.server.requests.length, 5)
    assert.match(site.lines.join(), /OCSP responder failed/)
  })

  it('hostile: is still queried after repeated failures for one certificate only', async () => {
    const odd = ca.issued({ serial: 666 })
    await using site = await setUp(() => ({ status: 500 }))
    for (let time = 0; time < 20; time++) {
      site.clock.advance(OPTIONS.coolDown)
      assert.equal(await site.ask(odd), 'unavailable')
    }
    assert.equal(site.server.requests.length, 20)
    site.server.script = says()
    assert.equal(await site.ask(), 'good')
  })

  it('is still queried after answers that prove nothing', async () => {
    await using site = await setUp(() => ({ body: refusal(6) }))
    for (let serial = 1; serial <= 20; serial++) {
      assert.equal(await site.ask(ca.issued({ serial })), 'unavailable')
    }
    assert.equal(site.server.requests.length, 20)
  })

  it('is waited for until the timeout only', async () => {
    await using site = await setUp(() => new Promise(() => {}), { timeout: 50 })
    assert.equal(await site.ask(), 'unavailable')
  })

  it('is followed by the next responder', async () => {
    await using second = await startScriptedHttp(says())
    await using site = await setUp(() => ({ status: 503 }))
    const urls = [`${site.server.origin}/`, `${second.origin}/`]
    const { logger } = memoryLogger()
    const source = new OcspSource({ ...OPTIONS, urls }, { clock: site.clock, logger })
    assert.equal((await statusOf(source, alice)).outcome, 'good')
    assert.deepEqual([site.server.requests.length, second.requests.length], [1, 1])
  })
})

describe('the log of OCSP requests', () => {
  it('says why there is no valid answer', async () => {
    await using site = await setUp(() => ({ body: refusal(3) }))
    await site.ask()
    assert.match(site.lines.join(), /"serial":"1000".*refuses: tryLater.*OCSP gives no answer/)
  })
})
