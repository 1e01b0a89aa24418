// What one stream of Envoy's gets to see.

import assert from 'node:assert/strict'
import { status } from '@grpc/grpc-js'
import { describe, it } from 'node:test'
import type { Issuance } from '../../src/ca/issuer.ts'
import { SECRET_TYPE } from '../fakes/sds-client.ts'
import { startSds } from '../fakes/sds.ts'
import { until } from '../fakes/until.ts'
import { TTL, UNKNOWN } from '../fakes/secret-issuer.ts'

const LIMIT = { timeout: 300_000 }

describe('a stream', LIMIT, () => {
  it('gets the secret that it asks for', async () => {
    await using sds = await startSds()
    const stream = sds.client.open()
    stream.subscribe('alice')
    const answer = await stream.next()
    assert.notEqual(answer.nonce, '')
    assert.deepEqual(answer.removed, [])
    assert.deepEqual(answer.secrets, [
      {
        name: 'alice',
        version: 'v1',
        certificate: 'chain 1 of alice',
        key: 'key 1 of alice',
        ttl: TTL,
      },
    ])
    stream.acknowledge(answer)
    assert.ok(await stream.isQuiet())
  })

  it('gets one answer for each of several names, under nonces that differ', async () => {
    await using sds = await startSds()
    const stream = sds.client.open()
    stream.subscribe('alice', 'bob', 'alice')
    const answers = [await stream.next(), await stream.next()]
    assert.deepEqual(
      answers.flatMap(({ secrets }) => secrets.map(({ name }) => name)),
      ['alice', 'bob'],
    )
    assert.notEqual(answers[0]?.nonce, answers[1]?.nonce)
    assert.deepEqual(sds.issuer.requests, ['alice', 'bob'])
    assert.ok(await stream.isQuiet())
  })

  it('may leave the type out after its first request', async () => {
    await using sds = await startSds()
    const stream = sds.client.open()
    stream.subscribe('alice')
    await stream.next()
    stream.send({ resource_names_subscribe: ['bob'] })
    assert.equal((await stream.next()).secrets[0]?.name, 'bob')
  })

  it('learns that there is no such secret, and may ask again', async () => {
    await using sds = await startSds()
    sds.issuer.answer = () => UNKNOWN
    const stream = sds.client.open()
    stream.subscribe('nobody')
    const { removed, secrets } = await stream.next()
    assert.deepEqual({ removed, secrets }, { removed: ['nobody'], secrets: [] })
    sds.issuer.answer = (name) => sds.issuer.certificate(name)
    stream.subscribe('nobody')
    assert.equal((await stream.next()).secrets[0]?.name, 'nobody')
    const { issued, refused, errors } = sds.statistics()
    assert.deepEqual({ issued, refused, errors }, { issued: 1, refused: 1, errors: 0 })
  })

  it('is answered again when it asks again, with the same certificate', async () => {
    await using sds = await startSds()
    const stream = sds.client.open()
    stream.subscribe('alice')
    const first = await stream.next()
    stream.acknowledge(first)
    sds.clock.advance(1_500.5)
    stream.subscribe('alice')
    const second = await stream.next()
    assert.equal(second.secrets[0]?.version, 'v1')
    assert.equal(second.secrets[0].ttl, Math.floor(TTL - 1_500.5), 'what is left of its time')
    assert.notEqual(second.nonce, first.nonce)
  })

  it('gets nothing for names that it has dropped', async () => {
    await using sds = await startSds()
    const made = Promise.withResolvers<Issuance>()
    sds.issuer.answer = (name) => (name === 'alice' ? made.promise : UNKNOWN)
    const stream = sds.client.open()
    stream.subscribe('alice')
    await until(() => sds.statistics().names === 1)
    stream.unsubscribe('alice', 'never asked for')
    await until(() => sds.statistics().names === 0)
    made.resolve(sds.issuer.certificate('alice'))
    assert.ok(await stream.isQuiet())
  })

  it('gets one answer when it drops a name and asks again while it is being made', async () => {
    await using sds = await startSds()
    const made = Promise.withResolvers<Issuance>()
    sds.issuer.answer = (name) => (name === 'alice' ? made.promise : UNKNOWN)
    const stream = sds.client.open()
    stream.subscribe('alice')
    stream.unsubscribe('alice')
    stream.subscribe('alice')
    await until(() => sds.statistics().names === 1 && sds.issuer.requests.length === 1)
    stream.subscribe('alice')
    stream.subscribe('bob')
    assert.deepEqual((await stream.next()).removed, ['bob'])
    made.resolve(sds.issuer.certificate('alice'))
    assert.equal((await stream.next()).secrets[0]?.name, 'alice')
    assert.ok(await stream.isQuiet())
    assert.equal(sds.issuer.requests.filter((name) => name === 'alice').length, 1)
  })

  it('a stream that asks for nothing gets nothing, though it is the first request', async () => {
    await using sds = await startSds()
    const stream = sds.client.open()
    stream.send({ type_url: SECRET_TYPE })
    assert.ok(await stream.isQuiet())
    assert.deepEqual(
      sds.issuer.requests.filter((name) => !name.startsWith('marker')),
      [],
    )
  })

  it('learns that a wildcard is not a name', async () => {
    await using sds = await startSds()
    const stream = sds.client.open()
    stream.subscribe('*')
    assert.deepEqual((await stream.next()).removed, ['*'])
    assert.deepEqual(sds.issuer.requests, [])
    assert.equal(sds.statistics().names, 0)
  })

  it('learns that a name is malformed once that is recorded', async () => {
    await using sds = await startSds()
    const recorded = Promise.withResolvers<Issuance>()
    sds.issuer.recorded = recorded.promise
    const stream = sds.client.open()
    stream.subscribe('*')
    await until(() => sds.statistics().refused === 1)
    assert.ok(await stream.isQuiet())
    recorded.resolve(UNKNOWN)
    assert.deepEqual((await stream.next()).removed, ['*'])
  })

  it('ends well when Envoy has no further requests', async () => {
    await using sds = await startSds()
    const stream = sds.client.open()
    stream.subscribe('alice')
    await stream.next()
    stream.finish()
    await assert.rejects(stream.next())
    assert.equal((await stream.ended).code, status.OK)
    await until(() => sds.statistics().streams === 0)
    assert.equal(sds.statistics().names, 0)
  })
})

