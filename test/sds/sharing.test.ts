// One certificate for each name, however many streams ask, and for no longer than it is good.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Issuance } from '../../src/ca/issuer.ts'
import type { SdsStream } from '../fakes/sds-client.ts'
import { startSds, type FakeSds } from '../fakes/sds.ts'
import { until } from '../fakes/until.ts'
import { TTL, UNKNOWN } from '../fakes/secret-issuer.ts'

const LIMIT = { timeout: 300_000 }

const subscribed = (sds: FakeSds, name: string): SdsStream => {
  const stream = sds.client.open()
  stream.subscribe(name)
  return stream
}

describe('streams that ask for one name', LIMIT, () => {
  it('share the certificate while it is being made', async () => {
    await using sds = await startSds()
    const made = Promise.withResolvers<Issuance>()
    sds.issuer.answer = () => made.promise
    const streams = Array.from({ length: 20 }, () => subscribed(sds, 'alice'))
    await until(() => sds.statistics().names === 20)
    made.resolve(sds.issuer.certificate('alice'))
    const answers = await Promise.all(streams.map((stream) => stream.next()))
    assert.deepEqual(new Set(answers.map(({ secrets }) => secrets[0]?.key)).size, 1)
    assert.deepEqual(sds.issuer.requests, ['alice'])
  })

  it('share it while one of them holds it, with the time that is left', async () => {
    await using sds = await startSds()
    const first = subscribed(sds, 'alice')
    const { secrets } = await first.next()
    sds.clock.advance(TTL - 1)
    const later = await subscribed(sds, 'alice').next()
    assert.deepEqual(later.secrets, [{ ...secrets[0], ttl: 1 }])
    sds.clock.advance(1)
    const latest = await subscribed(sds, 'alice').next()
    assert.equal(latest.secrets[0]?.version, 'v2', 'its time is over')
    assert.equal(latest.secrets[0].ttl, TTL)
  })

  it('leave it for the next one, which counts as cached meanwhile', async () => {
    await using sds = await startSds()
    const stream = subscribed(sds, 'alice')
    await stream.next()
    assert.equal(sds.unheld().entries, 0)
    stream.unsubscribe('alice')
    await until(() => sds.unheld().entries === 1)
    const { bytes, maxBytes } = sds.unheld()
    assert.ok(bytes > 500 && bytes < maxBytes, String(bytes))
    await subscribed(sds, 'alice').next()
    assert.equal(sds.unheld().entries, 0)
    assert.deepEqual(sds.issuer.requests, ['alice'])
  })

  it('share a refusal, and the next one asks anew', async () => {
    await using sds = await startSds()
    const made = Promise.withResolvers<Issuance>()
    sds.issuer.answer = () => made.promise
    const streams = [subscribed(sds, 'alice'), subscribed(sds, 'alice')]
    await until(() => sds.statistics().names === 2)
    made.resolve(UNKNOWN)
    const answers = await Promise.all(streams.map((stream) => stream.next()))
    assert.deepEqual(
      answers.map(({ removed }) => removed),
      [['alice'], ['alice']],
    )
    sds.issuer.answer = (name) => sds.issuer.certificate(name)
    assert.equal((await subscribed(sds, 'alice').next()).secrets.length, 1)
  })

  it('get the same one after the last of them has left', async () => {
    await using sds = await startSds()
    const [first, second] = [subscribed(sds, 'alice'), subscribed(sds, 'alice')]
    await Promise.all([first.next(), second.next()])
    first.cancel()
    second.cancel()
    await until(() => sds.statistics().streams === 0)
    assert.equal((await subscribed(sds, 'alice').next()).secrets[0]?.version, 'v1')
    assert.deepEqual(sds.issuer.requests, ['alice'])
  })

  it('get another one when the time of the first is over', async () => {
    await using sds = await startSds()
    const stream = subscribed(sds, 'alice')
    await stream.next()
    stream.cancel()
    await until(() => sds.statistics().streams === 0)
    sds.clock.advance(TTL)
    assert.equal((await subscribed(sds, 'alice').next()).secrets[0]?.version, 'v2')
  })

  it('get another one when the first is no longer current', async () => {
    await using sds = await startSds()
    await subscribed(sds, 'alice').next()
    sds.issuer.current = () => false // another CA, or narrower limits
    assert.equal((await subscribed(sds, 'alice').next()).secrets[0]?.version, 'v2')
  })

  it('cost one certificate, however often they come and go', async () => {
    await using sds = await startSds()
    const stream = sds.client.open()
    for (let round = 0; round < 500; round++) {
      stream.subscribe('alice')
      stream.unsubscribe('alice')
    }
    stream.subscribe('last')
    while ((await stream.next()).secrets[0]?.name !== 'last');
    assert.deepEqual(sds.issuer.requests, ['alice', 'last'])
    assert.equal(sds.statistics().names, 1)
  })

  it('are kept within a bound of memory when no stream holds them', async () => {
    await using sds = await startSds()
    const chain = Buffer.alloc(1_048_576)
    sds.issuer.answer = (name) => ({ ...sds.issuer.certificate(name), certificateChain: chain })
    const stream = sds.client.open()
    const names = Array.from({ length: 40 }, (_, index) => `name-${index}`)
    for (const name of names) {
      stream.subscribe(name)
      await stream.next()
      stream.unsubscribe(name)
    }
    for (const name of [...names.slice(-10), ...names.slice(0, 10)]) {
      stream.subscribe(name)
      await stream.next()
    }
    assert.deepEqual(sds.issuer.requests.slice(40), names.slice(0, 10), 'the oldest are made again')
  })
})

