// What a token must claim: its type, its audience, and its times.

import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { FakeClock } from '../../fakes/clock.ts'
import { bearerWith, outcomeOf } from './asking.ts'
import { tokenTable, type TokenCase } from './token-table.ts'
import {
  claimsOf,
  headerText,
  keySetOf,
  makeKey,
  NOW,
  signedText,
  type IssuerKey,
} from './issuing.ts'

let key: IssuerKey
before(async () => {
  key = await makeKey()
})

const CLAIMS = JSON.stringify(claimsOf())

const tableOf = (cases: readonly TokenCase[]): void => tokenTable(() => keySetOf(key), cases)

describe('the type of a token', () => {
  const CASES = [
    { typ: undefined, any: 'authenticated', access: 'token-type' },
    { typ: 'JWT', any: 'authenticated', access: 'token-type' },
    { typ: 'jwt', any: 'authenticated', access: 'token-type' },
    { typ: 'at+jwt', any: 'authenticated', access: 'authenticated' },
    { typ: 'AT+JWT', any: 'authenticated', access: 'authenticated' },
    { typ: 'application/at+jwt', any: 'authenticated', access: 'authenticated' },
    { typ: 'application/application/at+jwt', any: 'token-type', access: 'token-type' },
    { typ: 'dpop+jwt', any: 'token-type', access: 'token-type' },
    { typ: 'logout+jwt', any: 'token-type', access: 'token-type' },
    { typ: 'secevent+jwt', any: 'token-type', access: 'token-type' },
    { typ: 'client-authentication+jwt', any: 'token-type', access: 'token-type' },
    { typ: '', any: 'token-type', access: 'token-type' },
    { typ: null, any: 'token-type', access: 'token-type' },
    { typ: ['at+jwt'], any: 'token-type', access: 'token-type' },
  ]
  for (const { typ, any, access } of CASES) {
    it(`${JSON.stringify(typ)}: ${any}, ${access}`, async () => {
      const token = signedText(key, headerText({ typ }), CLAIMS)
      assert.equal(await outcomeOf(bearerWith(keySetOf(key)), token), any)
      const strict = bearerWith(keySetOf(key), { kind: 'access' })
      assert.equal(await outcomeOf(strict, token), access)
    })
  }
})

describe('claims that are wrong', () => {
  const claiming = (claims: Readonly<Record<string, unknown>>) => () => key.token(claimsOf(claims))
  const raw = (changes: string) => () =>
    signedText(
      key,
      headerText(),
      `${JSON.stringify(claimsOf({ exp: undefined })).slice(0, -1)},${changes}}`,
    )
  tableOf([
    { name: 'one audience', token: claiming({ aud: 'kubernetes' }), want: 'authenticated' },
    { name: 'a list', token: claiming({ aud: ['x', 'second'] }), want: 'authenticated' },
    {
      name: 'a list of other audiences',
      token: claiming({ aud: ['x', 'y'] }),
      want: 'token-audience',
    },
    { name: 'another audience', token: claiming({ aud: 'x' }), want: 'token-audience' },
    { name: 'no audience', token: claiming({ aud: undefined }), want: 'token-audience' },
    { name: 'an empty list', token: claiming({ aud: [] }), want: 'token-audience' },
    {
      name: 'an audience within',
      token: claiming({ aud: 'kubernetes x' }),
      want: 'token-audience',
    },
    { name: 'in another case', token: claiming({ aud: 'Kubernetes' }), want: 'token-audience' },
    {
      name: 'a list within a list',
      token: claiming({ aud: [['kubernetes']] }),
      want: 'token-audience',
    },
    { name: 'an object', token: claiming({ aud: { kubernetes: 1 } }), want: 'token-audience' },
    { name: 'no expiry', token: claiming({ exp: undefined }), want: 'token-claims' },
    { name: 'an expiry as text', token: claiming({ exp: '9' }), want: 'credential-malformed' },
    {
      name: 'an expiry that is null',
      token: claiming({ exp: null }),
      want: 'credential-malformed',
    },
    { name: 'an endless expiry', token: raw('"exp":1e999'), want: 'credential-malformed' },
    { name: 'an expiry beyond all dates', token: raw('"exp":1e15'), want: 'credential-malformed' },
    { name: 'a negative expiry', token: claiming({ exp: -1 }), want: 'credential-malformed' },
    { name: 'nbf as text', token: claiming({ nbf: '9' }), want: 'credential-malformed' },
    { name: 'iat as a list', token: claiming({ iat: [1] }), want: 'credential-malformed' },
    { name: 'no subject', token: claiming({ sub: undefined }), want: 'token-claims' },
    { name: 'an empty subject', token: claiming({ sub: '' }), want: 'token-claims' },
    { name: 'a subject that is a number', token: claiming({ sub: 7 }), want: 'token-claims' },
    {
      name: 'many claims',
      token: claiming({ groups: Array(800).fill('group') }),
      want: 'authenticated',
    },
    {
      name: 'too many',
      token: claiming({ groups: Array(4_000).fill('g') }),
      want: 'credential-malformed',
    },
  ])
})

describe('the time of a token', () => {
  const CASES = [
    { name: 'exp, one second before', claims: { exp: NOW + 1 }, want: 'authenticated' },
    { name: 'exp, now', claims: { exp: NOW }, want: 'token-expired' },
    { name: 'exp, a fraction left', claims: { exp: NOW + 0.5 }, want: 'authenticated' },
    { name: 'nbf, now', claims: { nbf: NOW }, want: 'authenticated' },
    { name: 'nbf, in one second', claims: { nbf: NOW + 1 }, want: 'token-not-yet-valid' },
    { name: 'iat, now', claims: { iat: NOW }, want: 'authenticated' },
    { name: 'iat, in one second', claims: { iat: NOW + 1 }, want: 'token-not-yet-valid' },
    { name: 'iat is not needed', claims: { iat: undefined }, want: 'authenticated' },
    { name: 'exp, within the skew', skew: 10, claims: { exp: NOW - 9 }, want: 'authenticated' },
    { name: 'exp, at the skew', skew: 10, claims: { exp: NOW - 10 }, want: 'token-expired' },
    { name: 'nbf, at the skew', skew: 10, claims: { nbf: NOW + 10 }, want: 'authenticated' },
    { name: 'nbf, past it', skew: 10, claims: { nbf: NOW + 11 }, want: 'token-not-yet-valid' },
    { name: 'iat, past it', skew: 10, claims: { iat: NOW + 11 }, want: 'token-not-yet-valid' },
  ]
  for (const { name, claims, want, skew = 0 } of CASES) {
    it(`${name}: ${want}`, async () => {
      const authenticator = bearerWith(keySetOf(key), { skew: skew * 1_000 })
      assert.equal(await outcomeOf(authenticator, await key.token(claimsOf(claims))), want)
    })
  }

  it('within the skew is not remembered', async () => {
    const clock = new FakeClock()
    const authenticator = bearerWith(keySetOf(key), { clock, skew: 10_000 })
    const token = await key.token(claimsOf({ exp: NOW - 5 }))
    assert.equal(await outcomeOf(authenticator, token), 'authenticated')
    clock.advance(5_000)
    assert.equal(await outcomeOf(authenticator, token), 'token-expired')
  })
})
