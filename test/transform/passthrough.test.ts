// `passthrough`: the caller's own credential is forwarded where an authenticator of the route takes it, and
// nothing else that is stripped does.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { CredentialLocation } from '../../src/request/credential-location.ts'
import { BEARER_LOCATIONS } from '../../src/authenticate/bearer/bearer-credentials.ts'
import { transform, type Credentials } from '../../src/transform/apply.ts'
import { placesOf, placesWithout } from '../../src/transform/strip.ts'
import type { HeaderLines, RequestParts } from '../fakes/envoy.ts'
import { outgoing } from '../fakes/outgoing.ts'
import { permitFor } from '../fakes/permit.ts'

const FOREVER = new AbortController().signal

const API_KEY: CredentialLocation = { kind: 'header', name: 'x-api-key' }

const passed = async (
  locations: readonly CredentialLocation[],
  request: RequestParts,
  places = placesWithout(locations, ['x-own']),
): Promise<Credentials> => {
  const result = await transform(permitFor({}, request), outgoing([], { places }), FOREVER)
  assert.equal(result.outcome, 'transformed')
  return result.credentials
}

describe('passthrough of the caller’s credential', () => {
  const CASES: readonly {
    readonly name: string
    readonly locations: readonly CredentialLocation[]
    readonly headers: HeaderLines
    readonly want: readonly string[]
  }[] = [
    {
      name: 'keeps a bearer token',
      locations: BEARER_LOCATIONS,
      headers: [['authorization', 'Bearer x']],
      want: [],
    },
    {
      name: 'keeps a DPoP-bound token with its proof',
      locations: BEARER_LOCATIONS,
      headers: [
        ['authorization', 'DPoP x'],
        ['dpop', 'proof'],
      ],
      want: [],
    },
    {
      name: 'keeps an API key, and removes headers that look like one',
      locations: [API_KEY],
      headers: [
        ['X-Api-Key', 'k'],
        ['x_api_key', 'k'],
        ['x.api!key', 'k'],
      ],
      want: ['x_api_key', 'x.api!key'],
    },
    {
      name: 'keeps no credential that no authenticator of the route reads',
      locations: [API_KEY],
      headers: [
        ['authorization', 'Bearer x'],
        ['proxy-authorization', 'Basic x'],
        ['x-api-key', 'k'],
      ],
      want: ['authorization', 'proxy-authorization'],
    },
    {
      name: 'keeps no identity headers of the client',
      locations: BEARER_LOCATIONS,
      headers: [
        ['x-remote-user', 'root'],
        ['x_webauth_user', 'root'],
        ['x-own', 'x'],
        ['X_Own', 'x'],
      ],
      want: ['x-remote-user', 'x_webauth_user', 'x-own', 'X_Own'],
    },
    {
      name: 'keeps no certificate in a header',
      locations: [
        { kind: 'connection', header: 'client-cert' },
        { kind: 'connection', header: 'ssl-client-cert' },
      ],
      headers: [
        ['client-cert', ':AA==:'],
        ['ssl-client-cert', 'x'],
      ],
      want: ['client-cert', 'ssl-client-cert'],
    },
  ]
  for (const { name, locations, headers, want } of CASES) {
    it(name, async () => {
      assert.deepEqual((await passed(locations, { headers })).removeHeaders, want)
    })
  }

  const SOCKET: RequestParts = {
    headers: [
      ['upgrade', 'websocket'],
      ['sec-websocket-protocol', 'base64url.bearer.authorization.k8s.io.eA, v4.channel.k8s.io'],
    ],
  }

  it('keeps a token among subprotocols, which is removed otherwise', async () => {
    assert.deepEqual((await passed(BEARER_LOCATIONS, SOCKET)).setHeaders, [])
    const without = await passed(BEARER_LOCATIONS, SOCKET, placesOf(BEARER_LOCATIONS, ['x-own']))
    assert.deepEqual(without.setHeaders, [['sec-websocket-protocol', 'v4.channel.k8s.io']])
  })

  it('keeps a key in the query, which is removed otherwise', async () => {
    const locations: readonly CredentialLocation[] = [{ kind: 'query', name: 'api_key' }]
    const request = { path: '/a?api_key=k&b=1' }
    assert.deepEqual((await passed(locations, request)).setHeaders, [])
    const without = await passed(locations, request, placesOf(locations, ['x-own']))
    assert.deepEqual(without.setHeaders, [[':path', '/a?b=1']])
  })
})
