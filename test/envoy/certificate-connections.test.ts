// The connections to an upstream that carry a certificate: how long they live, how many there may be,
// and what is spoken on them.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bootstrapOf, clusterIn, route, UPSTREAM } from './certificate-routes.ts'
import { having, valuesOf, type Parts } from './fields.ts'

/** Seconds of a protobuf duration. */
const seconds = (value: unknown): number => {
  const [, text] = /^(\d+(?:\.\d+)?)s$/.exec(String(value)) ?? []
  assert.ok(text !== undefined, String(value))
  return Number(text)
}

describe('a connection with a client certificate', () => {
  const LIFETIMES = [
    { lifetimes: ['1h'], shortest: 3_600 },
    { lifetimes: ['24h', '1h', '8h'], shortest: 3_600 },
    { lifetimes: ['1h', '10s'], shortest: 10 },
    { lifetimes: ['10s', '1h'], shortest: 10 },
    { lifetimes: ['10001ms'], shortest: 10 },
    { lifetimes: ['2m', '1m'], shortest: 60 },
    { lifetimes: ['365d'], shortest: 31_536_000 },
  ]
  for (const { lifetimes, shortest } of LIFETIMES) {
    it(`ends within half of the shortest of ${lifetimes.join(', ')}`, () => {
      const routes = lifetimes.map((lifetime, index) =>
        route(`r${index}`, lifetime, { upstream: 'app' }),
      )
      const cluster = clusterIn(bootstrapOf(routes), 'app:certificate')
      const [longest] = valuesOf(cluster, 'max_connection_duration').map(seconds)
      const [idle] = valuesOf(cluster, 'idle_timeout').map(seconds)
      assert.ok(longest !== undefined && idle !== undefined)
      // Opened at the end of the first half, it has the second half, less a drain and a late timer.
      assert.ok(longest < shortest / 2, `${longest} of ${shortest}`)
      assert.ok(longest >= shortest / 4)
      assert.ok(idle > 0 && idle <= 60 && idle < longest)
    })
  }

  it('depends on the routes of its own upstream only', () => {
    const upstreams = { app: UPSTREAM, other: UPSTREAM }
    const bootstrap = bootstrapOf([route('app', '1h'), route('other', '10s')], { upstreams })
    const bounds = ['app:certificate', 'other:certificate'].map(
      (name) => valuesOf(clusterIn(bootstrap, name), 'max_connection_duration')[0],
    )
    assert.deepEqual(bounds, ['1440s', '4s'])
  })

  it('may be one of many, since every identity has its own', () => {
    const limitsOf = (upstream: Parts, lifetime?: string): unknown => {
      const bootstrap = bootstrapOf([route('app', lifetime)], { upstreams: { app: upstream } })
      const name = lifetime === undefined ? 'app' : 'app:certificate'
      return valuesOf(clusterIn(bootstrap, name), 'max_connections')[0]
    }
    assert.equal(limitsOf(UPSTREAM), 1_024)
    assert.equal(limitsOf(UPSTREAM, '1h'), 16_384)
    assert.equal(limitsOf({ ...UPSTREAM, maxConnections: 5 }, '1h'), 5)
  })
})

describe('an upstream that speaks HTTP/2', () => {
  const upstreams = { app: { ...UPSTREAM, protocol: 'http2' } }

  for (const lifetime of [undefined, '1h']) {
    it(`is reached by HTTP/2${lifetime === undefined ? '' : ', with a certificate'}`, () => {
      const bootstrap = bootstrapOf([route('app', lifetime)], { upstreams })
      const cluster = clusterIn(bootstrap, lifetime === undefined ? 'app' : 'app:certificate')
      assert.deepEqual(valuesOf(cluster, 'alpn_protocols'), [['h2']])
      assert.deepEqual(valuesOf(cluster, 'explicit_http_config'), [{ http2_protocol_options: {} }])
      // Envoy could not carry SPDY there, while WebSocket has a form of its own (RFC 8441).
      assert.deepEqual(valuesOf(having(bootstrap, 'virtual_hosts')[0], 'upgrade_configs'), [
        [{ upgrade_type: 'SPDY/3.1', enabled: false }],
      ])
    })
  }

  it('different from the connections of other users', () => {
    const cluster = clusterIn(bootstrapOf([route('app', '1h')]), 'app:certificate')
    assert.deepEqual(valuesOf(cluster, 'alpn_protocols'), [['http/1.1']])
    assert.deepEqual(valuesOf(cluster, 'explicit_http_config'), [{ http_protocol_options: {} }])
  })
})