describe('a reconnected stream', LIMIT, () => {
  const reconnect = (versions: Readonly<Record<string, string>>, ...names: readonly string[]) => ({
    type_url: SECRET_TYPE,
    resource_names_subscribe: [...names],
    initial_resource_versions: { ...versions },
  })

  it('is not sent what it has, if that is current', async () => {
    await using sds = await startSds()
    sds.issuer.current = (name, version) => name === 'alice' && version === 'v7'
    const stream = sds.client.open()
    stream.send(reconnect({ alice: 'v7' }, 'alice'))
    assert.ok(await stream.isQuiet())
    assert.deepEqual(sds.issuer.compared, ['alice@v7'])
    assert.ok(!sds.issuer.requests.includes('alice'))
    stream.subscribe('alice')
    assert.equal((await stream.next()).secrets[0]?.name, 'alice', 'but when it asks again')
  })

  it('is sent what is not current, and what it does not have', async () => {
    await using sds = await startSds()
    sds.issuer.current = (_name, version) => version === 'v7'
    const stream = sds.client.open()
    stream.send(reconnect({ alice: 'v6', bob: 'v7' }, 'alice', 'bob', 'carol'))
    const answers = [await stream.next(), await stream.next()]
    assert.deepEqual(
      answers.map(({ secrets }) => secrets[0]?.name),
      ['alice', 'carol'],
    )
    assert.ok(await stream.isQuiet())
  })

  it('may tell versions in its first request only', async () => {
    await using sds = await startSds()
    sds.issuer.current = () => true
    const stream = sds.client.open()
    stream.subscribe('bob')
    await stream.next()
    stream.send(reconnect({ alice: 'v7' }, 'alice'))
    assert.equal((await stream.next()).secrets[0]?.name, 'alice')
    assert.deepEqual(sds.issuer.compared, [])
  })

  it('is not sent names that it has and does not ask for', async () => {
    await using sds = await startSds()
    const stream = sds.client.open()
    stream.send(reconnect({ alice: 'v7' }, 'bob'))
    assert.equal((await stream.next()).secrets[0]?.name, 'bob')
    assert.ok(await stream.isQuiet())
  })

  it('gets a new certificate when the comparison fails by a bug', async () => {
    await using sds = await startSds()
    sds.issuer.current = () => {
      throw new Error('comparison broken')
    }
    const stream = sds.client.open()
    stream.send(reconnect({ alice: 'v7' }, 'alice'))
    assert.equal((await stream.next()).secrets[0]?.name, 'alice')
    assert.equal(sds.statistics().errors, 1)
    assert.ok(sds.log.some((line) => line.includes('comparison broken')))
  })
})
