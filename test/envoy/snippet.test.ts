import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import type { Config } from '../../src/configuration/schema.ts'
import { envoyBootstrap } from '../../src/envoy/bootstrap.ts'
import { envoySnippet, renderSnippet } from '../../src/envoy/snippet.ts'
import { earlyHeaderMutations } from '../../src/envoy/strip.ts'
import { skipWithoutEnvoy, validateBootstrap } from '../servers/envoy.ts'
import { configWith, route } from './certificate-routes.ts'
import { having, valuesOf, type Parts } from './fields.ts'

const SIGNER = { kind: 'unix', path: '/run/signer.sock' } as const

/** Without the section that only `envoy generate` needs. */
const withoutSection = (config: Config): Config => ({ ...config, envoy: undefined })

const namesOf = (clusters: readonly Parts[]): readonly unknown[] =>
  clusters.map((cluster) => cluster['name'])

describe('the parts for an Envoy configuration that exists', () => {
  const CASES = [
    {
      name: 'headers',
      routes: [{ ...route('app'), kind: 'kubernetes' }],
      clusters: ['countersign:authz'],
    },
    {
      name: 'certificates',
      routes: [route('app', '2h')],
      clusters: ['countersign:authz', 'countersign:signer'],
    },
  ]
  for (const { name, routes, clusters } of CASES) {
    const config = configWith(routes)
    it(`are those of the bootstrap, for routes with ${name}`, () => {
      const snippet = envoySnippet(config)
      const bootstrap = envoyBootstrap(config)
      const [filters] = valuesOf(bootstrap, 'http_filters')
      assert.ok(Array.isArray(filters))
      assert.deepEqual(snippet.http_connection_manager['http_filters'], filters.slice(0, -1))
      const early = snippet.http_connection_manager['early_header_mutation_extensions']
      assert.deepEqual(early, earlyHeaderMutations(config, 0))
      assert.deepEqual(
        valuesOf(snippet, 'local_reply_config'),
        valuesOf(bootstrap, 'local_reply_config'),
      )
      const all = having(bootstrap, 'load_assignment')
      assert.deepEqual(
        snippet.clusters,
        all.filter((cluster) => clusters.includes(String(cluster['name']))),
      )
    })

    it(`need no "envoy" section, for routes with ${name}`, () => {
      const snippet = envoySnippet(withoutSection(config), { signerAddress: SIGNER })
      assert.deepEqual(snippet, envoySnippet(config))
      assert.deepEqual(namesOf(snippet.clusters), clusters)
      assert.deepEqual(parse(renderSnippet(config)), JSON.parse(JSON.stringify(snippet)))
    })
  }

  it('need the address of the signer where a route forwards a certificate', () => {
    const config = withoutSection(configWith([route('app', '2h')]))
    assert.throws(() => envoySnippet(config), /set envoy\.signerAddress/)
  })

  it('say where each of them belongs, and comment a setting once', () => {
    const text = renderSnippet(
      configWith([route('app', '2h'), route('shop', '1h', { upstream: 'app' })]),
    )
    assert.match(text, /# Into each HTTP connection manager.*\nhttp_connection_manager:/)
    assert.match(text, /# Into static_resources\.\nclusters:/)
    assert.equal(text.match(/# Without an answer of authz the request is refused\./g)?.length, 1)
  })

  it(
    'are accepted by Envoy in a configuration of another origin',
    { skip: skipWithoutEnvoy() },
    async () => {
      const { http_connection_manager: manager, clusters } = envoySnippet(
        configWith([{ ...route('app'), kind: 'kubernetes' }]),
      )
      const [filters] = valuesOf(manager, 'http_filters')
      assert.ok(Array.isArray(filters))
      const type = 'type.googleapis.com/envoy.extensions.filters'
      const router = { '@type': `${type}.http.router.v3.Router` }
      const own = {
        '@type': `${type}.network.http_connection_manager.v3.HttpConnectionManager`,
        stat_prefix: 'own',
        ...manager,
        route_config: { virtual_hosts: [{ name: 'own', domains: ['*'], routes: [] }] },
        http_filters: [...filters, { name: 'router', typed_config: router }],
      }
      const listener = {
        address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
        filter_chains: [{ filters: [{ name: 'http', typed_config: own }] }],
      }
      const bootstrap = { static_resources: { listeners: [listener], clusters } }
      await assert.doesNotReject(validateBootstrap(JSON.stringify(bootstrap)))
    },
  )
})
