// Requests that no Envoy sends. None of them may cost another stream anything.

import assert from 'node:assert/strict'
import { status } from '@grpc/grpc-js'
import { describe, it } from 'node:test'
import type { DeltaDiscoveryRequest } from '../../src/proto/generated/envoy/service/discovery/v3/DeltaDiscoveryRequest.ts'
import { SECRET_TYPE } from '../fakes/sds-client.ts'
import { startSds } from '../fakes/sds.ts'
import { until } from '../fakes/until.ts'
import { UNKNOWN } from '../fakes/secret-issuer.ts'

const LIMIT = { timeout: 300_000 }
const NAMES = Array.from({ length: 1_000 }, (_, index) => `name-${index}`)

describe('a stream is ended, and no other,', LIMIT, () => {
  const cases: readonly {
    name: string
    requests: readonly (DeltaDiscoveryRequest | Buffer)[]
    want: status
  }[] = [
    {
      name: 'for what is not protobuf',
      requests: [Buffer.from('1a05616c', 'hex')],
      want: status.INVALID_ARGUMENT,
    },
    {
      name: 'for a group that never ends',
      requests: [Buffer.alloc(100, 0x0b)],
      want: status.INVALID_ARGUMENT,
    },
    {
      name: 'for another type',
      requests: [
        {
          type_url: 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
          resource_names_subscribe: ['alice'],
        },
      ],
      want: status.INVALID_ARGUMENT,
    },
    {
      name: 'for no type at first',
      requests: [{ resource_names_subscribe: ['alice'] }],
      want: status.INVALID_ARGUMENT,
    },
    {
      name: 'for another type later',
      requests: [{ type_url: SECRET_TYPE }, { type_url: `${SECRET_TYPE}2` }],
      want: status.INVALID_ARGUMENT,
    },
    {
      name: 'for an empty message',
      requests: [Buffer.alloc(0)],
      want: status.INVALID_ARGUMENT,
    },
    {
      name: 'for a name too many',
      requests: [
        { type_url: SECRET_TYPE, resource_names_subscribe: NAMES },
        { type_url: SECRET_TYPE, resource_names_subscribe: ['one-more'] },
      ],
      want: status.RESOURCE_EXHAUSTED,
    },
    {
      name: 'for more names in one request than it may hold, though no certificate has such names',
      requests: [
        { type_url: SECRET_TYPE, resource_names_subscribe: NAMES.map((name) => `${name}*`) },
        { type_url: SECRET_TYPE, resource_names_subscribe: [...NAMES, 'one-more'] },
      ],
      want: status.RESOURCE_EXHAUSTED,
    },
    {
      name: 'for a huge message',
      requests: [{ type_url: SECRET_TYPE, resource_names_subscribe: ['x'.repeat(1_048_576)] }],
      want: status.RESOURCE_EXHAUSTED,
    },
  ]
  for (const { name, requests, want } of cases) {
    it(name, async () => {
      await using sds = await startSds()
      const bystander = sds.client.open()
      bystander.subscribe('bystander')
      await bystander.next()
      const stream = sds.client.open()
      for (const request of requests) stream.send(request)
      const drained = stream.drain()
      assert.equal((await stream.ended).code, want)
      await drained
      await until(() => sds.statistics().streams === 1)
      assert.equal(sds.statistics().names, 1)
      assert.ok(await bystander.isQuiet())
    })
  }
})

