// What `countersign envoy generate` writes: the lint has nothing to say against it.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ConfigurationFiles } from '../../../src/config/files.ts'
import { readConfig } from '../../../src/configuration/parse.ts'
import { renderBootstrap } from '../../../src/envoy/bootstrap.ts'
import { expectationsOf } from '../../../src/envoy/lint/expectations.ts'
import { lint } from '../../../src/envoy/lint/lint.ts'
import { configOf, routesOf } from '../edge.ts'
import { found } from './found.ts'

const ENVOY = join(import.meta.dirname, '../../../envoy')
const UPSTREAM = { address: '10.0.0.1:6443', ca: 'ca.pem' }

describe('nothing is found in', () => {
  it('the example, generated now', async () => {
    const file = join(ENVOY, 'front-proxy.countersign.yaml')
    const { config } = await readConfig(file, new ConfigurationFiles())
    const text = renderBootstrap(config)
    assert.deepEqual(found(text, { expected: expectationsOf(config) }), [])
    const result = lint(text)
    assert.ok(result.ok)
    assert.deepEqual(result.scope, {
      listeners: 1,
      filters: 1,
      routes: 3,
      certificateUpstreams: 0,
      istio: false,
    })
  })

  it('the example that is committed', async () => {
    assert.deepEqual(found(await readFile(join(ENVOY, 'front-proxy.envoy.yaml'), 'utf8')), [])
  })

  it('a bootstrap with client certificates, proxies in front, and authz behind mutual TLS', () => {
    const config = configOf('/etc/countersign', {
      listen: {
        authz: {
          address: '10.0.0.7:9001',
          tls: { certificate: 'authz.pem', key: 'file:authz.key', clientCa: 'ca.pem' },
        },
      },
      routes: routesOf([
        { name: 'app', match: { hosts: ['app.example.org'], paths: ['/a/**', '/b'] } },
        { name: 'rest', upstream: 'app' },
      ]),
      envoy: {
        listener: {
          address: '[::]:8443',
          certificate: 'edge.pem',
          key: 'edge.key',
          clientCa: 'ca.pem',
          trustedHops: 2,
        },
        authzTls: { certificate: 'envoy.pem', key: 'envoy.key', ca: 'ca.pem', serverName: 'authz' },
        admin: '127.0.0.1:9901',
        upstreams: { app: UPSTREAM },
      },
    })
    assert.deepEqual(found(renderBootstrap(config), { expected: expectationsOf(config) }), [])
  })

  it('a bootstrap with a certificate for each identity', () => {
    const certificate = { ca: 'kube', subject: { CN: 'identity.user' }, lifetime: '10m' }
    const routes = routesOf([
      { name: 'app', match: { hosts: ['app.example.org'] } },
      { name: 'kube', match: { hosts: ['kube.example.org'] } },
    ])
    const config = configOf('/etc/countersign', {
      certificateGrants: { keyring: 'file:grants.keys' },
      routes: routes.map((route, index) =>
        index === 0 ? route : { ...route, forward: { headers: 'kubernetes', certificate } },
      ),
      envoy: {
        listener: { address: '0.0.0.0:8443', certificate: 'edge.pem', key: 'edge.key' },
        signerAddress: 'unix:/run/countersign/signer.sock',
        upstreams: { app: UPSTREAM, kube: UPSTREAM },
      },
    })
    const expected = expectationsOf(config)
    assert.deepEqual(expected.lifetimes, new Map([['kube', 600_000]]))
    const text = renderBootstrap(config)
    assert.deepEqual(found(text, { expected }), [])
    const result = lint(text)
    assert.equal(result.ok && result.scope.certificateUpstreams, 1)
  })
})
