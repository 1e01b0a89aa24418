// Certificates and CAs that Envoy follows: each that the bootstrap names becomes a secret in a file, and nothing else changes.
// test/deploy/kubernetes/renewal.test.ts and test/e2e/operate/ renew them under a real Envoy.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Config } from '../../src/configuration/schema.ts'
import { certificateFiles, envoyBootstrap, renderBootstrap } from '../../src/envoy/bootstrap.ts'
import { expectationsOf } from '../../src/envoy/lint/expectations.ts'
import { configOf, routesOf } from './edge.ts'
import { valuesOf } from './fields.ts'
import { found } from './lint/found.ts'

const FOLDER = '/etc/envoy'

const config: Config = configOf('/etc/countersign', {
  listen: {
    authz: {
      address: '0.0.0.0:9001',
      tls: { certificate: 'authz.pem', key: 'file:authz.key', clientCa: 'ca.pem' },
    },
  },
  authenticators: {
    staff: { apiKey: { file: 'keys.yaml', locations: [{ header: 'x-api-key' }] } },
  },
  routes: routesOf([{ name: 'app' }]),
  envoy: {
    listener: {
      address: '0.0.0.0:8443',
      certificate: 'tls/edge.pem',
      key: 'tls/edge.key',
      clientCa: 'staff-ca.pem',
    },
    authzAddress: 'authz.example.org:9001',
    authzTls: { certificate: 'own/envoy.pem', key: 'keys/envoy.key', ca: 'ca.pem' },
    upstreams: {
      app: {
        address: '10.0.0.1:443',
        ca: 'ca.pem',
        certificate: 'own/envoy.pem',
        key: 'keys/envoy.key',
      },
    },
  },
})

const secretsIn = (bootstrap: object): readonly unknown[] =>
  valuesOf(bootstrap, 'tls_certificate_sds_secret_configs')

describe('a bootstrap that follows certificates', () => {
  const bootstrap = envoyBootstrap(config, { certificatesFolder: FOLDER })

  it('names a secret in place of each pair of files, once for equal pairs', () => {
    assert.deepEqual(valuesOf(bootstrap, 'tls_certificates'), [])
    const source = (name: string): object => ({
      name,
      sds_config: {
        path_config_source: { path: `${FOLDER}/${name}.json` },
        resource_api_version: 'V3',
      },
    })
    assert.deepEqual(secretsIn(bootstrap), [
      [source('certificate-1')],
      [source('certificate-2')],
      [source('certificate-2')],
    ])
  })

  it('names a secret in place of each CA, and keeps the names that a peer must have', () => {
    assert.deepEqual(valuesOf(bootstrap, 'validation_context'), [])
    const source = (name: string): object => ({
      name,
      sds_config: {
        path_config_source: { path: `${FOLDER}/${name}.json` },
        resource_api_version: 'V3',
      },
    })
    assert.deepEqual(valuesOf(bootstrap, 'validation_context_sds_secret_config'), [
      source('ca-1'),
      source('ca-2'),
      source('ca-2'),
    ])
    const named = ({
      bootstrap: whole = bootstrap,
      field,
    }: {
      bootstrap?: object
      field: string
    }) =>
      valuesOf(whole, field).map((context) => valuesOf(context, 'match_typed_subject_alt_names'))
    assert.deepEqual(
      named({ field: 'default_validation_context' }),
      named({ bootstrap: envoyBootstrap(config), field: 'validation_context' }).slice(1),
    )
  })

  it('has a file for each secret, with the paths', () => {
    const files = certificateFiles(config, FOLDER)
    const secrets = Object.fromEntries(
      [...files].map(([file, text]) => {
        const { tls_certificate: pair, validation_context: ca } = JSON.parse(text).resources[0]
        return [file, pair ?? ca]
      }),
    )
    assert.deepEqual(secrets, {
      [`${FOLDER}/ca-1.json`]: { trusted_ca: { filename: '/etc/countersign/staff-ca.pem' } },
      [`${FOLDER}/ca-2.json`]: { trusted_ca: { filename: '/etc/countersign/ca.pem' } },
      [`${FOLDER}/certificate-1.json`]: {
        certificate_chain: { filename: '/etc/countersign/tls/edge.pem' },
        private_key: { filename: '/etc/countersign/tls/edge.key' },
      },
      [`${FOLDER}/certificate-2.json`]: {
        certificate_chain: { filename: '/etc/countersign/own/envoy.pem' },
        private_key: { filename: '/etc/countersign/keys/envoy.key' },
      },
    })
  })

  it('is otherwise the bootstrap that reads certificates at the start', () => {
    const replaced =
      /^(tls_certificates|(combined_)?validation_context|tls_certificate_sds_secret_configs|validation_context_sds_secret_config)$/
    const without = (value: object): unknown =>
      JSON.parse(
        JSON.stringify(value, (key, inner: unknown) => (replaced.test(key) ? undefined : inner)),
      )
    assert.deepEqual(without(bootstrap), without(envoyBootstrap(config)))
  })

  it('has no findings', () => {
    const text = renderBootstrap(config, { certificatesFolder: FOLDER })
    assert.deepEqual(found(text, { expected: expectationsOf(config) }), [])
  })
})
