// The EnvoyFilter of a configuration has the settings of its bootstrap, as far as an Istio gateway supports
// them; the files of deploy/istio fit each other.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { parse, parseAllDocuments } from 'yaml'
import { envoyBootstrap } from '../../src/envoy/bootstrap.ts'
import { earlyHeaderMutations } from '../../src/envoy/strip.ts'
import { connectionBounds, shortestLifetime } from '../../src/envoy/identity-certificate.ts'
import { renderEnvoyFilter, type EnvoyFilterOptions } from '../../src/envoy/istio/envoy-filter.ts'
import type { Config } from '../../src/configuration/schema.ts'
import { istioConfiguration } from '../../scripts/istio-files.ts'
import { configOf, routesOf } from './edge.ts'
import { having, isRemovedEarly, valuesOf } from './fields.ts'

const configWith = (
  forward: object,
  locations: readonly object[] = [{ header: 'x-key' }],
): Config => {
  const route = { name: 'app', forward }
  return configOf('/etc/countersign', {
    certificateGrants: { keyring: 'file:grant.keys' },
    authenticators: {
      cards: { certificate: { trust: 'staff-ca.pem' } },
      staff: { apiKey: { file: 'keys.yaml', locations } },
    },
    routes: routesOf([route]),
    envoy: {
      listener: {
        address: '0.0.0.0:8443',
        certificate: 'edge.pem',
        key: 'edge.key',
        clientCa: 'staff-ca.pem',
        trustedHops: 1,
      },
      signerAddress: 'unix:/run/signer.sock',
      upstreams: { app: { address: '10.0.0.1:443', ca: 'ca.pem' } },
    },
  })
}

const filterOf = (config: Config, options?: EnvoyFilterOptions): unknown =>
  parse(renderEnvoyFilter(config, options))

const CERTIFICATES = {
  signer: { kind: 'unix', path: '/run/signer.sock' },
  service: { host: 'kube.internal', port: 443 },
} as const

