// The bootstrap where routes forward a certificate of the caller's own: every setting that keeps one
// caller from another's certificate, none of it where no route asks for it, and that Envoy takes it.
// How long connections live is in certificate-connections.test.ts.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { envoyBootstrap, renderBootstrap } from '../../src/envoy/bootstrap.ts'
import { skipWithoutEnvoy, validateBootstrap } from '../servers/envoy.ts'
import { createPki } from '../servers/pki.ts'
import {
  bootstrapOf,
  clusterIn,
  clustersIn,
  configWith,
  route,
  UPSTREAM,
} from './certificate-routes.ts'
import { having, valuesOf, type Parts } from './fields.ts'

const SELECTOR = 'custom_tls_certificate_selector'

describe('a route with a client certificate, in the bootstrap,', () => {
  const bootstrap = bootstrapOf([route('app', '1h')])

  it('goes through ext_authz, Lua, set_filter_state and the router, in that order', () => {
    const [filters] = valuesOf(bootstrap, 'http_filters')
    assert.ok(Array.isArray(filters))
    assert.deepEqual(
      filters.map((filter: Parts) => filter['name']),
      [
        'envoy.filters.http.ext_authz',
        'envoy.filters.http.lua',
        'envoy.filters.http.set_filter_state',
        'envoy.filters.http.router',
      ],
    )
  })

  it('passes the handle from authz to the connection, which it distinguishes', () => {
    const [state, ...more] = valuesOf(bootstrap, 'on_request_headers')
    assert.equal(more.length, 0)
    assert.deepEqual(state, [
      {
        object_key: 'envoy.tls.certificate_mappers.on_demand_secret',
        factory_key: 'envoy.hashable_string',
        shared_with_upstream: 'ONCE',
        skip_if_empty: true,
        format_string: {
          omit_empty_values: true,
          text_format_source: {
            inline_string: '%DYNAMIC_METADATA(envoy.filters.http.ext_authz:upstream_secret)%',
          },
        },
      },
    ])
  })

  it('uses a cluster that requests its certificate by that handle, and has no other', () => {
    const cluster = clusterIn(bootstrap, 'app:certificate')
    const [selector] = valuesOf(cluster, SELECTOR)
    assert.deepEqual(valuesOf(selector, 'name'), [
      'envoy.tls.certificate_selectors.on_demand_secret',
      'envoy.tls.upstream_certificate_mappers.filter_state_override',
    ])
    assert.deepEqual(valuesOf(selector, 'api_type'), ['DELTA_GRPC'])
    assert.deepEqual(valuesOf(selector, 'cluster_name'), ['countersign:signer'])
    assert.deepEqual(valuesOf(cluster, 'tls_certificates'), [])
    assert.deepEqual(valuesOf(cluster, 'max_session_keys'), [0])
    assert.deepEqual(valuesOf(cluster, 'trusted_ca').length, 1)
  })

  it('requests a name that no signer has where there is no handle', () => {
    // That of the selector of certificates is a text.
    const [name] = valuesOf(bootstrap, 'default_value').filter((value) => typeof value === 'string')
    // Base64url has no dot, so this cannot be a handle.
    assert.match(String(name), /\./)
  })

  it('has a certificate in that cluster only', () => {
    assert.deepEqual(
      clustersIn(bootstrap).map(({ name }) => name),
      ['countersign:authz', 'countersign:signer', 'app:certificate'],
    )
    const targets = having(bootstrap, 'timeout').flatMap((found) => found['cluster'] ?? [])
    assert.deepEqual(new Set(targets), new Set(['app:certificate']))
  })

  it('is not retried when the signer fails, since the retry would call it again', () => {
    const [{ route_config: routes } = {}] = having(bootstrap, 'route_config')
    assert.deepEqual(valuesOf(routes, 'retry_policy'), [])
  })

  it('uses the back-off for a restarted signer', () => {
    const [selector] = valuesOf(bootstrap, SELECTOR)
    assert.deepEqual(valuesOf(selector, 'retry_back_off'), [
      { base_interval: '0.1s', max_interval: '2s' },
    ])
  })

  it('has comments on its settings', () => {
    const text = renderBootstrap(configWith([route('app', '1h')]))
    for (const field of [
      'on_request_headers',
      'max_connection_duration',
      SELECTOR,
      'certificate_mapper',
      'stats_config',
    ]) {
      assert.match(text, new RegExp(String.raw`# .+\n *(- )?${field}:`), field)
    }
  })
})

describe('the signer in the bootstrap', () => {
  const bootstrap = bootstrapOf([route('app', '1h')])
  const signer = clusterIn(bootstrap, 'countersign:signer')

  it('is called over its UNIX socket', () => {
    assert.deepEqual(valuesOf(signer, 'pipe'), [{ path: '/run/signer.sock' }])
    assert.equal(signer['type'], 'STATIC')
    assert.equal(signer['transport_socket'], undefined)
  })

  it('has no limit of concurrent requests, since each identity has its own stream', () => {
    const most = 1_000_000
    assert.deepEqual(valuesOf(signer, 'thresholds'), [
      [{ max_connections: most, max_pending_requests: most, max_requests: most }],
    ])
  })

  it('has keepalive, which detects that it hangs', () => {
    assert.deepEqual(valuesOf(signer, 'connection_keepalive'), [{ interval: '30s', timeout: '5s' }])
  })

  it('needs its address', () => {
    const config = configWith([route('app', '1h')])
    assert.ok(config.envoy !== undefined)
    const { signerAddress, ...envoy } = config.envoy
    assert.ok(signerAddress !== undefined)
    assert.throws(() => envoyBootstrap({ ...config, envoy }), {
      code: 'configuration-invalid',
      message: /set envoy\.signerAddress/,
    })
  })
})

