// What `countersign envoy generate` writes for each kind of credential: it reaches authz, so that the
// lint has nothing to say, and Envoy takes it. Certificates in headers are not among them: with an
// `envoy` section the configuration refuses those.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Config } from '../../../src/configuration/schema.ts'
import { renderBootstrap } from '../../../src/envoy/bootstrap.ts'
import { expectationsOf } from '../../../src/envoy/lint/expectations.ts'
import { skipWithoutEnvoy, validateBootstrap } from '../../servers/envoy.ts'
import { createPki } from '../../servers/pki.ts'
import { configOf, routesOf } from '../edge.ts'
import { found, type Found } from './found.ts'

const BEARER = { issuer: 'https://login.example.org', audiences: ['app'] }
const AUTHENTICATORS: Readonly<Record<string, object>> = {
  'a token': { bearer: BEARER },
  'a token that is bound to a key': { bearer: { ...BEARER, dpop: {} } },
  'an opaque token': {
    introspection: { ...BEARER, client: { id: 'app', secret: 'file:client.secret' } },
  },
  'a service account': { tokenReview: { inCluster: true } },
  'a key in a header': { apiKey: { file: 'keys.yaml' } },
  'a key in the query': { apiKey: { file: 'keys.yaml', locations: [{ query: 'key' }] } },
  'a key under a scheme': {
    apiKey: { file: 'keys.yaml', locations: [{ header: 'authorization', scheme: 'ApiKey' }] },
  },
  'a certificate of the connection': { certificate: { trust: 'ca.pem' } },
  'a password': { basic: { verify: [{ users: { file: 'users.yaml' } }] } },
}

/** A configuration of one route, which takes these. */
const configWith = (authenticators: readonly object[]): Config => {
  const named = Object.entries(authenticators).map(([index, one]) => [`a${index}`, one] as const)
  return configOf('/etc/countersign', {
    authenticators: Object.fromEntries(named),
    routes: routesOf([{ name: 'app' }]).map((route) => ({
      ...route,
      authenticate: named.map(([name]) => name),
    })),
    envoy: {
      listener: {
        address: '0.0.0.0:8443',
        certificate: 'edge.pem',
        key: 'edge.key',
        clientCa: 'ca.pem',
      },
      upstreams: { app: { address: '10.0.0.1:6443', ca: 'ca.pem' } },
    },
  })
}

const foundIn = (config: Config): readonly Found[] =>
  found(renderBootstrap(config), { expected: expectationsOf(config) })

describe('nothing is found in a bootstrap for', () => {
  for (const [name, authenticator] of Object.entries(AUTHENTICATORS)) {
    it(`reports nothing about the bootstrap for ${name}`, () => {
      assert.deepEqual(foundIn(configWith([authenticator])), [])
    })
  }

  it('all of them', () => {
    assert.deepEqual(foundIn(configWith(Object.values(AUTHENTICATORS))), [])
  })
})

describe('envoy --mode validate', { skip: skipWithoutEnvoy() }, () => {
  for (const [name, authenticator] of Object.entries(AUTHENTICATORS)) {
    it(`takes a bootstrap for ${name}`, async () => {
      await using pki = await createPki()
      const text = renderBootstrap(configWith([authenticator]))
      const placed = text
        .replaceAll('/etc/countersign/edge.pem', pki.edge.certificate)
        .replaceAll('/etc/countersign/edge.key', pki.edge.key)
        .replaceAll('/etc/countersign/ca.pem', pki.ca)
      await validateBootstrap(placed)
    })
  }
})
