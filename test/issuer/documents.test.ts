// What upstreams read of the issuer: the documents, where they are, and that nothing else is there.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { documentAt, documentPaths } from '../../src/issuer/documents.ts'
import { FakeClock } from '../fakes/clock.ts'
import { madeKey, signingKeysOf } from '../fakes/signing-keys.ts'

const clock = new FakeClock()
const made = await Promise.all([madeKey('ES256'), madeKey('RS256'), madeKey('EdDSA')])
const keys = signingKeysOf(made, clock)

const issuerAt = (url: string) => ({ url, keys, maxAge: 300_000 })

const read = (path: string, url: string): Record<string, unknown> => {
  const page = documentAt(path, issuerAt(url))
  assert.ok(page !== undefined, path)
  return JSON.parse(page.body)
}

describe('the paths of the issuer’s documents', () => {
  const CASES = [
    {
      name: 'of a host',
      input: 'https://id.example.org',
      want: {
        discovery: '/.well-known/openid-configuration',
        metadata: '/.well-known/oauth-authorization-server',
        keys: '/jwks',
      },
    },
    {
      name: 'of a host with a trailing slash, which the issuer keeps and the paths do not double',
      input: 'https://id.example.org/',
      want: {
        discovery: '/.well-known/openid-configuration',
        metadata: '/.well-known/oauth-authorization-server',
        keys: '/jwks',
      },
    },
    {
      name: 'below a path: OpenID Connect appends (§4.1), RFC 8414 inserts (§3.1)',
      input: 'https://kube.example.org/issuer/a',
      want: {
        discovery: '/issuer/a/.well-known/openid-configuration',
        metadata: '/.well-known/oauth-authorization-server/issuer/a',
        keys: '/issuer/a/jwks',
      },
    },
  ]
  for (const { name, input, want } of CASES) {
    it(`are those ${name}`, () => assert.deepEqual(documentPaths(input), want))
  }
})

describe('the discovery document', () => {
  const URLS = ['https://id.example.org', 'https://id.example.org/', 'https://a.example.org/b']
  for (const url of URLS) {
    it(`of ${url} has the issuer’s exact name, and a key set on the same host that exists`, () => {
      const { discovery, metadata } = documentPaths(url)
      const document = read(discovery, url)
      assert.equal(document['issuer'], url)
      const location = new URL(String(document['jwks_uri']))
      assert.equal(location.origin, new URL(url).origin)
      assert.ok(Array.isArray(read(location.pathname, url)['keys']))
      assert.deepEqual(read(metadata, url), document)
    })
  }

  it('has what OpenID Connect Discovery §3 requires of an issuer that only mints', () => {
    const document = read('/.well-known/openid-configuration', 'https://id.example.org')
    assert.deepEqual(document['response_types_supported'], ['id_token'])
    assert.deepEqual(document['subject_types_supported'], ['public'])
    assert.deepEqual(document['id_token_signing_alg_values_supported'], ['ES256', 'RS256', 'EdDSA'])
  })

  it('may be cached for as long as configured', () => {
    const page = documentAt('/jwks', issuerAt('https://id.example.org'))
    assert.deepEqual(page?.headers, { 'cache-control': 'public, max-age=300' })
  })
})

describe('the published key set', () => {
  it('has every signing key with its kid and alg, and no private part', () => {
    const { keys: published } = read('/jwks', 'https://id.example.org')
    assert.ok(Array.isArray(published))
    assert.deepEqual(
      published.map(({ kid, alg, use }) => ({ kid, alg, use })),
      made.map(({ entry: { kid, algorithm } }) => ({ kid, alg: algorithm, use: 'sig' })),
    )
    const members = new Set(published.flatMap((key) => Object.keys(key)))
    for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']) {
      assert.ok(!members.has(secret), secret)
    }
  })

  it('is published at its own path only', () => {
    const issuer = issuerAt('https://id.example.org')
    for (const path of ['/', '/jwks/', '/JWKS', '/keys.json', '/jwks/../jwks', '/.well-known']) {
      assert.equal(documentAt(path, issuer), undefined, path)
    }
  })
})
