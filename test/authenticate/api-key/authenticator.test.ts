// The authenticator for API keys: its outcomes, its challenges, and expiry to the millisecond.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { KeyLocation } from '../../../src/authenticate/api-key/locations.ts'
import { hashOf, newApiKey } from '../../../src/authenticate/api-key/key.ts'
import { KeysFile } from '../../../src/authenticate/api-key/keys-file.ts'
import { apiKeyAuthenticator } from '../../../src/authenticate/api-key/authenticator.ts'
import type { Authentication, Authenticator } from '../../../src/authenticate/authenticator.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { requestOf, type RequestParts } from '../../fakes/envoy.ts'

const FOREVER = new AbortController().signal
const END = Date.UTC(2030, 0, 1)

const ci = newApiKey('ci')
const off = newApiKey('off')
const brief = newApiKey('brief')
const FILE = `
keys:
  ci: { hash: '${hashOf(ci)}', user: alice, groups: [dev] }
  off: { hash: '${hashOf(off)}', user: bob, disabled: true }
  brief: { hash: '${hashOf(brief)}', user: carol, expires: 2030-01-01T00:00:00Z }
`

const PLACES: readonly KeyLocation[] = [
  { kind: 'header', name: 'x-api-key' },
  { kind: 'header', name: 'authorization', scheme: 'Token' },
  { kind: 'query', name: 'api_key' },
]

const KEYS = await KeysFile.parse('/etc/api-keys.yaml', FILE)

const authenticatorAt = (now: number): Authenticator =>
  apiKeyAuthenticator({
    name: 'programs',
    realm: 'Site',
    places: PLACES,
    keys: KEYS,
    clock: new FakeClock(now),
  })

const authenticate = async (request: RequestParts, now = END - 1): Promise<Authentication> =>
  await authenticatorAt(now).authenticate(requestOf(request), FOREVER)

const withKey = (key: string): RequestParts => ({ headers: [['x-api-key', key]] })

describe('an API key', () => {
  const ALICE = {
    method: 'api-key',
    digest: 'ci',
    user: 'alice',
    uid: undefined,
    groups: ['dev'],
    extra: {},
    expires: undefined,
    presented: { proven: true, id: 'ci' },
  } as const

  const PROVEN: readonly { name: string; request: RequestParts }[] = [
    { name: 'in a header', request: withKey(ci) },
    { name: 'under a scheme', request: { headers: [['authorization', `Token ${ci}`]] } },
    { name: 'in the query', request: { path: `/?a=b&api_key=${ci}` } },
  ]
  for (const { name, request } of PROVEN) {
    it(`${name} proves its owner, by its id`, async () => {
      assert.deepEqual(await authenticate(request), { outcome: 'authenticated', credential: ALICE })
    })
  }

  const REJECTED: readonly { name: string; request: RequestParts; want: object }[] = [
    {
      name: 'of an id that the file does not have',
      request: withKey(newApiKey('nobody')),
      want: { code: 'api-key-unknown', presented: { proven: false, id: 'nobody' } },
    },
    {
      name: 'of an id that the file has, with another secret',
      request: withKey(newApiKey('ci')),
      want: { code: 'api-key-unknown', presented: { proven: false, id: 'ci' } },
    },
    {
      name: 'that is disabled',
      request: withKey(off),
      want: { code: 'api-key-unknown', presented: { proven: false, id: 'off' } },
    },
    {
      name: 'with a character appended',
      request: withKey(`${ci}x`),
      want: { code: 'credential-malformed' },
    },
    {
      name: 'that is its hash',
      request: withKey(hashOf(ci)),
      want: { code: 'credential-malformed' },
    },
    {
      name: 'percent-encoded',
      request: { path: `/?api_key=${ci.replace('csk', '%63sk')}` },
      want: { code: 'credential-malformed' },
    },
    {
      name: 'twice',
      request: { path: `/?api_key=${ci}`, ...withKey(ci) },
      want: { code: 'credential-conflict' },
    },
  ]
  for (const { name, request, want } of REJECTED) {
    it(`${name} is rejected`, async () => {
      assert.deepEqual(await authenticate(request), { outcome: 'rejected', ...want })
    })
  }

  it('is not applicable where there is none', async () => {
    assert.deepEqual(await authenticate({}), { outcome: 'not-applicable' })
  })
})

describe('an API key that expires', () => {
  it('authenticates its user until then, and yields its expiry', async () => {
    const authentication = await authenticate(withKey(brief), END - 1)
    assert.ok(authentication.outcome === 'authenticated')
    assert.equal(authentication.credential.expires, END)
  })

  for (const now of [END, END + 1]) {
    it(`is rejected from its expiry on, with the name of its user (${now - END} ms)`, async () => {
      const want = {
        outcome: 'rejected',
        code: 'api-key-expired',
        user: 'carol',
        presented: { proven: true, id: 'brief' },
      }
      assert.deepEqual(await authenticate(withKey(brief), now), want)
    })
  }

  it('is unknown, not expired, when the secret is wrong, so that the answer does not reveal its user', async () => {
    assert.deepEqual(await authenticate(withKey(newApiKey('brief')), END), {
      outcome: 'rejected',
      code: 'api-key-unknown',
      presented: { proven: false, id: 'brief' },
    })
  })
})

describe('an API key authenticator', () => {
  it('has a challenge for each configured location', () => {
    assert.deepEqual(authenticatorAt(0).challenges, [
      'ApiKey realm="Site", in="header", name="x-api-key"',
      'Token realm="Site"',
      'ApiKey realm="Site", in="query", name="api_key"',
    ])
  })

  it('has every configured location, so that the API key is stripped', () => {
    assert.deepEqual(authenticatorAt(0).locations, [
      { kind: 'header', name: 'x-api-key' },
      { kind: 'header', name: 'authorization' },
      { kind: 'query', name: 'api_key' },
    ])
  })
})
