// How good a token still is, by clocks that differ and are set.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  formatLogin,
  freshnessOf,
  parseLogin,
  renewalOf,
  usualKind,
  type Freshness,
  type Login,
  type Tokens,
} from '../../../src/cli/login/login-record.ts'

const OBTAINED = 1_800_000_000_000
const MINUTE = 60_000

const tokens: Tokens = {
  subject: 'u-1',
  user: 'alice',
  idToken: { value: 'id' },
  accessToken: { value: 'access' },
  obtained: OBTAINED,
}

describe('a cached token', () => {
  const CASES: readonly {
    name: string
    life: number | undefined
    after: number
    want: Freshness
  }[] = [
    { name: 'that is new', life: 10 * MINUTE, after: 0, want: 'fresh' },
    { name: 'that ends in a minute', life: 10 * MINUTE, after: 9 * MINUTE - 1, want: 'fresh' },
    { name: 'in its last minute', life: 10 * MINUTE, after: 9 * MINUTE, want: 'ending' },
    { name: 'that ends now', life: 10 * MINUTE, after: 10 * MINUTE, want: 'over' },
    {
      name: 'of a minute’s lifetime, in the first four fifths',
      life: MINUTE,
      after: 47_999,
      want: 'fresh',
    },
    {
      name: 'of a minute’s lifetime, in its last fifth',
      life: MINUTE,
      after: 48_000,
      want: 'ending',
    },
    { name: 'that had ended when it was issued', life: -MINUTE, after: 0, want: 'over' },
    { name: 'without a lifetime', life: 0, after: 0, want: 'over' },
    { name: 'of unknown lifetime, new', life: undefined, after: 5 * MINUTE, want: 'fresh' },
    { name: 'of unknown lifetime, old', life: undefined, after: 5 * MINUTE + 1, want: 'ending' },
    { name: 'from slightly in the future', life: 10 * MINUTE, after: -MINUTE, want: 'fresh' },
    { name: 'from the future', life: 10 * MINUTE, after: -MINUTE - 1, want: 'ending' },
    {
      name: 'of unknown lifetime, from the future',
      life: undefined,
      after: -2 * MINUTE,
      want: 'ending',
    },
  ]
  for (const { name, life, after, want } of CASES) {
    it(`${name} is ${want}`, () => {
      const token = { value: 't', ...(life === undefined ? {} : { expires: OBTAINED + life }) }
      assert.equal(freshnessOf(tokens, token, OBTAINED + after), want)
    })
  }

  it('is renewed when it is no longer fresh', () => {
    const token = { value: 't', expires: OBTAINED + 10 * MINUTE }
    const renewal = renewalOf(tokens, token) ?? 0
    assert.equal(freshnessOf(tokens, token, renewal - 1), 'fresh')
    assert.equal(freshnessOf(tokens, token, renewal), 'ending')
    assert.equal(renewalOf(tokens, { value: 't' }), undefined)
  })
})

describe('a cached login', () => {
  const login: Login = {
    ...tokens,
    issuer: 'https://id.example.org',
    clientId: 'cli',
    scope: 'openid',
    resource: 'urn:a',
    audience: 'b',
    ca: '/ca.pem',
    clientSecretFile: '/secret',
    refreshToken: 'r',
    idToken: { value: 'id', expires: OBTAINED + 1 },
  }

  it('is read as it was written', () => {
    assert.deepEqual(parseLogin(formatLogin(login)), login)
  })

  it('is read without optional fields', () => {
    const { scope: _a, resource: _b, audience: _c, ca: _d, clientSecretFile: _e, ...some } = login
    const { refreshToken: _f, ...least } = some
    assert.deepEqual(parseLogin(formatLogin(least)), least)
  })

  it('is of an ID token by default', () => {
    assert.equal(usualKind({ issuer: 'i', clientId: 'c' }), 'id_token')
    assert.equal(usualKind({ issuer: 'i', clientId: 'c', resource: 'r' }), 'access_token')
    assert.equal(usualKind({ issuer: 'i', clientId: 'c', audience: 'a' }), 'access_token')
  })
})
