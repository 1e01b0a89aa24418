// Which origins may send requests with a browser's session.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Authentication } from '../../../src/authenticate/authenticator.ts'
import { sameOriginOnly } from '../../../src/authenticate/session/same-origin.ts'
import { credentialOf, fakeAuthenticator } from '../../fakes/authenticator.ts'
import { requestOf } from '../../fakes/envoy.ts'

const FOREVER = new AbortController().signal
const PROVEN: Authentication = { outcome: 'authenticated', credential: credentialOf() }
const APP = 'https://app.example.org'

const OWN = { origin: 'https://api.example.org:8443' }
const SIBLING = { origin: 'https://evil.example.org' }

describe('a session', () => {
  const CASES: readonly {
    name: string
    method?: string
    headers: Readonly<Record<string, string>>
    want: 'authenticated' | 'cross-origin'
  }[] = [
    { name: 'is accepted for a GET from any origin', headers: SIBLING, want: 'authenticated' },
    {
      name: 'is accepted for a POST from its own origin',
      method: 'POST',
      headers: OWN,
      want: 'authenticated',
    },
    {
      name: 'is accepted for a POST whose Origin is null and whose Sec-Fetch-Site is same-origin',
      method: 'POST',
      headers: { origin: 'null', 'sec-fetch-site': 'same-origin' },
      want: 'authenticated',
    },
    {
      name: 'is accepted for a POST that a user started at the address bar',
      method: 'POST',
      headers: { 'sec-fetch-site': 'none' },
      want: 'authenticated',
    },
    {
      name: 'is accepted for a DELETE without Origin and Sec-Fetch-Site, as programs send it',
      method: 'DELETE',
      headers: {},
      want: 'authenticated',
    },
    {
      name: 'is accepted for a WebSocket of its own origin',
      headers: { upgrade: 'websocket', ...OWN },
      want: 'authenticated',
    },
    {
      name: 'is accepted for a POST from a listed origin',
      method: 'POST',
      headers: { origin: APP, 'sec-fetch-site': 'same-site' },
      want: 'authenticated',
    },
    {
      name: 'hostile: is refused for a POST from another host of the domain',
      method: 'POST',
      headers: SIBLING,
      want: 'cross-origin',
    },
    {
      name: 'hostile: is refused for a PUT from another host whose Sec-Fetch-Site is same-site',
      method: 'PUT',
      headers: { ...SIBLING, 'sec-fetch-site': 'same-site' },
      want: 'cross-origin',
    },
    {
      name: 'hostile: is refused for a DELETE without Origin whose Sec-Fetch-Site is cross-site',
      method: 'DELETE',
      headers: { 'sec-fetch-site': 'cross-site' },
      want: 'cross-origin',
    },
    {
      name: 'hostile: is refused for a POST from an opaque origin, without Sec-Fetch-Site',
      method: 'POST',
      headers: { origin: 'null' },
      want: 'cross-origin',
    },
    {
      name: 'hostile: is refused for a POST from the same host over http',
      method: 'POST',
      headers: { origin: 'http://api.example.org' },
      want: 'cross-origin',
    },
    {
      name: 'hostile: is refused for a WebSocket from another host',
      headers: { upgrade: 'websocket', ...SIBLING },
      want: 'cross-origin',
    },
    {
      name: 'hostile: is refused for a WebSocket over HTTP/2 from another host (RFC 8441)',
      method: 'CONNECT',
      headers: SIBLING,
      want: 'cross-origin',
    },
    {
      name: 'hostile: is refused for a POST from a host whose name begins like its own',
      method: 'POST',
      headers: { origin: 'https://api.example.org.evil.example' },
      want: 'cross-origin',
    },
  ]
  for (const { name, method = 'GET', headers, want } of CASES) {
    it(name, async () => {
      const authenticator = sameOriginOnly(fakeAuthenticator('browser', PROVEN), new Set([APP]))
      const host = 'api.example.org:8443'
      const request = requestOf({ method, host, headers: Object.entries(headers) })
      const answer = await authenticator.authenticate(request, FOREVER)
      assert.equal(answer.outcome === 'rejected' ? answer.code : answer.outcome, want)
    })
  }

  it('a session that is absent is left to the other authenticators', async () => {
    const none = fakeAuthenticator('browser', { outcome: 'not-applicable' })
    const request = requestOf({ method: 'POST', headers: Object.entries(SIBLING) })
    const answer = await sameOriginOnly(none, new Set()).authenticate(request, FOREVER)
    assert.equal(answer.outcome, 'not-applicable')
  })
})
