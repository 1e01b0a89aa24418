// What countersign.yaml says of credentials, as far as Envoy has to bring them.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { expectationsOf } from '../../../src/envoy/lint/expectations.ts'
import { configOf, routesOf } from '../edge.ts'

const BEARER = { issuer: 'https://login.example.org', audiences: ['app'] }
const CERTIFICATE = { trust: 'ca.pem' }
const AUTHORIZATION = { kind: 'header', name: 'authorization' }

const CASES: readonly {
  readonly name: string
  readonly authenticator: object
  readonly want: readonly object[]
}[] = [
  {
    name: 'passwords',
    authenticator: { basic: { verify: [{ users: { file: 'users.yaml' } }] } },
    want: [AUTHORIZATION],
  },
  { name: 'tokens', authenticator: { bearer: BEARER }, want: [AUTHORIZATION] },
  {
    name: 'tokens that are bound to a key',
    authenticator: { bearer: { ...BEARER, dpop: {} } },
    want: [AUTHORIZATION, { kind: 'header', name: 'dpop' }],
  },
  {
    name: 'keys',
    authenticator: { apiKey: { file: 'keys.yaml' } },
    want: [{ kind: 'header', name: 'x-api-key' }],
  },
  {
    name: 'keys in several places',
    authenticator: {
      apiKey: {
        file: 'keys.yaml',
        locations: [
          { query: 'key' },
          { header: 'Authorization', scheme: 'ApiKey' },
          { header: 'X-Key' },
        ],
      },
    },
    want: [{ kind: 'parameter', name: 'key' }, AUTHORIZATION, { kind: 'header', name: 'x-key' }],
  },
  {
    name: 'certificates of the connection',
    authenticator: { certificate: CERTIFICATE },
    want: [{ kind: 'connection-certificate' }],
  },
  {
    name: 'certificates in X-Forwarded-Client-Cert',
    authenticator: { certificate: { ...CERTIFICATE, from: 'x-forwarded-client-cert' } },
    want: [{ kind: 'forwarded-certificate', element: 'only', chain: true }],
  },
  {
    name: 'the last of them, with intermediates in a file',
    authenticator: {
      certificate: {
        ...CERTIFICATE,
        from: 'x-forwarded-client-cert',
        element: 'last',
        intermediates: 'intermediates.pem',
      },
    },
    want: [{ kind: 'forwarded-certificate', element: 'last', chain: false }],
  },
  {
    name: 'certificates in Client-Cert',
    authenticator: { certificate: { ...CERTIFICATE, from: 'client-cert' } },
    want: [{ kind: 'client-cert' }],
  },
  { name: 'anonymous', authenticator: { anonymous: {} }, want: [] },
]

describe('the credentials of a route', () => {
  for (const { name, authenticator, want } of CASES) {
    it(`are those of ${name}`, () => {
      const config = configOf('/etc/countersign', {
        authenticators: { staff: authenticator },
        routes: routesOf([{ name: 'app' }]),
      })
      const { credentials } = expectationsOf(config)
      const named = want.map((one) => ({ ...one, authenticator: 'staff' }))
      assert.deepEqual(credentials, new Map([['app', named]]))
    })
  }

  it('are those of all its authenticators, also of several at once, and of no other', () => {
    const config = configOf('/etc/countersign', {
      authenticators: {
        key: { apiKey: { file: 'keys.yaml' } },
        certificate: { certificate: CERTIFICATE },
        token: { bearer: BEARER },
      },
      routes: [
        { name: 'a', authenticate: [{ all: ['key', 'certificate'] }], authorize: [{ allow: 'x' }] },
        { name: 'b', authenticate: ['token', 'key'], authorize: [{ allow: 'x' }] },
      ],
    })
    const { credentials } = expectationsOf(config)
    const names = (route: string): readonly string[] | undefined =>
      credentials.get(route)?.map(({ authenticator }) => authenticator)
    assert.deepEqual(names('a'), ['key', 'certificate'])
    assert.deepEqual(names('b'), ['token', 'key'])
  })
})
