// What the generated Envoy bounds on the routes to the issuer, and on no other: bodies, time, rate, connections.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { envoyBootstrap } from '../../src/envoy/bootstrap.ts'
import { configOf, routesOf } from './edge.ts'
import { having, valuesOf, type Parts } from './fields.ts'

const BUFFER = 'envoy.filters.http.buffer'
const RATE_LIMIT = 'envoy.filters.http.local_ratelimit'

/** The memory of a stream in Envoy without its body (measured, 1.40). */
const STREAM_BYTES = 22_000

const bucketSchema = z.object({ max_tokens: z.number(), tokens_per_fill: z.number() })

const bootstrapOf = (timeout: string, envoy: Parts = {}): object =>
  envoyBootstrap(
    configOf('/etc/countersign', {
      listen: { authz: 'unix:authz.sock', issuer: 'unix:issuer.sock' },
      issuer: {
        url: 'https://id.example.org',
        keys: 'signing-keys',
        login: { authenticators: ['push'] },
        clients: { cli: { grantTypes: ['device_code'] } },
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

/** The routes of a bootstrap that forward, in order. */
const routesIn = (bootstrap: object): readonly Parts[] =>
  having(bootstrap, 'typed_per_filter_config').filter(
    (route) => valuesOf(route, 'cluster').length > 0,
  )

/** The first to the issuer that takes a path. */
const routeOf = (bootstrap: object, path: string): Parts => {
  const issuer = routesIn(bootstrap).filter(({ name }) => name === 'issuer')
  const route = issuer.find(({ match }) => {
    const { path: exact, prefix = '-', safe_regex: pattern } = matchSchema.parse(match)
    if (exact === path || path.startsWith(prefix)) return true
    return pattern !== undefined && new RegExp(`^(?:${pattern.regex})$`).test(path)
  })
  assert.ok(route, path)
  return route
}

const matchSchema = z.object({
  path: z.string().optional(),
  prefix: z.string().optional(),
  safe_regex: z.object({ regex: z.string() }).optional(),
})

describe('what Envoy bounds on the routes to the issuer', () => {
  it('are bodies and rates, on each of them and on no other route', () => {
    const bootstrap = bootstrapOf('5s')
    for (const route of routesIn(bootstrap)) {
      const isIssuer = valuesOf(route, 'cluster')[0] === 'countersign:issuer'
      const readsBody = isIssuer && valuesOf(route, 'priority').length === 0
      const what = JSON.stringify(route['match'])
      assert.equal(valuesOf(route, RATE_LIMIT).length, isIssuer ? 1 : 0, what)
      assert.equal(valuesOf(route, BUFFER).length, readsBody ? 1 : 0, what)
      const fields = ['idle_timeout', 'max_stream_duration'].filter(
        (field) => valuesOf(route, field).length > 0,
      )
      assert.equal(fields.length, isIssuer ? 2 : 0, what)
    }
    const filters = having(bootstrap, 'http_filters').flatMap((manager) =>
      having(manager['http_filters'], 'name'),
    )
    assert.deepEqual(
      filters.filter(({ disabled }) => disabled === true).map(({ name }) => name),
      [RATE_LIMIT, BUFFER],
    )
  })

  it('are timeouts that allow a login, and short ones for other requests', () => {
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

  it('are 1,000 connections for logins, and separate ones for documents', () => {
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

  it('is memory: all requests that never end hold less than half of the heap', () => {
    const bootstrap = bootstrapOf('5s')
    const held = ['/login', '/token', '/device'].map((path) => {
      const route = routeOf(bootstrap, path)
      const limit = bucketSchema.parse(having(route, 'token_bucket')[0]?.['token_bucket'])
      const [end] = valuesOf(valuesOf(route, 'max_stream_duration')[0], 'max_stream_duration')
      const [most] = valuesOf(route, 'max_request_bytes')
      const streams = limit.max_tokens + limit.tokens_per_fill * Number.parseInt(String(end), 10)
      return streams * (Number(most) + STREAM_BYTES)
    })
    const [heap] = valuesOf(bootstrap, 'max_heap_size_bytes')
    const sum = held.reduce((total, bytes) => total + bytes, 0)
    assert.ok(sum < Number(heap) / 2, `${sum}`)
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
