// How Envoy publishes the issuer: its documents on its host, before everything else there, and without
// a question to authz; nothing else is left unjudged.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { envoyBootstrap, renderBootstrap } from '../../src/envoy/bootstrap.ts'
import { expectationsOf } from '../../src/envoy/lint/expectations.ts'
import { lint } from '../../src/envoy/lint/lint.ts'
import { skipWithoutEnvoy, validateBootstrap } from '../servers/envoy.ts'
import { createPki } from '../servers/pki.ts'
import { configOf, routesOf } from './edge.ts'
import type { Parts } from './fields.ts'

const configWith = (parts: Parts = {}, edge: Parts = {}, ca = 'ca.pem') =>
  configOf('/etc/countersign', {
    listen: { authz: 'unix:authz.sock', issuer: 'unix:issuer.sock' },
    issuer: { url: 'https://id.example.org', keys: 'signing-keys' },
    routes: routesOf([{ name: 'app', match: { hosts: ['*.example.org'] } }]),
    envoy: {
      listener: { address: '127.0.0.1:0', certificate: 'edge.pem', key: 'edge.key', ...edge },
      upstreams: { app: { address: '10.0.0.1:6443', ca } },
    },
    ...parts,
  })

/** Where the issuer is on another machine. */
const overTls = (
  edge: Parts = {},
  ca = 'ca.pem',
  client: Parts = { certificate: 'envoy.pem', key: 'envoy.key' },
) =>
  configWith({
    listen: {
      authz: 'unix:authz.sock',
      issuer: {
        address: '10.0.0.9:8081',
        tls: { certificate: 'issuer.pem', key: 'file:issuer.key', clientCa: 'ca.pem' },
      },
    },
    envoy: {
      listener: { address: '127.0.0.1:0', certificate: 'edge.pem', key: 'edge.key', ...edge },
      issuerTls: { ...client, ca, serverName: 'issuer' },
      upstreams: { app: { address: '10.0.0.1:6443', ca } },
    },
  })

const clustersSchema = z.looseObject({
  static_resources: z.looseObject({
    clusters: z.array(
      z.looseObject({
        name: z.string(),
        transport_socket: z
          .looseObject({ typed_config: z.looseObject({ common_tls_context: z.unknown() }) })
          .optional(),
      }),
    ),
  }),
})

const hostsSchema = z.array(
  z.looseObject({
    domains: z.array(z.string()),
    routes: z.array(
      z.looseObject({
        name: z.string(),
        match: z.record(z.string(), z.unknown()),
        route: z.looseObject({ cluster: z.string() }).optional(),
        typed_per_filter_config: z.record(
          z.string(),
          z.looseObject({ disabled: z.boolean().optional() }),
        ),
      }),
    ),
  }),
)

const hostsOf = (config: ReturnType<typeof configWith>) =>
  hostsSchema.parse(findHosts(envoyBootstrap(config)))

const findHosts = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return undefined
  for (const [key, inner] of Object.entries(value)) {
    const found: unknown = key === 'virtual_hosts' ? inner : findHosts(inner)
    if (found !== undefined) return found
  }
  return undefined
}

