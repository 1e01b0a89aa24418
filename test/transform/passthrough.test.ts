// `passthrough`: the caller's own credential is forwarded where an authenticator of the route takes it, and
// nothing else that is stripped does.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { CredentialLocation } from '../../src/request/credential-location.ts'
import { BEARER_CARRIERS } from '../../src/authenticate/bearer/bearer-credentials.ts'
import { transform, type Credentials } from '../../src/transform/apply.ts'
import { placesOf, placesWithout } from '../../src/transform/strip.ts'
import type { HeaderLines, RequestParts } from '../fakes/envoy.ts'
import { outgoing } from '../fakes/outgoing.ts'
import { permitFor } from '../fakes/permit.ts'

const FOREVER = new AbortController().signal

const API_KEY: CredentialLocation = { kind: 'header', name: 'x-api-key' }

const passed = async (
  carriers: readonly CredentialLocation[],
  request: RequestParts,
  places = placesWithout(carriers, ['x-own']),
): Promise<Credentials> => {
  const result = await transform(permitFor({}, request), outgoing([], { places }), FOREVER)
  assert.equal(result.outcome, 'transformed')
  return result.credentials
}

describe('passthrough', () => {
  const CASES: readonly {
    readonly name: string
    readonly carriers: readonly CredentialLocation[]
    readonly headers: HeaderLines
    readonly want: readonly string[]
  }[] = [
    {
      name: 'keeps a bearer token',
      carriers: BEARER_CARRIERS,
      headers: [['authorization', 'Bearer x']],
      want: [],
    },
    {
      name: 'keeps the proof of a bound one',
      carriers: BEARER_CARRIERS,
      headers: [
        ['authorization', 'DPoP x'],
        ['dpop', 'proof'],
      ],
      want: [],
    },
    {
      name: 'keeps an API key, and removes what only looks like one',
      carriers: [API_KEY],
      headers: [
        ['X-Api-Key', 'k'],
        ['x_api_key', 'k'],
        ['x.api!key', 'k'],
      ],
      want: ['x_api_key', 'x.api!key'],
    },
    {
      name: 'keeps nothing that no authenticator of the route reads',
      carriers: [API_KEY],
      headers: [
        ['authorization', 'Bearer x'],
        ['proxy-authorization', 'Basic x'],
        ['x-api-key', 'k'],
      ],
      want: ['authorization', 'proxy-authorization'],
    },
    {
      name: 'keeps no identity that the caller makes up',
      carriers: BEARER_CARRIERS,
      headers: [
        ['x-remote-user', 'root'],
        ['x_webauth_user', 'root'],
        ['x-own', 'x'],
        ['X_Own', 'x'],
      ],
      want: ['x-remote-user', 'x_webauth_user', 'x-own', 'X_Own'],
    },
    {
      name: 'keeps no certificate in a header: whose it is, only a connection says',
      carriers: [
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
  for (const { name, carriers, headers, want } of CASES) {
    it(name, async () => {
      assert.deepEqual((await passed(carriers, { headers })).removeHeaders, want)
    })
  }

  const SOCKET: RequestParts = {
    headers: [
      ['upgrade', 'websocket'],
      ['sec-websocket-protocol', 'base64url.bearer.authorization.k8s.io.eA, v4.channel.k8s.io'],
    ],
  }

  it('keeps a token among subprotocols, which is else taken out', async () => {
    assert.deepEqual((await passed(BEARER_CARRIERS, SOCKET)).setHeaders, [])
    const without = await passed(BEARER_CARRIERS, SOCKET, placesOf(BEARER_CARRIERS, ['x-own']))
    assert.deepEqual(without.setHeaders, [['sec-websocket-protocol', 'v4.channel.k8s.io']])
  })

  it('keeps a key in the query, which is else taken out', async () => {
    const carriers: readonly CredentialLocation[] = [{ kind: 'query', name: 'api_key' }]
    const request = { path: '/a?api_key=k&b=1' }
    assert.deepEqual((await passed(carriers, request)).setHeaders, [])
    const without = await passed(carriers, request, placesOf(carriers, ['x-own']))
    assert.deepEqual(without.setHeaders, [[':path', '/a?b=1']])
  })
})
