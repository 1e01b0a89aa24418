// A request that shows two credentials is refused where only one of them could be meant.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { allOf } from '../../src/authenticate/all.ts'
import { anonymousAuthenticator } from '../../src/authenticate/anonymous.ts'
import {
  AUTHORIZATION,
  holds,
  type CredentialLocation,
} from '../../src/request/credential-location.ts'
import { Chain, type ChainLink } from '../../src/authenticate/chain.ts'
import { keySetOf, makeKey } from './bearer/issuing.ts'
import { bearerWith } from './bearer/asking.ts'
import { IdentityMapping } from '../../src/identity/mapping.ts'
import { BEARER_SUBPROTOCOL } from '../../src/request/subprotocols.ts'
import { credentialOf, fakeAuthenticator, PROVEN } from '../fakes/authenticator.ts'
import { basic, requestOf, type RequestParts } from '../fakes/envoy.ts'

const FOREVER = new AbortController().signal

const issuerKey = await makeKey()

const API_KEY: CredentialLocation = { kind: 'header', name: 'x-api-key' }
const API_KEY_PARAMETER: CredentialLocation = { kind: 'query', name: 'key' }
const SUBPROTOCOL: CredentialLocation = { kind: 'subprotocol', prefix: BEARER_SUBPROTOCOL }
const CONNECTION: CredentialLocation = { kind: 'connection' }
const FORWARDED: CredentialLocation = { kind: 'connection', header: 'x-forwarded-client-cert' }

/** Authenticates any request with a value in one of these locations. */
const taking = (...locations: readonly CredentialLocation[]): ChainLink => ({
  authenticator: fakeAuthenticator(
    'fake',
    (request) =>
      Promise.resolve(
        locations.some((location) => holds(request, location))
          ? PROVEN
          : { outcome: 'not-applicable' },
      ),
    'Fake',
    locations,
  ),
  mapping: new IdentityMapping('fake', { allowReserved: [] }),
})

const password = taking(AUTHORIZATION)
const token = taking(AUTHORIZATION, SUBPROTOCOL)
const key = taking(API_KEY)
const parameter = taking(API_KEY_PARAMETER)
const certificate = taking(CONNECTION)
const forwarded = taking(FORWARDED)

const authorization = ['authorization', basic('alice', 'secret')] as const
const apiKey = ['x-api-key', 'k'] as const
const subprotocol = ['sec-websocket-protocol', `x, ${BEARER_SUBPROTOCOL}abc`] as const
const xfcc = ['x-forwarded-client-cert', 'Hash=x'] as const

describe('two credentials', () => {
  const CASES: readonly {
    name: string
    links: readonly ChainLink[]
    request: RequestParts
    conflict: boolean
  }[] = [
    {
      name: 'a password and an API key',
      links: [password, key],
      request: { headers: [authorization, apiKey] },
      conflict: true,
    },
    {
      name: 'one of them alone',
      links: [password, key],
      request: { headers: [apiKey] },
      conflict: false,
    },
    { name: 'none', links: [password, key], request: {}, conflict: false },
    {
      name: 'a password and an API key that the route does not take',
      links: [password, token],
      request: { headers: [authorization, apiKey] },
      conflict: false,
    },
    {
      name: 'a password and a token in a subprotocol',
      links: [password, token],
      request: { headers: [authorization, subprotocol] },
      conflict: true,
    },
    {
      name: 'an API key and a token in a subprotocol',
      links: [key, token],
      request: { headers: [apiKey, subprotocol] },
      conflict: true,
    },
    {
      name: 'an API key in the query and a password',
      links: [parameter, password],
      request: { headers: [authorization], path: '/?a=b&key=k' },
      conflict: true,
    },
    {
      name: 'another parameter and a password',
      links: [parameter, password],
      request: { headers: [authorization], path: '/?keys=k' },
      conflict: false,
    },
    {
      name: 'a certificate and a password',
      links: [certificate, password],
      request: { headers: [authorization], peerCertificate: 'PEM' },
      conflict: false,
    },
    {
      name: 'a forwarded certificate and a password',
      links: [forwarded, password],
      request: { headers: [authorization, xfcc] },
      conflict: false,
    },
    {
      name: 'a password and an API key, where both are demanded',
      links: [allOf([password, key], false)],
      request: { headers: [authorization, apiKey] },
      conflict: false,
    },
    {
      name: 'a password and an API key, where both are demanded or one',
      links: [allOf([password, key], false), password],
      request: { headers: [authorization, apiKey] },
      conflict: false,
    },
    {
      name: 'a token in a subprotocol, for an authenticator that reads both places',
      links: [token, password],
      request: { headers: [subprotocol] },
      conflict: false,
    },
    {
      name: 'three of which two are demanded',
      links: [allOf([password, key], false), parameter],
      request: { headers: [authorization, apiKey], path: '/?key=k' },
      conflict: true,
    },
  ]
  for (const { name, links, request, conflict } of CASES) {
    it(`${name}: ${conflict ? 'refused' : 'not in conflict'}`, async () => {
      const chain = new Chain(links)
      const { link, authentication } = await chain.authenticate(requestOf(request), FOREVER)
      if (!conflict) {
        const presented = [authorization, apiKey, subprotocol].some((one) =>
          request.headers?.includes(one),
        )
        assert.equal(authentication.outcome, presented ? 'authenticated' : 'not-applicable')
        return
      }
      assert.equal(link, undefined)
      assert.deepEqual(authentication, { outcome: 'rejected', code: 'credential-conflict' })
    })
  }
})