describe('the issuer in Envoy', () => {
  it('has the exact paths of its documents, first on its host, and on no other', () => {
    const hosts = hostsOf(configWith())
    const own = hosts.find(({ domains }) => domains.includes('id.example.org'))
    assert.deepEqual(
      own?.routes.map(({ name, match, route }) => [name, match, route?.cluster]),
      [
        ['issuer', { path: '/.well-known/openid-configuration' }, 'countersign:issuer'],
        ['issuer', { path: '/.well-known/oauth-authorization-server' }, 'countersign:issuer'],
        ['issuer', { path: '/jwks' }, 'countersign:issuer'],
        ['app', { prefix: '/' }, 'app'],
        ['unpublished', { prefix: '/' }, undefined],
      ],
    )
    const others = hosts.filter((host) => host !== own).flatMap(({ routes }) => routes)
    assert.ok(others.every(({ route }) => route?.cluster !== 'countersign:issuer'))
  })

  it('lists every route that bypasses authz', () => {
    const routes = hostsOf(configWith()).flatMap((host) => host.routes)
    const unjudged = routes.filter(({ typed_per_filter_config: said }) =>
      Object.values(said).some(({ disabled }) => disabled === true),
    )
    assert.deepEqual(new Set(unjudged.map(({ name }) => name)), new Set(['issuer']))
    assert.equal(unjudged.length, 3)
  })

  it('is not there where nothing mints', () => {
    const config = configWith({ issuer: undefined, listen: { authz: 'unix:authz.sock' } })
    assert.doesNotMatch(renderBootstrap(config), /countersign:issuer/)
  })

  it('has to be where Envoy can find it', () => {
    const listen = { authz: 'unix:authz.sock', issuer: '127.0.0.1:0' }
    assert.throws(() => envoyBootstrap(configWith({ listen })), {
      code: 'configuration-invalid',
      message: /envoy\.issuerAddress/,
    })
  })

  it('passes the lint, which finds any other route that bypasses authz', () => {
    const config = configWith()
    const text = renderBootstrap(config)
    const expected = expectationsOf(config)
    const result = lint(text, { expected })
    assert.deepEqual(result.ok && result.findings, [])
    const spoilt = text.replace('cluster: countersign:issuer', 'cluster: app')
    const found = lint(spoilt, { expected })
    assert.ok(found.ok)
    assert.deepEqual(
      found.findings.map(({ rule, severity }) => [rule, severity]),
      [['ext-authz-disabled', 'error']],
    )
  })

  it('is shown Envoy’s client certificate, verified by its name, over mutual TLS', () => {
    const bootstrap = envoyBootstrap(overTls())
    const { clusters } = clustersSchema.parse(bootstrap).static_resources
    const cluster = clusters.find(({ name }) => name === 'countersign:issuer')
    const { common_tls_context: tls } = cluster?.transport_socket?.typed_config ?? {}
    assert.deepEqual(tls, {
      tls_params: {
        tls_minimum_protocol_version: 'TLSv1_2',
        tls_maximum_protocol_version: 'TLSv1_3',
      },
      alpn_protocols: ['http/1.1'],
      tls_certificates: [
        {
          certificate_chain: { filename: '/etc/countersign/envoy.pem' },
          private_key: { filename: '/etc/countersign/envoy.key' },
        },
      ],
      validation_context: {
        trusted_ca: { filename: '/etc/countersign/ca.pem' },
        match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: 'issuer' } }],
      },
    })
  })

  it('over mutual TLS passes the lint, which finds where a side is without it', () => {
    const config = overTls()
    const expected = expectationsOf(config)
    const text = renderBootstrap(config)
    const result = lint(text, { expected })
    assert.deepEqual(result.ok && result.findings, [])
    const bare = renderBootstrap(
      configWith({ listen: { authz: 'unix:authz.sock', issuer: '127.0.0.1:8081' } }),
    )
    const found = lint(bare, { expected: { ...expected, issuer: [{ kind: 'unix', path: '/x' }] } })
    assert.ok(found.ok)
    assert.deepEqual(
      found.findings.map(({ rule, severity }) => [rule, severity]),
      [['issuer-client-certificate', 'error']],
    )
  })

  it('has one half of mutual TLS', () => {
    const config = overTls()
    assert.throws(() => envoyBootstrap({ ...config, listen: configWith().listen }), {
      code: 'configuration-invalid',
      message: 'envoy.issuerTls is set, but listen.issuer has no tls',
    })
  })

  it('over mutual TLS is taken by Envoy', { skip: skipWithoutEnvoy() }, async () => {
    await using pki = await createPki()
    await validateBootstrap(
      renderBootstrap(overTls({ ...pki.edge }, pki.ca, { ...pki.frontProxy })),
    )
  })

  it('is taken by Envoy', { skip: skipWithoutEnvoy() }, async () => {
    await using pki = await createPki()
    await validateBootstrap(renderBootstrap(configWith({}, { ...pki.edge }, pki.ca)))
  })
})
