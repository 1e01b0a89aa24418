// The bootstrap when API keys may be in the query: authz may also change the path, and nothing else.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Config } from '../../src/configuration/schema.ts'
import { envoyBootstrap, renderBootstrap } from '../../src/envoy/bootstrap.ts'
import { expectationsOf } from '../../src/envoy/lint/expectations.ts'
import { configOf, routesOf } from './edge.ts'
import { valuesOf } from './fields.ts'
import { found } from './lint/found.ts'

const configWith = (...locations: readonly object[]): Config =>
  configOf('/etc/countersign', {
    authenticators: { staff: { apiKey: { file: 'keys.yaml', locations } } },
    routes: routesOf([{ name: 'app' }]),
    envoy: {
      listener: { address: '0.0.0.0:8443', certificate: 'edge.pem', key: 'edge.key' },
      upstreams: { app: { address: '10.0.0.1:443', ca: 'ca.pem' } },
    },
  })

describe('the headers that authz may set', () => {
  it('include :path where a key may be in the query', () => {
    const config = configWith({ header: 'x-api-key' }, { query: 'api_key' })
    const rules = valuesOf(envoyBootstrap(config), 'decoder_header_mutation_rules')
    assert.deepEqual(rules, [
      {
        allow_envoy: true,
        allow_all_routing: false,
        disallow_system: true,
        allow_expression: { regex: '^:path$' },
        disallow_is_error: true,
      },
    ])
    assert.deepEqual(found(renderBootstrap(config), { expected: expectationsOf(config) }), [])
  })

  it('exclude pseudo-headers where keys are only in headers', () => {
    const bootstrap = envoyBootstrap(configWith({ header: 'x-api-key' }))
    assert.deepEqual(valuesOf(bootstrap, 'allow_expression'), [])
  })

  it('include those that authz has to read', () => {
    const bootstrap = envoyBootstrap(configWith({ header: 'x-api-key' }))
    assert.ok(!valuesOf(bootstrap, 'remove').includes('x-api-key'))
  })
})
