// CRLs that a server publishes: fetched before they are needed, used while the server is down, and replaced only
// by a later CRL that the same key has signed.

import assert from 'node:assert/strict'
import { describe, it, mock } from 'node:test'
import { CrlSource } from '../../../src/pki/crl/crl.ts'
import { CrlDocument } from '../../../src/pki/crl/document.ts'
import type { Issued } from '../../../src/pki/issued.ts'
import { RemoteCrl, type CrlRefresh } from '../../../src/pki/crl/remote.ts'
import { httpFetcher } from '../../../src/runtime/http/fetch.ts'
import { encodePem } from '../../../src/x509/pem.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { memoryLogger } from '../../fakes/logger.ts'
import { startScriptedHttp } from '../../servers/scripted-http.ts'
import { Authority, crl, DAY, HOUR, MINUTE, NOW } from '../revoking.ts'
import { statusOf } from '../../authenticate/certificate/source-conformance.ts'

const SECOND = 1_000

const TIMES: CrlRefresh = {
  refresh: { min: MINUTE, max: HOUR },
  coolDown: 10 * SECOND,
  timeout: 2 * SECOND,
}

const ca = new Authority()
const alice = ca.issued({ serial: 5 })

/** A server that publishes a CRL, and a clock that the test advances. */
const setUp = async (first: Buffer, times: Partial<CrlRefresh> = {}) => {
  const server = await startScriptedHttp(() => ({ body: first }))
  const clock = new FakeClock(NOW)
  const { logger, lines } = memoryLogger()
  const state: { timer?: { readonly run: () => void; readonly due: number } | undefined } = {}
  const remote = new RemoteCrl({
    url: new URL(`${server.origin}/ca.crl`),
    fetch: httpFetcher({}).fetch,
    times: { ...TIMES, ...times },
    maxBytes: 16_777_216,
    clock,
    logger,
    schedule: (run, delay) => {
      const timer = { run, due: clock.monotonic() + delay }
      state.timer = timer
      return {
        [Symbol.dispose]() {
          if (state.timer === timer) state.timer = undefined
        },
      }
    },
  })
  remote.start()
  const source = new CrlSource({ files: [], remote: [remote], grace: 0, skew: MINUTE, clock })
  /** Lets time pass to the next fetch, and waits for its end: the next timer. */
  const refreshed = async (): Promise<number> => {
    const { timer } = state
    assert.ok(timer !== undefined)
    const delay = timer.due - clock.monotonic()
    clock.advance(delay)
    timer.run()
    while (state.timer === timer || state.timer === undefined) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    return delay
  }
  return {
    server,
    clock,
    remote,
    source,
    state,
    lines,
    refreshed,
    publish: (body: Buffer): void => {
      server.script = () => ({ body })
    },
    ask: async (issued: Issued = alice): Promise<string> =>
      (await statusOf(source, issued)).outcome,
    async [Symbol.asyncDispose]() {
      remote[Symbol.dispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

describe('a published CRL', () => {
  it('is fetched once, while the first callers wait for it', async () => {
    await using site = await setUp(crl(ca, [{ serial: 5 }]))
    assert.deepEqual(await Promise.all([site.ask(), site.ask()]), ['revoked', 'revoked'])
    assert.equal(site.server.requests.length, 1)
  })

  it('is fetched again half-way to its nextUpdate, and no later than configured', async () => {
    await using site = await setUp(crl(ca, [], { nextUpdate: NOW + 30 * MINUTE }))
    assert.equal(await site.ask(), 'good')
    assert.equal(await site.refreshed(), 15 * MINUTE)
    site.publish(crl(ca, [], { nextUpdate: NOW + DAY, number: 8 }))
    await site.refreshed()
    assert.equal(await site.refreshed(), HOUR)
  })

  it('proves a status until the next fetch only', async () => {
    await using site = await setUp(crl(ca, [], { nextUpdate: NOW + DAY }))
    assert.deepEqual(await statusOf(site.source, alice), { outcome: 'good', until: NOW + HOUR })
  })

  it('revokes a certificate from the next fetch on', async () => {
    await using site = await setUp(crl(ca, []))
    assert.equal(await site.ask(), 'good')
    site.publish(crl(ca, [{ serial: 5 }], { thisUpdate: NOW, number: 8 }))
    await site.refreshed()
    assert.equal(await site.ask(), 'revoked')
  })

  it('stays in use while its server is down, until its nextUpdate', async () => {
    await using site = await setUp(crl(ca, [], { nextUpdate: NOW + HOUR }))
    assert.equal(await site.ask(), 'good')
    await site.server.stop()
    await site.refreshed()
    assert.equal(await site.ask(), 'good')
    assert.equal(await site.refreshed(), TIMES.coolDown)
    assert.match(site.lines.join(), /"held":true.*CRL cannot be fetched/)
    site.clock.advance(HOUR + MINUTE)
    assert.equal(await site.ask(), 'unavailable')
  })

  it('still revokes after its nextUpdate, while its server is down', async () => {
    await using site = await setUp(crl(ca, [{ serial: 5 }]))
    assert.equal(await site.ask(), 'revoked')
    await site.server.stop()
    await site.refreshed()
    site.clock.advance(100 * DAY)
    assert.equal(await site.ask(), 'revoked')
  })

  it('is not fetched again for each caller after a failed fetch', async () => {
    await using site = await setUp(Buffer.from('nothing'))
    assert.equal(await site.ask(), 'unavailable')
    assert.equal(await site.ask(), 'unavailable')
    assert.equal(site.server.requests.length, 1)
    site.publish(crl(ca, []))
    site.clock.advance(TIMES.coolDown)
    assert.equal(await site.ask(), 'good')
  })

  it('may be PEM', async () => {
    const pem = encodePem('X509 CRL', crl(ca, [{ serial: 5 }]))
    await using site = await setUp(Buffer.from(pem))
    assert.equal(await site.ask(), 'revoked')
  })

  it('is not parsed again where it has not changed', async () => {
    await using site = await setUp(crl(ca, [], { nextUpdate: NOW + DAY }))
    const before = await site.remote.current()
    await site.refreshed()
    assert.equal((await site.remote.current()).documents, before.documents)
  })

  it('is no longer fetched after it is disposed of', async () => {
    await using site = await setUp(crl(ca, []))
    await site.ask()
    site.remote[Symbol.dispose]()
    assert.equal(site.state.timer, undefined)
  })
})

describe('an attacker who answers in place of the CRL server', () => {
  const revoking = crl(ca, [{ serial: 5 }], { nextUpdate: NOW + 10 * DAY })
  const impostor = new Authority()
  const cases: readonly { readonly name: string; readonly body: Buffer }[] = [
    { name: 'an HTML page', body: Buffer.from('<html>maintenance</html>') },
    {
      name: 'a CRL of the same name signed with another key',
      body: crl(impostor, [], { number: 99 }),
    },
    { name: 'a CRL of another issuer', body: crl(new Authority('Other CA'), []) },
    {
      name: 'an older CRL of the same key',
      body: crl(ca, [], { thisUpdate: NOW - DAY, number: 6 }),
    },
    { name: 'a delta CRL of the same key', body: crl(ca, [], { base: 7, number: 8 }) },
    { name: 'a truncated CRL', body: revoking.subarray(0, 100) },
  ]
  for (const { name, body } of cases) {
    it(`cannot undo a revocation by ${name}`, async () => {
      await using site = await setUp(revoking)
      assert.equal(await site.ask(), 'revoked')
      site.publish(body)
      await site.refreshed()
      await site.refreshed()
      assert.equal(await site.ask(), 'revoked')
    })
  }

  it('cannot make a good certificate unavailable by a CRL signed with another key', async () => {
    await using site = await setUp(crl(ca, [], { nextUpdate: NOW + 10 * DAY }))
    assert.equal(await site.ask(), 'good')
    site.publish(crl(impostor, []))
    await site.refreshed()
    assert.equal(await site.ask(), 'good')
    assert.match(site.lines.join(), /stays in use/)
  })

  it('cannot have a CRL accepted with status 404', async () => {
    await using site = await setUp(Buffer.alloc(0))
    site.server.script = () => ({ status: 404, body: crl(ca, []) })
    site.clock.advance(TIMES.coolDown)
    assert.equal(await site.ask(), 'unavailable')
  })

  it('cannot have a CRL of 17 MB read', async () => {
    await using site = await setUp(Buffer.alloc(17_000_000), { timeout: MINUTE })
    assert.equal(await site.ask(), 'unavailable')
    assert.match(site.lines.join(), /more than 16777216 bytes, the limit \(crl\.maxBytes\)/)
  })

  it('cannot have two CRLs in one PEM document accepted', async () => {
    const held = crl(ca, [{ serial: 5 }], { nextUpdate: NOW + 10 * DAY })
    await using site = await setUp(held)
    assert.equal(await site.ask(), 'revoked')
    const newer = crl(ca, [], { thisUpdate: NOW, number: 8 })
    site.publish(Buffer.from(encodePem('X509 CRL', newer).repeat(2)))
    await site.refreshed()
    assert.equal(await site.ask(), 'revoked')
    assert.match(site.lines.join(), /more than 1 CRL in PEM.*CRL cannot be fetched/)
  })

  it('causes at most 4 signature verifications a fetch, and undoes no revocation', async () => {
    // One name, many keys, and a CRL of each: more than an issuer that changes its key has.
    const authorities = Array.from({ length: 5 }, () => new Authority())
    const issued = authorities.map((authority) => authority.issued({ serial: 5 }))
    await using site = await setUp(Buffer.alloc(0))
    assert.equal(await site.ask(), 'unavailable')
    for (const [index, authority] of authorities.entries()) {
      site.publish(crl(authority, [{ serial: 5 }], { nextUpdate: NOW + 10 * DAY }))
      await site.refreshed()
      const one = issued[index]
      assert.ok(one !== undefined)
      assert.equal(await site.ask(one), 'revoked')
    }
    const verifications = mock.method(CrlDocument.prototype, 'entriesBy')
    try {
      site.publish(crl(new Authority(), [], { number: 8 }))
      await site.refreshed()
      assert.equal(verifications.mock.callCount(), 4)
    } finally {
      verifications.mock.restore()
    }
    const newest = issued.at(-1)
    assert.ok(newest !== undefined)
    assert.equal(await site.ask(newest), 'revoked')
  })

  it('cannot redirect the fetch to another server', async () => {
    await using elsewhere = await startScriptedHttp(() => ({ body: crl(ca, []) }))
    await using site = await setUp(Buffer.alloc(0))
    site.server.script = () => ({ status: 301, headers: { location: elsewhere.origin } })
    site.clock.advance(TIMES.coolDown)
    assert.equal(await site.ask(), 'unavailable')
    assert.equal(elsewhere.requests.length, 0)
  })
})
