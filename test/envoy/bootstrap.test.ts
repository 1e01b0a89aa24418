// The generated bootstrap as a document: the settings that all checks depend on, and that Envoy
// accepts it.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import type { Config } from '../../src/configuration/schema.ts'
import { envoyBootstrap, renderBootstrap } from '../../src/envoy/bootstrap.ts'
import { EXPRESSION_LIMIT } from '../../src/envoy/runtime.ts'
import { OVERRIDES, STRIPPED_NAMES, STRIPPED_PREFIXES } from '../../src/request/stripped-headers.ts'
import { skipWithoutEnvoy, validateBootstrap } from '../servers/envoy.ts'
import { createPki } from '../servers/pki.ts'
import { configOf, routesOf } from './edge.ts'
import { having, isRemovedEarly, type Parts, valuesOf } from './fields.ts'

const LISTENER = { address: '0.0.0.0:8443', certificate: 'edge.pem', key: 'edge.key' }
const MUTUAL = {
  address: '127.0.0.1:9001',
  tls: { certificate: 'authz.pem', key: 'file:authz.key', clientCa: 'ca.pem' },
}
const UPSTREAM = { address: '10.0.0.1:6443', ca: 'ca.pem' }

/** A configuration of one route `app`, with these parts of its `envoy` section. */
const configWith = (envoy: Parts = {}, parts: Parts = {}): Config =>
  configOf('/etc/countersign', {
    routes: routesOf([{ name: 'app' }]),
    envoy: { listener: LISTENER, upstreams: { app: UPSTREAM }, ...envoy },
    ...parts,
  })

const refusal = (message: RegExp): object => ({
  name: 'CountersignError',
  code: 'configuration-invalid',
  message,
})

describe('the bootstrap', () => {
  const bootstrap = envoyBootstrap(configWith())
  const cases: readonly {
    readonly name: string
    readonly field: string
    readonly want: unknown
  }[] = [
    { name: 'denies when authz does not answer', field: 'failure_mode_allow', want: false },
    { name: 'sends raw header lines to authz', field: 'encode_raw_headers', want: true },
    { name: 'validates the headers that authz sets', field: 'validate_mutations', want: true },
    { name: 'keeps the route that authz judged', field: 'clear_route_cache', want: false },
    { name: 'disables TLS session resumption to upstreams', field: 'max_session_keys', want: 0 },
    { name: 'normalizes the paths of requests', field: 'normalize_path', want: true },
    { name: 'merges adjacent slashes in paths', field: 'merge_slashes', want: true },
    {
      name: 'refuses encoded slashes',
      field: 'path_with_escaped_slashes_action',
      want: 'REJECT_REQUEST',
    },
    {
      name: 'refuses header names with underscores',
      field: 'headers_with_underscores_action',
      want: 'REJECT_REQUEST',
    },
    {
      name: 'forwards no X-Forwarded-Client-Cert',
      field: 'forward_client_cert_details',
      want: 'SANITIZE',
    },
    { name: 'uses the peer’s address', field: 'use_remote_address', want: true },
    {
      name: 'has a node, which on-demand certificates need',
      field: 'node',
      want: { id: 'countersign', cluster: 'countersign' },
    },
  ]
  for (const { name, field, want } of cases) {
    it(name, () => {
      const values = valuesOf(bootstrap, field)
      assert.ok(values.length > 0)
      for (const value of values) assert.deepEqual(value, want)
    })
  }

  it('treats no address as internal', () => {
    // A message without a range would make loopback and private addresses internal.
    const [internal] = valuesOf(bootstrap, 'internal_address_config')
    assert.deepEqual(valuesOf(internal, 'address_prefix'), ['0.0.0.0'])
  })

  it('has no route without ext_authz', () => {
    for (const host of having(bootstrap, 'domains')) {
      for (const route of having(host, 'match')) {
        assert.equal(valuesOf(route, 'countersign.route').length, 1)
      }
    }
    assert.deepEqual(valuesOf(bootstrap, 'disabled'), [])
  })

  it('removes early what authz may set, except headers that authz has to read', () => {
    for (const name of STRIPPED_NAMES) {
      const want = !['authorization', 'dpop'].includes(name)
      assert.equal(isRemovedEarly(bootstrap, name), want, name)
    }
    for (const prefix of STRIPPED_PREFIXES) {
      for (const name of [prefix, `${prefix}user`, `${prefix}extra-a.b%2fc`]) {
        assert.equal(isRemovedEarly(bootstrap, name), prefix !== 'impersonate-', name)
        assert.equal(isRemovedEarly(bootstrap, name.replace('-', '~')), prefix !== 'impersonate-')
      }
    }
    // RFC 9110 §5.6.2, in the place of every separator.
    for (const name of [...STRIPPED_NAMES, ...OVERRIDES, 'x-remote-user', 'x-forwarded-for']) {
      for (const { index } of name.matchAll(/-/g)) {
        for (const symbol of "!#$%&'*+.^_`|~".split('')) {
          const spelt = name.slice(0, index) + symbol + name.slice(index + 1)
          assert.ok(isRemovedEarly(bootstrap, spelt), spelt)
        }
      }
    }
    for (const name of ['x-api-key', 'x-my.header', 'accept', 'cookie', 'x-request-id']) {
      assert.ok(!isRemovedEarly(bootstrap, name), name)
    }
  })
})

