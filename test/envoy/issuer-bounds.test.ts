// What the generated Envoy bounds on the routes to the issuer, and on no other: bodies, time, rate, connections.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { envoyBootstrap } from '../../src/envoy/bootstrap.ts'
import { configOf, routesOf } from './edge.ts'
import { having, valuesOf, type Parts } from './fields.ts'

const BUFFER = 'envoy.filters.http.buffer'
const RATE_LIMIT = 'envoy.filters.http.local_ratelimit'

const bootstrapOf = (timeout: string, envoy: Parts = {}): object =>
  envoyBootstrap(
    configOf('/etc/countersign', {
      listen: { authz: 'unix:authz.sock', issuer: 'unix:issuer.sock' },
      issuer: {
        url: 'https://id.example.org',
        keys: 'signing-keys',
        login: { authenticators: ['push'] },
        clients: { cli: { grants: ['device_code'] } },
      },
      authenticators: {
        staff: { basic: { verify: [{ users: { file: 'users.yaml' } }] } },
        push: {
          basic: {
            verify: [{ radius: { servers: [{ host: 'radius', secret: 'file:s' }], timeout } }],
          },
        },
      },
      routes: routesOf([{ name: 'app', match: { hosts: ['*.example.org'] } }]),
      envoy: {
        listener: { address: '127.0.0.1:0', certificate: 'edge.pem', key: 'edge.key' },
        upstreams: { app: { address: '10.0.0.1:6443', ca: 'ca.pem' } },
        ...envoy,
      },
    }),
  )

/** The routes of a bootstrap that forward, by what they match. */
const routesIn = (bootstrap: object): ReadonlyMap<string, Parts> =>
  new Map(
    having(bootstrap, 'typed_per_filter_config')
      .filter((route) => valuesOf(route, 'cluster').length > 0)
      .toReversed() // of a path that several match, the first
      .map((route) => [Object.values(Object(route['match'])).join(), route]),
  )

const routeOf = (bootstrap: object, path: string): Parts => {
  const route = routesIn(bootstrap).get(path)
  assert.ok(route, path)
  return route
}

describe('what Envoy bounds on the routes to the issuer', () => {
  it('are bodies and rates, on each of them and on no other route', () => {
    const bootstrap = bootstrapOf('5s')
    for (const [path, route] of routesIn(bootstrap)) {
      const isIssuer = valuesOf(route, 'cluster')[0] === 'countersign:issuer'
      for (const filter of [BUFFER, RATE_LIMIT]) {
        assert.equal(valuesOf(route, filter).length, isIssuer ? 1 : 0, `${path} ${filter}`)
      }
      const fields = ['idle_timeout', 'max_stream_duration'].filter(
        (field) => valuesOf(route, field).length > 0,
      )
      assert.equal(fields.length, isIssuer ? 2 : 0, path)
    }
    const filters = having(bootstrap, 'http_filters').flatMap((manager) =>
      having(manager['http_filters'], 'name'),
    )
    assert.deepEqual(
      filters.filter(({ disabled }) => disabled === true).map(({ name }) => name),
      [RATE_LIMIT, BUFFER],
    )
  })

  it('are times as long as a login may take, and short where nobody is waited for', () => {
    const times = (path: string, timeout: string): readonly unknown[] => {
      const route = routeOf(bootstrapOf(timeout), path)
      return [
        valuesOf(route['route'], 'timeout')[0],
        valuesOf(route['route'], 'idle_timeout')[0],
        valuesOf(valuesOf(route['route'], 'max_stream_duration')[0], 'max_stream_duration')[0],
      ]
    }
    assert.deepEqual(times('/login', '5s'), ['15s', '16s', '25s'])
    assert.deepEqual(times('/login', '60s'), ['65s', '66s', '75s'])
    assert.deepEqual(times('/jwks', '60s'), ['5s', '6s', '15s'])
  })

  it('are connections: a thousand for logins, and others for the documents', () => {
    const bootstrap = bootstrapOf('5s')
    const cluster = having(bootstrap, 'circuit_breakers').find(
      ({ name }) => name === 'countersign:issuer',
    )
    assert.deepEqual(
      having(cluster, 'max_connections').map(({ priority, max_connections: most }) => [
        priority,
        most,
      ]),
      [
        [undefined, 1_024],
        ['HIGH', 64],
      ],
    )
    assert.deepEqual(valuesOf(routeOf(bootstrap, '/jwks'), 'priority'), ['HIGH'])
    assert.deepEqual(valuesOf(routeOf(bootstrap, '/token'), 'priority'), [])
  })

  it('are rates as configured, by the kind of path', () => {
    const rate = { source: { perSecond: 3, burst: 7 } }
    const bootstrap = bootstrapOf('5s', { rateLimits: { token: rate } })
    const bucketOf = (path: string): unknown =>
      valuesOf(
        having(routeOf(bootstrap, path), 'descriptors')[0]?.['descriptors'],
        'token_bucket',
      )[0]
    const configured = { max_tokens: 7, tokens_per_fill: 3, fill_interval: '1s' }
    for (const path of ['/token', '/introspect', '/revoke', '/userinfo', '/par']) {
      assert.deepEqual(bucketOf(path), configured, path)
    }
    for (const path of ['/login', '/authorize', '/account', '/logout', '/device', '/jwks']) {
      assert.notDeepEqual(bucketOf(path), configured, path)
    }
  })
})
