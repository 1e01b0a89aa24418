// Tokens that belong to a certificate or a key (RFC 8705, RFC 9449): worth nothing in other hands.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { before, describe, it } from 'node:test'
import { asEnvoySends, presentedCertificate } from '../../fixtures/presented.ts'
import { bearerWith, outcomeOf } from './asking.ts'
import { claimsOf, keySetOf, makeKey, type IssuerKey } from './issuing.ts'

let key: IssuerKey
let alice: string
let bob: string
let thumbprint: string
before(async () => {
  key = await makeKey()
  const der = await presentedCertificate()
  alice = asEnvoySends(der)
  bob = asEnvoySends(await presentedCertificate({ subject: [{ CN: 'bob' }] }))
  thumbprint = createHash('sha256').update(der).digest('base64url')
})

describe('a token that is bound', () => {
  interface Case {
    readonly name: string
    readonly cnf: () => unknown
    readonly certificate?: () => string
    readonly want: 'authenticated' | 'token-binding'
  }
  const bound = (): unknown => ({ 'x5t#S256': thumbprint })
  const CASES: readonly Case[] = [
    { name: 'with its certificate', cnf: bound, certificate: () => alice, want: 'authenticated' },
    {
      name: 'with its certificate first in a chain',
      cnf: bound,
      certificate: () => alice + bob,
      want: 'authenticated',
    },
    {
      name: 'with its certificate second',
      cnf: bound,
      certificate: () => bob + alice,
      want: 'token-binding',
    },
    { name: 'with none', cnf: bound, want: 'token-binding' },
    { name: 'with another', cnf: bound, certificate: () => bob, want: 'token-binding' },
    { name: 'with nonsense', cnf: bound, certificate: () => '%zz', want: 'token-binding' },
    {
      name: 'to a padded thumbprint',
      cnf: () => ({ 'x5t#S256': `${thumbprint}=` }),
      certificate: () => alice,
      want: 'token-binding',
    },
    {
      name: 'to an empty thumbprint',
      cnf: () => ({ 'x5t#S256': '' }),
      certificate: () => alice,
      want: 'token-binding',
    },
    {
      name: 'to the SHA-1 thumbprint only',
      cnf: () => ({ x5t: thumbprint }),
      certificate: () => alice,
      want: 'token-binding',
    },
    { name: 'to a DPoP key', cnf: () => ({ jkt: thumbprint }), want: 'token-binding' },
    {
      name: 'to a DPoP key and its certificate',
      cnf: () => ({ jkt: thumbprint, 'x5t#S256': thumbprint }),
      certificate: () => alice,
      want: 'token-binding',
    },
    { name: 'to a key', cnf: () => ({ jwk: key.jwk }), want: 'token-binding' },
    { name: 'to nothing that is known', cnf: () => ({}), want: 'token-binding' },
    { name: 'in no form at all', cnf: () => thumbprint, want: 'token-binding' },
    { name: 'to null', cnf: () => null, want: 'token-binding' },
    { name: 'not at all', cnf: () => undefined, want: 'authenticated' },
    {
      name: 'not at all, with a certificate',
      cnf: () => undefined,
      certificate: () => bob,
      want: 'authenticated',
    },
  ]
  for (const { name, cnf, certificate = () => '', want } of CASES) {
    it(`${name}: ${want}`, async () => {
      const token = await key.token(claimsOf({ cnf: cnf() }))
      const parts = { peerCertificate: certificate() }
      assert.equal(await outcomeOf(bearerWith(keySetOf(key)), token, parts), want)
    })
  }

  it('is compared for every request, also when it is remembered', async () => {
    const authenticator = bearerWith(keySetOf(key))
    const token = await key.token(claimsOf({ cnf: { 'x5t#S256': thumbprint } }))
    const outcomes = [alice, bob, '', alice].map((peerCertificate) =>
      outcomeOf(authenticator, token, { peerCertificate }),
    )
    const want = ['authenticated', 'token-binding', 'token-binding', 'authenticated']
    assert.deepEqual(await Promise.all(outcomes), want)
    assert.equal(await outcomeOf(authenticator, token, { peerCertificate: bob }), 'token-binding')
    assert.equal(await outcomeOf(authenticator, token, { peerCertificate: alice }), 'authenticated')
  })
})