describe('client certificates in the bootstrap', () => {
  it('are not requested without a CA', () => {
    const bootstrap = envoyBootstrap(configWith())
    assert.deepEqual(valuesOf(bootstrap, 'disable_stateless_session_resumption'), [])
  })

  it('are validated on every connection', () => {
    const listener = { ...LISTENER, clientCa: 'clients.pem' }
    const bootstrap = envoyBootstrap(configWith({ listener }))
    assert.deepEqual(valuesOf(bootstrap, 'disable_stateless_session_resumption'), [true])
    assert.deepEqual(valuesOf(bootstrap, 'disable_stateful_session_resumption'), [true])
  })
})

describe('the certificate expected of an upstream', () => {
  const cases: readonly {
    readonly name: string
    readonly upstream: Parts
    readonly want: Parts
  }[] = [
    {
      name: 'the host of its address',
      upstream: { address: 'kube.internal:6443' },
      want: { type: 'STRICT_DNS', sni: 'kube.internal', san: 'DNS', exact: 'kube.internal' },
    },
    {
      name: 'the server name, where the address is an IP address',
      upstream: { address: '10.0.0.1:6443', serverName: 'kubernetes' },
      want: { type: 'STATIC', sni: 'kubernetes', san: 'DNS', exact: 'kubernetes' },
    },
    {
      name: 'an IP address, which is never a server name',
      upstream: { address: '10.0.0.1:6443' },
      want: { type: 'STATIC', sni: undefined, san: 'IP_ADDRESS', exact: '10.0.0.1' },
    },
    {
      name: 'an IPv6 address in canonical form',
      upstream: { address: '[2001:DB8:0:0::1]:6443' },
      want: { type: 'STATIC', sni: undefined, san: 'IP_ADDRESS', exact: '2001:db8::1' },
    },
  ]
  for (const { name, upstream, want } of cases) {
    it(`has ${name}`, () => {
      const upstreams = { app: { ...UPSTREAM, ...upstream } }
      const bootstrap = envoyBootstrap(configWith({ upstreams }))
      const cluster = having(bootstrap, 'load_assignment').find((found) => found['name'] === 'app')
      const [type, sni, san, exact] = ['type', 'sni', 'san_type', 'exact'].map(
        (field) => valuesOf(cluster, field)[0],
      )
      assert.deepEqual({ type, sni, san, exact }, want)
    })
  }
})

