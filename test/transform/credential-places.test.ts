// Invariant: what a route takes as a credential never reaches its upstream, in any spelling; and all
// else does, as it was.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { CredentialLocation } from '../../src/request/credential-location.ts'
import { transform, type Credentials } from '../../src/transform/apply.ts'
import { complaintAboutLocation } from '../../src/request/credential-header-names.ts'
import { kubernetesHeaders } from '../../src/transform/headers/kubernetes-headers.ts'
import { placesOf } from '../../src/transform/strip.ts'
import type { RequestParts } from '../fakes/envoy.ts'
import { permitFor } from '../fakes/permit.ts'
import { outgoing } from '../fakes/outgoing.ts'

const FOREVER = new AbortController().signal

const CARRIERS: readonly CredentialLocation[] = [
  { kind: 'header', name: 'x-api-key' },
  { kind: 'header', name: 'authorization' },
  { kind: 'query', name: 'api_key' },
  { kind: 'connection', header: 'ssl-client-cert' },
]

const credentialsOf = async (
  request: RequestParts,
  locations: readonly CredentialLocation[] = CARRIERS,
): Promise<Credentials> => {
  const permit = permitFor({}, request)
  const route = outgoing([kubernetesHeaders()], { places: placesOf(locations) })
  const result = await transform(permit, route, FOREVER)
  assert.equal(result.outcome, 'transformed')
  return result.credentials
}

describe('a header that carries a credential', () => {
  for (const name of ['x-api-key', 'X-Api-Key', 'x_api_key', 'X_API_key', 'ssl_client_cert']) {
    it(`is removed as ${name}`, async () => {
      const { removeHeaders } = await credentialsOf({ headers: [[name, 'S']] })
      assert.deepEqual(removeHeaders, [name])
    })
  }

  it('is removed in all its spellings, with what is always removed', async () => {
    const { removeHeaders } = await credentialsOf({
      headers: [
        ['x-api-key', 'S'],
        ['accept', '*/*'],
        ['x_api_key', 'T'],
        ['authorization', 'U'],
        ['x-api-key', 'V'],
      ],
    })
    assert.deepEqual(removeHeaders, ['x-api-key', 'x_api_key', 'authorization'])
  })

  it('stays where the route does not take it', async () => {
    const request: RequestParts = {
      headers: [['x-api-key', 'for the upstream']],
      path: '/?api_key=S',
    }
    for (const locations of [[], CARRIERS.slice(1, 2)]) {
      const { removeHeaders, setHeaders } = await credentialsOf(request, locations)
      assert.deepEqual([removeHeaders, setHeaders], [[], [['x-remote-user', 'alice']]])
    }
  })
})

describe('a parameter that carries a credential', () => {
  const CASES: readonly { name: string; path: string; want?: string }[] = [
    { name: 'alone', path: '/a?api_key=S', want: '/a' },
    { name: 'among other parameters', path: '/a?z=1&api_key=S&b&a=2&&', want: '/a?z=1&b&a=2&&' },
    { name: 'several times', path: '/a?api_key=S&b&api_key=T', want: '/a?b' },
    { name: 'behind a path that is encoded', path: '/%C3%BC%3f?api_key=S&b', want: '/%C3%BC%3f?b' },
    { name: 'not at all', path: '/a?b=1&a' },
    { name: 'not at all, with an empty query', path: '/a?' },
    { name: 'not at all, without a query', path: '/api_key=S' },
  ]
  for (const { name, path, want } of CASES) {
    it(`is taken out: ${name}`, async () => {
      const { setHeaders } = await credentialsOf({ path })
      const paths = setHeaders.filter(([header]) => header === ':path').map(([, value]) => value)
      assert.deepEqual(paths, want === undefined ? [] : [want])
      assert.deepEqual(setHeaders[0], ['x-remote-user', 'alice'])
    })
  }

  const REFERERS: readonly { referer: string; want?: string }[] = [
    { referer: 'https://app.example.org/page?api_key=S', want: 'https://app.example.org/page' },
    { referer: 'https://app.example.org/?a=b&API_KEY=S', want: 'https://app.example.org/' },
    { referer: 'https://app.example.org/?a?%61pi_key=S#x', want: 'https://app.example.org/' },
    { referer: 'https://app.example.org/ü?api_key=S', want: 'https://app.example.org/' },
    { referer: 'ü?api_key=S', want: '' },
    { referer: 'https://app.example.org/?a=b' },
    { referer: 'https://app.example.org/api_key=S' },
  ]
  for (const { referer, want } of REFERERS) {
    it(`is taken out of the Referer ${referer}`, async () => {
      const { setHeaders } = await credentialsOf({ headers: [['referer', referer]] })
      const values = setHeaders.filter(([header]) => header === 'referer').map(([, value]) => value)
      assert.deepEqual(values, want === undefined ? [] : [want])
    })
  }
})

describe('the places of a route', () => {
  it('are none where every location is stripped anyway', () => {
    const locations: readonly CredentialLocation[] = [
      { kind: 'header', name: 'authorization' },
      { kind: 'subprotocol', prefix: 'x' },
      { kind: 'connection' },
      { kind: 'connection', header: 'x-forwarded-client-cert' },
    ]
    assert.equal(placesOf(locations), undefined)
    assert.equal(placesOf([]), undefined)
  })
})

describe('a header may be chosen for credentials', () => {
  for (const name of ['x-api-key', 'api-key', 'authorization', 'private-token', 'x-auth-token']) {
    it(`is accepted as a credential location: ${name}`, () =>
      assert.equal(complaintAboutLocation(name), undefined))
  }
})

describe('a header may not be chosen for credentials', () => {
  const OURS = [
    'x-remote-user',
    'x-remote-anything',
    'impersonate-user',
    'x-cert-subject',
    'x-countersign-key',
    'client-cert',
    'audit-id',
    'proxy-authorization',
    'X_Remote_Key',
  ]
  for (const name of OURS) {
    it(`a header that Countersign sets is refused for credentials: ${name}`, () => {
      assert.match(complaintAboutLocation(name) ?? '', /sets or removes itself; choose another/)
    })
  }

  const NEEDED = [
    'host',
    'Host',
    'content-length',
    'content-type',
    'cookie',
    'connection',
    'te',
    'trailer',
    'transfer-encoding',
    'upgrade',
    'keep-alive',
    'expect',
    'x-request-id',
    'x-envoy-key',
    'x-forwarded-for',
    'sec-websocket-protocol',
    'grpc-timeout',
    'referer',
  ]
  for (const name of NEEDED) {
    it(`a header that is needed otherwise is refused for credentials: ${name}`, () => {
      assert.match(complaintAboutLocation(name) ?? '', /is needed for something else/)
    })
  }
})