describe('a token in the query (RFC 6750 §2.3)', () => {
  const bearer = { ...token, authenticator: bearerWith(keySetOf(issuerKey)) }
  const CASES: readonly {
    name: string
    links: readonly ChainLink[]
    request: RequestParts
    conflict: boolean
  }[] = [
    {
      name: 'is a second one, next to a token in the header',
      links: [bearer],
      request: { headers: [['authorization', 'Bearer @']], path: '/?a=b&access_token=t' },
      conflict: true,
    },
    {
      name: 'is a second one, next to a token in the header, when a certificate is demanded too',
      links: [allOf([bearer, certificate], false)],
      request: { headers: [['authorization', 'Bearer @']], path: '/?access_token=t' },
      conflict: true,
    },
    {
      name: 'alone is not read',
      links: [bearer],
      request: { path: '/?access_token=t' },
      conflict: false,
    },
    {
      name: 'is a parameter of the upstream, next to a password',
      links: [password, bearer],
      request: { headers: [authorization], path: '/?access_token=t' },
      conflict: false,
    },
    {
      name: 'is a parameter of the upstream, next to a certificate',
      links: [certificate, bearer],
      request: { peerCertificate: 'PEM', path: '/?access_token=t' },
      conflict: false,
    },
  ]
  for (const { name, links, request, conflict } of CASES) {
    it(`${name}: ${conflict ? 'refused' : 'not in conflict'}`, async () => {
      const { authentication } = await new Chain(links).authenticate(requestOf(request), FOREVER)
      const isConflict =
        authentication.outcome === 'rejected' && authentication.code === 'credential-conflict'
      assert.equal(isConflict, conflict)
    })
  }
})

describe('the anonymous authenticator', () => {
  const nobody = anonymousAuthenticator('nobody', { user: 'visitor', groups: ['visitors'] })

  it('authenticates a request without any credential', async () => {
    assert.deepEqual(await nobody.authenticate(requestOf(), FOREVER), {
      outcome: 'authenticated',
      credential: credentialOf({
        method: 'anonymous',
        digest: 'none',
        user: 'visitor',
        groups: ['visitors'],
      }),
    })
  })

  for (const header of [basic('alice', 'secret'), 'Negotiate abc', 'Bearer x', '']) {
    it(`is not applicable when Authorization is ${JSON.stringify(header)}, which no authenticator verifies`, async () => {
      const request = requestOf({ headers: [['authorization', header]] })
      assert.deepEqual(await nobody.authenticate(request, FOREVER), { outcome: 'not-applicable' })
    })
  }
})

describe('the anonymous authenticator at the end of a route', () => {
  const nobody: ChainLink = {
    authenticator: anonymousAuthenticator('nobody', { user: 'visitor', groups: [] }),
    mapping: new IdentityMapping('nobody', { allowReserved: [] }),
  }
  const both = allOf([token, key], false)
  const CASES: readonly {
    name: string
    links: readonly ChainLink[]
    request: RequestParts
    outcome: 'authenticated' | 'not-applicable'
  }[] = [
    {
      name: 'a request without any credential',
      links: [both, nobody],
      request: {},
      outcome: 'authenticated',
    },
    {
      name: 'a request with one of two demanded credentials',
      links: [both, nobody],
      request: { headers: [apiKey] },
      outcome: 'not-applicable',
    },
    {
      name: 'a request with one of two demanded credentials, in the query',
      links: [allOf([token, parameter], false), nobody],
      request: { path: '/?key=k' },
      outcome: 'not-applicable',
    },
    {
      name: 'a request with a token in a subprotocol, where an API key is demanded too',
      links: [both, nobody],
      request: { headers: [subprotocol] },
      outcome: 'not-applicable',
    },
    {
      name: 'a request with a certificate, where a token is demanded too',
      links: [allOf([certificate, token], false), nobody],
      request: { peerCertificate: 'PEM' },
      outcome: 'not-applicable',
    },
    {
      name: 'a request with a certificate and a header that the route does not read',
      links: [both, nobody],
      request: { peerCertificate: 'PEM', headers: [xfcc] },
      outcome: 'authenticated',
    },
  ]
  for (const { name, links, request, outcome } of CASES) {
    it(`${outcome === 'authenticated' ? 'authenticates' : 'is not applicable to'} ${name}`, async () => {
      const { authentication } = await new Chain(links).authenticate(requestOf(request), FOREVER)
      assert.equal(authentication.outcome, outcome)
    })
  }
})