describe('an incomplete configuration for the bootstrap', () => {
  it('has no envoy section', () => {
    const config = configOf('/etc/countersign', { routes: routesOf([{ name: 'app' }]) })
    assert.throws(() => envoyBootstrap(config), refusal(/no "envoy" section/))
  })

  it('has a route without an upstream', () => {
    const config = configWith()
    const [route] = config.routes
    assert.ok(route !== undefined)
    const broken = { ...config, routes: [{ ...route, upstream: 'nowhere' }] }
    assert.throws(() => envoyBootstrap(broken), refusal(/route "app" has no upstream/))
  })

  it('lets the system choose the port of authz', () => {
    const config = configWith({}, { listen: { authz: '127.0.0.1:0' } })
    assert.throws(() => envoyBootstrap(config), refusal(/authzAddress/))
  })

  it('has one half of mutual TLS with authz', () => {
    const authzTls = { certificate: 'envoy.pem', key: 'envoy.key', ca: 'ca.pem' }
    const config = configWith()
    const { envoy } = configWith({ authzTls }, { listen: { authz: MUTUAL } })
    assert.throws(() => envoyBootstrap({ ...config, envoy }), refusal(/listen\.authz has no tls/))
  })
})

describe('the printed bootstrap', () => {
  const config = configWith()

  it('is the bootstrap', () => {
    assert.deepEqual(parse(renderBootstrap(config)), envoyBootstrap(config))
  })

  it('has comments on its purpose and its settings', () => {
    const text = renderBootstrap(config)
    assert.match(text, /^# .*generated by `countersign envoy generate`/)
    assert.match(
      text,
      /# Without an answer of authz the request is refused\.\n +failure_mode_allow: false/,
    )
  })
})

describe('envoy --mode validate', { skip: skipWithoutEnvoy() }, () => {
  it('accepts a minimal configuration', async () => {
    await using pki = await createPki()
    const listener = { address: '0.0.0.0:8443', ...pki.edge }
    const upstreams = { app: { address: '10.0.0.1:6443', ca: pki.ca } }
    await validateBootstrap(renderBootstrap(configWith({ listener, upstreams })))
  })

  it('removes all headers of callers that have several spellings by one expression', () => {
    const bootstrap = envoyBootstrap(configWith())
    assert.equal(valuesOf(bootstrap, 'remove_on_match').length, 1)
    assert.deepEqual(valuesOf(bootstrap, 're2.max_program_size.error_level'), [EXPRESSION_LIMIT])
  })

  it('tries to reach authz until its timeout, and repeats no check that may have been decided', () => {
    const [service] = valuesOf(
      envoyBootstrap(configWith({ authzTimeout: '750ms' })),
      'grpc_service',
    )
    assert.deepEqual(valuesOf(service, 'retry_policy'), [
      {
        retry_on: 'connect-failure,refused-stream',
        num_retries: 20,
        // Envoy takes it for the time of one attempt, too.
        retry_back_off: { base_interval: '0.025s', max_interval: '0.75s' },
      },
    ])
  })

  it('accepts a complete configuration', async () => {
    await using pki = await createPki()
    const { certificate, key } = pki.frontProxy
    const envoy = {
      nodeId: 'edge-1',
      listener: {
        address: '[::]:8443',
        ...pki.edge,
        clientCa: pki.ca,
        trustedHops: 2,
        maxConnections: 500,
        streamIdleTimeout: '90m',
      },
      admin: '127.0.0.1:9901',
      authzTimeout: '750ms',
      authzAddress: 'authz.internal:9001',
      authzTls: { certificate, key, ca: pki.ca, serverName: 'authz' },
      maxHeapBytes: 268_435_456,
      upstreams: {
        app: { address: '[2001:db8::1]:6443', ca: pki.ca, certificate, key, maxConnections: 10 },
        other: {
          address: 'other.internal:443',
          ca: pki.ca,
          serverName: '10.0.0.9',
          connectTimeout: '1s',
        },
      },
    }
    const routes = routesOf([
      {
        name: 'app',
        match: { hosts: ['a.example.org', '*.example.org'], paths: ['/a b/ü/**', '/*.{js}'] },
      },
      {
        name: 'rest',
        match: { hosts: ['[::1]', '*'], paths: ['/**/x*y/**', '/**'] },
        upstream: 'other',
      },
    ])
    const config = configWith(envoy, { routes, listen: { authz: MUTUAL } })
    await validateBootstrap(renderBootstrap(config))
  })

  it('reports Envoy’s error for an invalid bootstrap', async () => {
    await assert.rejects(validateBootstrap('no_such_field: 1'), /no_such_field/)
  })
})
