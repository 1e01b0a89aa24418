// Where questions go: what an issuer names, and nothing else.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  discoveredEndpoint,
  fixedEndpoint,
  type Endpoint,
} from '../../../src/clients/token-endpoint/endpoint.ts'
import type { JsonObject } from '../../../src/runtime/json-object.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { ISSUER } from '../../authenticate/bearer/issuing.ts'

const FOREVER = new AbortController().signal
const INTROSPECT = 'https://login.example.org/introspect'

/** An endpoint of an issuer whose document a test changes; `undefined` while it is down. */
const discovered = (mutualTls = false) => {
  const clock = new FakeClock()
  const issuer = {
    document: {
      issuer: ISSUER,
      introspection_endpoint: INTROSPECT,
      mtls_endpoint_aliases: { introspection_endpoint: 'https://mtls.example.org/introspect' },
    } as JsonObject | undefined,
    requests: 0,
  }
  const endpoint: Endpoint = discoveredEndpoint({
    issuer: ISSUER,
    member: 'introspection_endpoint',
    mutualTls,
    clock,
    fetchJson: (url) => {
      issuer.requests += 1
      assert.equal(url.href, `${ISSUER}/.well-known/openid-configuration`)
      const { document } = issuer
      if (document === undefined) return Promise.reject(new Error('down'))
      return Promise.resolve({ document, maxAge: undefined })
    },
  })
  const url = async (): Promise<string> => (await endpoint(FOREVER)).href
  return { issuer, url, clock }
}

describe('an endpoint from the issuer’s metadata', () => {
  it('is looked up once, and again every 15 minutes', async () => {
    const { issuer, url, clock } = discovered()
    assert.equal(issuer.requests, 0)
    const found = await Promise.all([url(), url(), url()])
    assert.deepEqual(new Set(found), new Set([INTROSPECT]))
    assert.equal(issuer.requests, 1)
    issuer.document = { issuer: ISSUER, introspection_endpoint: `${INTROSPECT}2` }
    assert.equal(await url(), INTROSPECT)
    clock.advance(15 * 60_000)
    assert.equal(await url(), `${INTROSPECT}2`)
    // Down: the last endpoint stays in use, and is not looked up for each request.
    issuer.document = undefined
    clock.advance(15 * 60_000)
    assert.equal(await url(), `${INTROSPECT}2`)
    assert.equal(await url(), `${INTROSPECT}2`)
    assert.equal(issuer.requests, 3)
  })

  it('is the mtls_endpoint_alias where the client has a certificate (RFC 8705 §5)', async () => {
    const { issuer, url } = discovered(true)
    issuer.document = { issuer: ISSUER, introspection_endpoint: INTROSPECT }
    assert.equal(await url(), INTROSPECT)
    assert.equal(await discovered(true).url(), 'https://mtls.example.org/introspect')
  })

  it('fails while the issuer is down, and is looked up again for the next request', async () => {
    const { issuer, url } = discovered()
    const { document } = issuer
    issuer.document = undefined
    await assert.rejects(url(), /down/)
    issuer.document = document
    assert.equal(await url(), INTROSPECT)
  })

  const HOSTILE = [
    {
      name: 'of another issuer',
      document: { issuer: 'https://other', introspection_endpoint: INTROSPECT },
      error: /of another issuer/,
    },
    {
      name: 'without an issuer',
      document: { introspection_endpoint: INTROSPECT },
      error: /of another issuer/,
    },
    {
      name: 'without the endpoint',
      document: { issuer: ISSUER },
      error: /names no introspection_endpoint/,
    },
    {
      name: 'with a list of endpoints',
      document: { issuer: ISSUER, introspection_endpoint: [INTROSPECT] },
      error: /names no introspection_endpoint/,
    },
    {
      name: 'with an http: endpoint',
      document: { issuer: ISSUER, introspection_endpoint: 'http://login.example.org/x' },
      error: /must begin with https/,
    },
    {
      name: 'with an http: endpoint on this machine',
      document: { issuer: ISSUER, introspection_endpoint: 'http://127.0.0.1/x' },
      error: /is not https/,
    },
    {
      name: 'with a password in the endpoint',
      document: { issuer: ISSUER, introspection_endpoint: 'https://a:b@login.example.org' },
      error: /may have no user/,
    },
    {
      name: 'with a file: endpoint',
      document: { issuer: ISSUER, introspection_endpoint: 'file:///etc/passwd' },
      error: /must begin with https/,
    },
  ]
  for (const { name, document, error } of HOSTILE) {
    it(`hostile: refuses metadata ${name}`, async () => {
      const { issuer, url } = discovered()
      issuer.document = document
      await assert.rejects(url(), error)
    })
  }
})

describe('an endpoint from the configuration', () => {
  it('must be an https: URL without user and fragment', () => {
    for (const text of [
      'login.example.org',
      'http://login.example.org/x',
      'https://a@b',
      'https://a/#x',
    ]) {
      assert.throws(() => fixedEndpoint(text), { code: 'configuration-invalid' })
    }
  })
})
