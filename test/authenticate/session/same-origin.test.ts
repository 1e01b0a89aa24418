// Whose pages may have a browser send something with its session.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Authentication } from '../../../src/authenticate/authenticator.ts'
import { sameOriginOnly } from '../../../src/authenticate/session/same-origin.ts'
import { factsOf, fakeAuthenticator } from '../../fakes/authenticator.ts'
import { requestOf } from '../../fakes/envoy.ts'

const FOREVER = new AbortController().signal
const PROVEN: Authentication = { outcome: 'authenticated', facts: factsOf() }
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
    { name: 'reads for whoever asks', headers: SIBLING, want: 'authenticated' },
    {
      name: 'changes something for its own pages',
      method: 'POST',
      headers: OWN,
      want: 'authenticated',
    },
    {
      name: 'changes something for its own pages, of which the browser says no origin',
      method: 'POST',
      headers: { origin: 'null', 'sec-fetch-site': 'same-origin' },
      want: 'authenticated',
    },
    {
      name: 'changes something for a person who typed the address',
      method: 'POST',
      headers: { 'sec-fetch-site': 'none' },
      want: 'authenticated',
    },
    {
      name: 'changes something for programs',
      method: 'DELETE',
      headers: {},
      want: 'authenticated',
    },
    {
      name: 'opens a WebSocket for its own pages',
      headers: { upgrade: 'websocket', ...OWN },
      want: 'authenticated',
    },
    {
      name: 'changes something for an origin that is listed',
      method: 'POST',
      headers: { origin: APP, 'sec-fetch-site': 'same-site' },
      want: 'authenticated',
    },
    {
      name: 'hostile: of another host of the domain',
      method: 'POST',
      headers: SIBLING,
      want: 'cross-origin',
    },
    {
      name: 'hostile: of another host, said by Fetch Metadata',
      method: 'PUT',
      headers: { ...SIBLING, 'sec-fetch-site': 'same-site' },
      want: 'cross-origin',
    },
    {
      name: 'hostile: without an origin',
      method: 'DELETE',
      headers: { 'sec-fetch-site': 'cross-site' },
      want: 'cross-origin',
    },
    {
      name: 'hostile: of a frame without an origin',
      method: 'POST',
      headers: { origin: 'null' },
      want: 'cross-origin',
    },
    {
      name: 'hostile: of the same host in the clear',
      method: 'POST',
      headers: { origin: 'http://api.example.org' },
      want: 'cross-origin',
    },
    {
      name: 'hostile: a WebSocket of another host',
      headers: { upgrade: 'websocket', ...SIBLING },
      want: 'cross-origin',
    },
    {
      name: 'hostile: a WebSocket by HTTP/2 (RFC 8441)',
      method: 'CONNECT',
      headers: SIBLING,
      want: 'cross-origin',
    },
    {
      name: 'hostile: a host whose name begins like ours',
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

  it('that is none is left to the others', async () => {
    const none = fakeAuthenticator('browser', { outcome: 'not-applicable' })
    const request = requestOf({ method: 'POST', headers: Object.entries(SIBLING) })
    const answer = await sameOriginOnly(none, new Set()).authenticate(request, FOREVER)
    assert.equal(answer.outcome, 'not-applicable')
  })
})
