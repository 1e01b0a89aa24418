// Scopes: what operations need, and what a token has.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { grantedScopes, hasScopes } from '../../../src/request/openapi/scopes.ts'

const GRANTED: readonly {
  name: string
  claims: Record<string, unknown> | undefined
  want: string[]
}[] = [
  { name: 'no claims', claims: undefined, want: [] },
  { name: 'no claim of scopes', claims: { sub: 'a' }, want: [] },
  {
    name: 'scope, separated by spaces (RFC 9068)',
    claims: { scope: 'a  b:c ' },
    want: ['a', 'b:c'],
  },
  {
    name: 'scp as a text (Entra ID)',
    claims: { scp: 'User.Read Mail.Send' },
    want: ['User.Read', 'Mail.Send'],
  },
  { name: 'scp as a list (Okta)', claims: { scp: ['a', 'b'] }, want: ['a', 'b'] },
  { name: 'both', claims: { scope: 'a', scp: ['b'] }, want: ['a', 'b'] },
  { name: 'only spaces part scopes', claims: { scope: 'a,b\tc' }, want: ['a,b\tc'] },
  { name: 'a list of other things', claims: { scp: [1, null, ['a'], { a: 1 }] }, want: [] },
  { name: 'an object', claims: { scope: { a: true } }, want: [] },
]

describe('grantedScopes', () => {
  for (const { name, claims, want } of GRANTED) {
    it(`reads the granted scopes from ${name}`, () => {
      assert.deepEqual([...grantedScopes(claims)], want)
    })
  }
})

const NEEDED: readonly { name: string; scopes: string[][]; granted: string[]; want: boolean }[] = [
  { name: 'none is needed', scopes: [[]], granted: [], want: true },
  { name: 'one alternative needs none', scopes: [['a'], []], granted: [], want: true },
  { name: 'all of one alternative', scopes: [['a', 'b'], ['c']], granted: ['b', 'a'], want: true },
  {
    name: 'a part of each alternative',
    scopes: [
      ['a', 'b'],
      ['c', 'd'],
    ],
    granted: ['a', 'c'],
    want: false,
  },
  { name: 'nothing is granted', scopes: [['a']], granted: [], want: false },
  { name: 'letter case counts', scopes: [['Read']], granted: ['read'], want: false },
  { name: 'no alternative at all is a refusal', scopes: [], granted: ['a'], want: false },
]

describe('hasScopes', () => {
  for (const { name, scopes, granted, want } of NEEDED) {
    it(name, () => {
      assert.equal(hasScopes(scopes, new Set(granted)), want)
    })
  }
})