describe('the statistics of Envoy', () => {
  it('exclude the names of secrets only', () => {
    const bootstrap = bootstrapOf([route('app', '1h')])
    assert.deepEqual(valuesOf(bootstrap, 'stats_matcher'), [
      {
        exclusion_list: {
          patterns: [{ prefix: 'sds.' }, { contains: '.on_demand_secret.ssl.certificate.' }],
        },
      },
    ])
  })
})

describe('an upstream of routes with and without a certificate', () => {
  const shared = { upstream: 'app' }
  const bootstrap = bootstrapOf([
    route('plain', undefined, shared),
    route('own', '1h', shared),
    route('also', '10m', shared),
  ])

  it('has a cluster for each kind', () => {
    assert.deepEqual(
      clustersIn(bootstrap).map(({ name }) => name),
      ['countersign:authz', 'countersign:signer', 'app', 'app:certificate'],
    )
  })

  it('is presented Envoy’s certificate in one, and the caller’s in the other', () => {
    const plain = clusterIn(bootstrap, 'app')
    assert.deepEqual(valuesOf(plain, 'tls_certificates'), [
      [
        {
          certificate_chain: { filename: '/etc/countersign/front-proxy.pem' },
          private_key: { filename: '/etc/countersign/front-proxy.key' },
        },
      ],
    ])
    assert.deepEqual(valuesOf(plain, SELECTOR), [])
    assert.deepEqual(valuesOf(clusterIn(bootstrap, 'app:certificate'), 'tls_certificates'), [])
  })

  it('is the same server by the same name for both', () => {
    for (const field of ['endpoint', 'validation_context', 'tls_params', 'alpn_protocols']) {
      assert.deepEqual(
        valuesOf(clusterIn(bootstrap, 'app'), field),
        valuesOf(clusterIn(bootstrap, 'app:certificate'), field),
        field,
      )
    }
  })

  it('gets each route’s requests from the cluster of its kind', () => {
    const routes = having(bootstrap, 'typed_per_filter_config').map((found) => [
      found['name'],
      valuesOf(found, 'cluster')[0],
      valuesOf(found, 'retry_on').join(),
    ])
    assert.deepEqual(routes, [
      ['plain', 'app', 'connect-failure,reset-before-request'],
      ['own', 'app:certificate', ''],
      ['also', 'app:certificate', ''],
      ['unpublished', undefined, ''],
    ])
  })

  it('has connections that are bounded where they carry a certificate, and only there', () => {
    assert.deepEqual(valuesOf(clusterIn(bootstrap, 'app'), 'common_http_protocol_options'), [
      { idle_timeout: '60s' },
    ])
    assert.deepEqual(
      valuesOf(clusterIn(bootstrap, 'app:certificate'), 'common_http_protocol_options'),
      [{ idle_timeout: '60s', max_connection_duration: '240s' }],
    )
  })

  it('has no cluster for certificates without such a route', () => {
    const upstreams = { app: UPSTREAM, other: UPSTREAM }
    const two = bootstrapOf([route('app', '1h'), route('other')], { upstreams })
    assert.deepEqual(
      clustersIn(two).map(({ name }) => name),
      ['countersign:authz', 'countersign:signer', 'app:certificate', 'other'],
    )
  })
})

describe('a bootstrap without a route with a client certificate', () => {
  const text = renderBootstrap(configWith([route('app')]))
  const TRACES = [
    'signer',
    'set_filter_state',
    'selector',
    'on_demand',
    'stats_config',
    'upstream_secret',
    'max_connection_duration',
    'app:certificate',
    'sds',
  ]
  for (const trace of TRACES) {
    it(`has no ${trace}, even with the signer’s address`, () => {
      assert.ok(!text.includes(trace))
    })
  }
})

describe('envoy --mode validate', { skip: skipWithoutEnvoy() }, () => {
  it('accepts routes with and without a certificate, HTTP/1.1 and HTTP/2', async () => {
    await using pki = await createPki()
    const upstream = { address: '10.0.0.1:6443', ca: pki.ca, ...pki.frontProxy }
    const shared = { upstream: 'app' }
    const certificate = { ca: 'kube', subject: { CN: 'identity.user' }, lifetime: '10s' }
    const routes = [
      route('plain', undefined, shared),
      route('own', '1h', shared),
      route('app', undefined, { forward: { headers: 'kubernetes', certificate } }),
      route('h2', '365d'),
    ]
    const envoy = {
      listener: { address: '0.0.0.0:8443', ...pki.edge, clientCa: pki.ca },
      upstreams: { app: upstream, h2: { ...upstream, protocol: 'http2' } },
    }
    await validateBootstrap(renderBootstrap(configWith(routes, envoy)))
  })
})