describe('a stream that dies while its certificate is being made', LIMIT, () => {
  it('leaves it to those who ask before it is there', async () => {
    await using sds = await startSds()
    const made = Promise.withResolvers<Issuance>()
    sds.issuer.answer = () => made.promise
    const stream = subscribed(sds, 'alice')
    await until(() => sds.issuer.requests.length === 1)
    stream.cancel()
    await until(() => sds.statistics().streams === 0)
    const next = subscribed(sds, 'alice')
    await until(() => sds.statistics().names === 1)
    made.resolve(sds.issuer.certificate('alice'))
    assert.equal((await next.next()).secrets[0]?.version, 'v1')
    assert.deepEqual(sds.issuer.requests, ['alice'])
  })

  it('leaves it to those who ask when it is there', async () => {
    await using sds = await startSds()
    const made = Promise.withResolvers<Issuance>()
    sds.issuer.answer = () => made.promise
    const stream = subscribed(sds, 'alice')
    await until(() => sds.issuer.requests.length === 1)
    stream.cancel()
    await until(() => sds.statistics().streams === 0)
    made.resolve(sds.issuer.certificate('alice'))
    assert.equal((await subscribed(sds, 'alice').next()).secrets[0]?.version, 'v1')
    assert.deepEqual(sds.issuer.requests, ['alice'])
  })
})

describe('an issuer with a bug', LIMIT, () => {
  const bugs: readonly { name: string; answer: (name: string) => Issuance | Promise<Issuance> }[] =
    [
      {
        name: 'an issuer that throws',
        answer: () => {
          throw new Error('issuer broken')
        },
      },
      { name: 'an issuer that rejects', answer: () => Promise.reject(new Error('issuer broken')) },
      ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e300].map((ttl) => ({
        name: `that issues for ${ttl} ms`,
        answer: (name: string): Issuance => ({
          outcome: 'issued',
          certificateChain: Buffer.from(name),
          privateKey: Buffer.from(name),
          version: 'v1',
          ttl,
        }),
      })),
    ]
  for (const { name, answer } of bugs) {
    it(`${name} refuses, and no other stream is affected`, async () => {
      await using sds = await startSds()
      sds.issuer.answer = (request) => (request === 'alice' ? answer(request) : UNKNOWN)
      const stream = subscribed(sds, 'alice')
      assert.deepEqual((await stream.next()).removed, ['alice'])
      stream.subscribe('bob')
      assert.deepEqual((await stream.next()).removed, ['bob'])
      assert.deepEqual((await subscribed(sds, 'bob').next()).removed, ['bob'])
      assert.equal(sds.statistics().errors, 1)
      assert.equal(sds.statistics().issued, 0)
      assert.equal(sds.log.filter((line) => line.includes('issuer failed')).length, 1)
      assert.ok(sds.log.every((line) => !line.includes('alice')))
    })
  }
})