describe('a stream continues', LIMIT, () => {
  it('when names are full and some are exchanged for new ones', async () => {
    await using sds = await startSds()
    const stream = sds.client.open()
    stream.subscribe(...NAMES)
    for (const _ of NAMES) await stream.next()
    stream.send({
      type_url: SECRET_TYPE,
      resource_names_unsubscribe: ['name-1', 'name-2'],
      resource_names_subscribe: ['other-1', 'other-2'],
    })
    assert.equal((await stream.next()).secrets[0]?.name, 'other-1')
    assert.equal((await stream.next()).secrets[0]?.name, 'other-2')
    assert.equal(sds.statistics().names, 1_000)
  })

  it('when a name is too long to be one, and the issuer is not called', async () => {
    await using sds = await startSds()
    const [longest, longer] = ['x'.repeat(6_000), 'x'.repeat(6_001)]
    const stream = sds.client.open()
    stream.subscribe(longer)
    assert.deepEqual((await stream.next()).removed, [longer])
    assert.deepEqual(sds.issuer.requests, [])
    assert.equal(sds.statistics().names, 0)
    stream.subscribe(longest)
    assert.equal((await stream.next()).secrets[0]?.name, longest)
  })

  for (const name of ['', '*', 'ü\u0000\n', '\ud83d\ude00']) {
    it(`when a name is ${JSON.stringify(name)}, which is refused and not kept`, async () => {
      await using sds = await startSds()
      const stream = sds.client.open()
      stream.subscribe(name, 'alice')
      assert.deepEqual((await stream.next()).removed, [name])
      assert.equal((await stream.next()).secrets[0]?.name, 'alice')
      assert.deepEqual(sds.issuer.requests, ['alice'])
      assert.equal(sds.statistics().names, 1)
    })
  }

  for (const name of ['__proto__', 'constructor', 'toString']) {
    it(`when a name is ${JSON.stringify(name)}`, async () => {
      await using sds = await startSds()
      const stream = sds.client.open()
      stream.subscribe(name)
      assert.equal((await stream.next()).secrets[0]?.name, name)
      assert.deepEqual(sds.issuer.compared, [])
      assert.deepEqual(sds.issuer.requests, [name])
    })
  }

  it('when it begins with the end: an acknowledgement, a rejection, an unsubscription', async () => {
    await using sds = await startSds()
    const stream = sds.client.open()
    stream.acknowledge({ nonce: '1', secrets: [], removed: [] })
    stream.reject({ nonce: '1', secrets: [], removed: [] }, 'bad')
    stream.unsubscribe('alice')
    assert.ok(await stream.isQuiet())
    assert.deepEqual([sds.statistics().nacks, sds.statistics().errors], [0, 0])
  })

  it('when one request has the same name very often', async () => {
    await using sds = await startSds()
    const stream = sds.client.open()
    stream.subscribe(...Array.from({ length: 100_000 }, () => '*'))
    assert.deepEqual((await stream.next()).removed, ['*'])
    stream.subscribe(...Array.from({ length: 100_000 }, () => 'alice'))
    assert.equal((await stream.next()).secrets.length, 1)
    assert.ok(await stream.isQuiet())
  })

  it('through a storm of subscriptions and unsubscriptions', async () => {
    await using sds = await startSds()
    sds.issuer.answer = () => UNKNOWN
    const stream = sds.client.open()
    for (let round = 0; round < 500; round++) {
      stream.subscribe(...NAMES.slice(0, 20))
      stream.unsubscribe(...NAMES.slice(0, 20))
    }
    stream.subscribe('last')
    while ((await stream.next()).removed[0] !== 'last');
    assert.deepEqual(
      { streams: sds.statistics().streams, names: sds.statistics().names },
      { streams: 1, names: 0 },
    )
  })

  it('when its names are refused, of which none is kept', async () => {
    await using sds = await startSds()
    sds.issuer.answer = () => UNKNOWN
    const stream = sds.client.open()
    for (let round = 0; round < 5; round++) {
      stream.subscribe(...NAMES.map((name) => `${name}-${round}`))
      for (const _ of NAMES) await stream.next()
    }
    assert.equal(sds.statistics().names, 0)
    stream.subscribe('name-1-1')
    assert.deepEqual((await stream.next()).removed, ['name-1-1'], 'and each may be asked again')
    assert.equal(sds.statistics().refused, 5_001)
  })

  it('when all streams hold as many names as they may, and gets the next one later', async () => {
    await using sds = await startSds(5_000, 100)
    const [one, other] = [sds.client.open(), sds.client.open()]
    one.subscribe(...NAMES.slice(0, 100))
    for (let count = 0; count < 100; count++) await one.next()
    other.subscribe('name-0')
    assert.deepEqual((await other.next()).removed, ['name-0'])
    one.unsubscribe('name-99')
    await until(() => sds.statistics().names === 99)
    other.subscribe('name-0')
    assert.equal((await other.next()).secrets[0]?.name, 'name-0')
  })

  it('when all streams hold as many bytes of names as they may', async () => {
    await using sds = await startSds(5_000, 100)
    const stream = sds.client.open()
    const names = NAMES.slice(0, 100).map((name) => name.padEnd(6_000, '-'))
    stream.subscribe(...names)
    let refused = 0
    for (const _ of names) refused += (await stream.next()).removed.length
    assert.equal(sds.statistics().names, Math.floor((100 * 1_024) / 6_000))
    assert.equal(refused, 100 - sds.statistics().names)
  })
})

describe('an unknown method', LIMIT, () => {
  for (const method of ['StreamSecrets', 'FetchSecrets', 'deltasecrets', '']) {
    it(`is answered with UNIMPLEMENTED: ${method}`, async () => {
      await using sds = await startSds()
      const stream = sds.client.open(`/envoy.service.secret.v3.SecretDiscoveryService/${method}`)
      stream.subscribe('alice')
      assert.equal((await stream.ended).code, status.UNIMPLEMENTED)
      assert.deepEqual(sds.issuer.requests, [])
    })
  }
})
