// Envoy's rejection of an answer, and its effect.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { SECRET_TYPE, type SdsStream } from '../fakes/sds-client.ts'
import { startSds } from '../fakes/sds.ts'

const LIMIT = { timeout: 300_000 }

const digest = (name: string): string =>
  createHash('sha256').update(name).digest('hex').slice(0, 16)

describe('a rejected answer', LIMIT, () => {
  it('is taken back, so that Envoy does not wait for a better one', async () => {
    await using sds = await startSds()
    const stream = sds.client.open()
    stream.subscribe('alice')
    const answer = await stream.next()
    stream.reject(answer, 'bad')
    const removal = await stream.next()
    assert.deepEqual(removal.removed, ['alice'])
    stream.reject(removal, 'this, too')
    assert.ok(await stream.isQuiet(), 'but only once')
    assert.equal(sds.statistics().nacks, 1)
  })

  it('is counted and logged, without the name', async () => {
    await using sds = await startSds()
    const stream = sds.client.open()
    stream.subscribe('sealed-grant')
    const answer = await stream.next()
    stream.reject(answer, `cannot load sealed-grant: ${'x'.repeat(10_000)}`)
    await stream.next()
    assert.equal(sds.statistics().nacks, 1)
    const [line, ...more] = sds.log.filter((text) => text.includes('rejected'))
    assert.ok(line !== undefined && more.length === 0)
    assert.ok(line.length < 1_000)
    assert.ok(line.includes(`"handle":"${digest('sealed-grant')}"`))
    assert.ok(line.includes(`cannot load ${digest('sealed-grant')}`))
    assert.ok(sds.log.every((text) => !text.includes('sealed-grant')))
  })

  it('is not handed out again', async () => {
    await using sds = await startSds()
    const stream = sds.client.open()
    stream.subscribe('alice')
    stream.reject(await stream.next(), 'bad')
    await stream.next()
    sds.clock.advance(1_000)
    stream.subscribe('alice')
    assert.equal((await stream.next()).secrets[0]?.version, 'v2')
    const other = sds.client.open()
    other.subscribe('alice')
    assert.equal((await other.next()).secrets[0]?.version, 'v2')
  })

  it('is the last one for its name, or nothing is done', async () => {
    await using sds = await startSds()
    const stream = sds.client.open()
    stream.subscribe('alice')
    const first = await stream.next()
    stream.subscribe('alice')
    const second = await stream.next()
    stream.reject(first, 'of an answer before the last')
    stream.acknowledge(second)
    stream.reject(second, 'after it was acknowledged')
    stream.reject({ ...second, nonce: 'never sent' }, 'never sent')
    stream.send({ type_url: SECRET_TYPE, error_detail: { code: 13, message: 'no nonce' } })
    assert.ok(await stream.isQuiet())
    assert.equal(sds.statistics().nacks, 0)
    assert.equal(sds.log.filter((line) => line.includes('nonce unknown')).length, 3)
  })

  it('counts once, however often it is rejected', async () => {
    await using sds = await startSds()
    const stream = sds.client.open()
    stream.subscribe('alice')
    const answer = await stream.next()
    for (let time = 0; time < 100; time++) stream.reject(answer, 'bad')
    assert.deepEqual((await stream.next()).removed, ['alice'])
    assert.ok(await stream.isQuiet())
    assert.equal(sds.statistics().nacks, 1)
  })

  it('of one stream is nothing to another, whose nonces are its own', async () => {
    await using sds = await startSds()
    const [one, other] = [sds.client.open(), sds.client.open()]
    one.subscribe('alice')
    other.subscribe('bob')
    await one.next()
    other.reject(await other.next(), 'bad')
    assert.deepEqual((await other.next()).removed, ['bob'])
    one.subscribe('alice')
    assert.equal((await one.next()).secrets[0]?.name, 'alice')
    assert.equal(sds.issuer.requests.filter((name) => name === 'alice').length, 1)
  })
})

describe('a name whose certificates Envoy rejects', LIMIT, () => {
  /** Asks once more, rejects what comes, and says whether it was a certificate. */
  const round = async (stream: SdsStream): Promise<boolean> => {
    stream.subscribe('alice')
    const answer = await stream.next()
    if (answer.secrets.length === 0) return false
    stream.reject(answer, 'bad')
    await stream.next() // it is taken back
    stream.unsubscribe('alice')
    return true
  }

  it('gets a handful of certificates, however often it is requested', async () => {
    await using sds = await startSds()
    const stream = sds.client.open()
    for (let time = 0; time < 1_000; time++) await round(stream)
    assert.deepEqual(sds.issuer.requests, ['alice'])
    assert.equal(sds.statistics().nacks, 1)
    const other = sds.client.open()
    other.subscribe('alice', 'bob')
    const answers = [await other.next(), await other.next()]
    assert.deepEqual(
      answers.map(({ removed, secrets }) => [removed[0], secrets[0]?.name]),
      [
        ['alice', undefined],
        [undefined, 'bob'],
      ],
    )
  })

  it('waits a second for the next one, then twice as long each time, at most a minute', async () => {
    await using sds = await startSds()
    const stream = sds.client.open()
    const waits: number[] = []
    for (let second = 0; second < 300; second++) {
      if (await round(stream)) waits.push(second)
      sds.clock.advance(1_000)
    }
    assert.deepEqual(waits, [0, 1, 3, 7, 15, 31, 63, 123, 183, 243])
  })

  it('starts anew when none was rejected for a minute', async () => {
    await using sds = await startSds()
    const stream = sds.client.open()
    assert.ok(await round(stream))
    sds.clock.advance(1_000)
    assert.ok(await round(stream))
    sds.clock.advance(2_000 + 60_000)
    assert.ok(await round(stream))
    sds.clock.advance(1_000)
    assert.ok(await round(stream))
  })

  it('is not paused for longer by a second rejection of the same certificate', async () => {
    await using sds = await startSds()
    const streams = Array.from({ length: 10 }, () => sds.client.open())
    for (const stream of streams) stream.subscribe('alice')
    const answers = await Promise.all(streams.map((stream) => stream.next()))
    for (const [index, stream] of streams.entries()) {
      stream.reject(answers[index] ?? assert.fail(), 'bad')
      await stream.next()
    }
    sds.clock.advance(1_000)
    const [first] = streams
    first?.subscribe('alice')
    assert.equal((await first?.next())?.secrets.length, 1)
  })
})