describe('the EnvoyFilter', () => {
  const config = configWith(
    {
      set: { 'X-Tenant': 'identity.user' },
      certificate: { ca: 'kube', subject: { CN: 'identity.user' } },
    },
    [{ header: 'x-key' }, { query: 'key' }],
  )
  const SETTINGS = [
    'internal_address_config',
    'path_with_escaped_slashes_action',
    'headers_with_underscores_action',
    'include_peer_certificate',
    'encode_raw_headers',
    'validate_mutations',
    'decoder_header_mutation_rules',
    'default_source_code',
    'on_request_headers',
    'custom_tls_certificate_selector',
    'max_session_keys',
  ]
  for (const setting of SETTINGS) {
    it(`has the ${setting} of the bootstrap`, () => {
      const filter = filterOf(config, { trustedHops: 1, certificates: CERTIFICATES })
      const [wanted] = valuesOf(envoyBootstrap(config), setting)
      assert.notEqual(wanted, undefined)
      assert.deepEqual(valuesOf(filter, setting)[0], wanted)
    })
  }

  it('removes the headers that the bootstrap removes, by expressions within the limit of any Envoy', () => {
    const filter = filterOf(config, { trustedHops: 1, certificates: CERTIFICATES })
    const [early] = valuesOf(filter, 'early_header_mutation_extensions')
    assert.deepEqual(early, earlyHeaderMutations(config, 1))
    const bootstrap = envoyBootstrap(config)
    for (const name of ['x-remote-user', 'X.Remote!User', 'x-tenant', 'x.tenant', 'trailer']) {
      assert.ok(isRemovedEarly(filter, name.toLowerCase()), name)
      assert.ok(isRemovedEarly(bootstrap, name.toLowerCase()), name)
    }
    assert.ok(!isRemovedEarly(filter, 'x-other'))
  })

  it('removes what says where a request comes from, unless a proxy in front says it', () => {
    const isRemoved = (name: string, hops: number): boolean =>
      isRemovedEarly(filterOf(config, { trustedHops: hops }), name)
    for (const name of ['x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'forwarded']) {
      assert.ok(isRemoved(name, 0), name)
      assert.ok(!isRemoved(name, 1), name)
    }
    for (const name of ['x.forwarded.for', 'x-forwarded~for', 'x!forwarded-host', 'x-real.ip']) {
      assert.ok(isRemoved(name, 0), name)
      assert.ok(isRemoved(name, 1), name)
    }
    assert.ok(isRemoved('x-forwarded-user', 1))
  })

  it('removes the same names from trailers, and those that authz has to see in headers', () => {
    const [mutations] = valuesOf(filterOf(config), 'request_trailers_mutations')
    const early = { early_header_mutation_extensions: mutations }
    for (const name of [
      'x-remote-user',
      'x.remote~user',
      'x-forwarded-for',
      'authorization',
      'impersonate-user',
      'impersonate.group',
    ]) {
      assert.ok(isRemovedEarly(early, name), name)
    }
    assert.ok(!isRemovedEarly(early, 'grpc-status'))
  })

  it('adds SPDY/3.1 alone, since Istio appends it to what is there', () => {
    assert.deepEqual(valuesOf(filterOf(config), 'upgrade_configs'), [
      [{ upgrade_type: 'SPDY/3.1' }],
    ])
  })

  it('hands on the handle, unless the gateway itself presents certificates', () => {
    const text = renderEnvoyFilter(config)
    assert.match(text, /key: x-countersign-certificate/)
    assert.doesNotMatch(text, /selector/)
    assert.doesNotMatch(
      renderEnvoyFilter(config, { certificates: CERTIFICATES }),
      /key: x-countersign/,
    )
  })

  it('bounds the routes to the issuer as the bootstrap does', () => {
    const logins = configOf('/etc/countersign', {
      listen: { authz: 'unix:authz.sock', issuer: 'unix:issuer.sock' },
      issuer: {
        url: 'https://id.example.org',
        keys: 'keys',
        login: { authenticators: ['staff'] },
        clients: { cli: { grantTypes: ['device_code'] } },
      },
      routes: routesOf([{ name: 'app' }, { name: 'kube', kind: 'kubernetes', upstream: 'app' }]),
      envoy: {
        listener: { address: '0.0.0.0:8443', certificate: 'edge.pem', key: 'edge.key' },
        upstreams: { app: { address: '10.0.0.1:443', ca: 'ca.pem' } },
      },
    })
    const filter = filterOf(logins)
    const bootstrap = envoyBootstrap(logins)
    for (const field of ['local_reply_config', 'http2_protocol_options']) {
      assert.deepEqual(valuesOf(filter, field)[0], valuesOf(bootstrap, field)[0], field)
    }
    const inserted = having(filter, 'disabled').map(({ name }) => name)
    assert.deepEqual(inserted, ['envoy.filters.http.local_ratelimit', 'envoy.filters.http.buffer'])
    const patches = having(filter, 'patch').filter((patch) =>
      /"issuer-/.test(JSON.stringify(patch['match'])),
    )
    const published = having(bootstrap, 'typed_per_filter_config').filter(
      ({ name }) => name === 'issuer',
    )
    assert.equal(patches.length, 4)
    for (const patch of patches) {
      const [limit] = valuesOf(patch, 'envoy.filters.http.local_ratelimit')
      const [end] = valuesOf(patch, 'max_stream_duration')
      const same = published.filter(
        (route) =>
          isDeepStrictEqual(valuesOf(route, 'envoy.filters.http.local_ratelimit')[0], limit) &&
          isDeepStrictEqual(valuesOf(route, 'max_stream_duration')[0], end),
      )
      assert.ok(same.length > 0, JSON.stringify(patch['match']))
    }
  })

  it('makes no listener one with TLS that has none', () => {
    const patches = valuesOf(filterOf(config), 'configPatches').flat()
    const chains = patches.filter((patch) => valuesOf(patch, 'applyTo')[0] === 'FILTER_CHAIN')
    assert.equal(chains.length, 1)
    assert.ok(chains.every((patch) => valuesOf(patch, 'sni').length === 1))
  })
})

describe('the files for Istio', () => {
  const objectsOf = async (name: string): Promise<readonly unknown[]> => {
    const file = resolve(import.meta.dirname, '../../deploy/istio', name)
    return parseAllDocuments(await readFile(file, 'utf8')).map((each): unknown => each.toJS())
  }

  it('end connections before the certificates that they were opened with', async () => {
    const values = await istioConfiguration({
      listen: { authz: '127.0.0.1:1', issuer: '127.0.0.1:2' },
      certificateGrants: { keyring: 'file:/grant.keys' },
    })
    const lifetime = shortestLifetime(configOf('/etc/countersign', values), 'kubernetes')
    const rule = await objectsOf('kube-apiserver-by-gateway.yaml')
    const wanted = new Map(Object.entries(connectionBounds(lifetime)))
    assert.deepEqual(valuesOf(rule, 'maxConnectionDuration'), [
      wanted.get('max_connection_duration'),
    ])
    assert.deepEqual(valuesOf(rule, 'idleTimeout'), [wanted.get('idle_timeout')])
  })

  it('tell the upstream behind the hop nothing but the certificate', async () => {
    const hop = await objectsOf('delegation-hop.envoy.yaml')
    assert.deepEqual(valuesOf(hop, 'request_headers_to_remove'), [['x-countersign-certificate']])
    assert.deepEqual(valuesOf(hop, 'retry_on'), [])
    assert.deepEqual(valuesOf(hop, 'require_client_certificate'), [true])
  })

  it('send nothing to the signer’s upstream twice', async () => {
    for (const way of ['gateway', 'hop']) {
      const objects = await objectsOf(`kube-apiserver-by-${way}.yaml`)
      assert.deepEqual(valuesOf(objects, 'retries'), [{ attempts: 0 }])
    }
  })
})
