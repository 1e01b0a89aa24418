// Tokens that are bound to a key of the caller (RFC 9449 §7): with which scheme they are accepted, and with whose
// proof.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import type { HeaderLines } from '../../fakes/envoy.ts'
import { asEnvoySends, presentedCertificate } from '../../fixtures/presented.ts'
import { bearerWith } from './asking.ts'
import { answerTo, ask, authenticatorWith, bound, caller, key, unbound } from './holding.ts'
import { claimsOf, encode, ISSUER, keySetOf, makeKey } from './issuing.ts'
import { makeCaller, presentedWith, type Caller } from './proving.ts'

describe('a token and its scheme', () => {
  interface Case {
    readonly name: string
    /** What the proof is for. */
    readonly token?: string
    readonly headers: (proof: string) => HeaderLines
    readonly want: string
  }
  const CASES: readonly Case[] = [
    {
      name: 'bound, with DPoP and a proof',
      headers: (proof) => presentedWith(bound, proof),
      want: 'authenticated',
    },
    {
      name: 'bound, with the scheme in another case',
      headers: (proof) => [
        ['authorization', `dPOP   ${bound}`],
        ['dpop', proof],
      ],
      want: 'authenticated',
    },
    {
      name: 'bound, as a bearer token',
      headers: () => [['authorization', `Bearer ${bound}`]],
      want: 'token-binding',
    },
    {
      name: 'bound, as a bearer token with a proof',
      headers: (proof) => [
        ['authorization', `Bearer ${bound}`],
        ['dpop', proof],
      ],
      want: 'token-binding',
    },
    {
      name: 'bound, in a subprotocol with a proof',
      headers: (proof) => [
        ['upgrade', 'websocket'],
        ['sec-websocket-protocol', `x,base64url.bearer.authorization.k8s.io.${encode(bound)}`],
        ['dpop', proof],
      ],
      want: 'token-binding',
    },
    {
      name: 'not bound, with DPoP and a proof',
      token: unbound,
      headers: (proof) => presentedWith(unbound, proof),
      want: 'token-binding',
    },
    {
      name: 'not bound, as a bearer token',
      headers: () => [['authorization', `Bearer ${unbound}`]],
      want: 'authenticated',
    },
    {
      name: 'not bound, as a bearer token with a proof in addition',
      headers: () => [
        ['authorization', `Bearer ${unbound}`],
        ['dpop', 'nonsense'],
      ],
      want: 'authenticated',
    },
    {
      name: 'bound, with DPoP and no proof',
      headers: () => [['authorization', `DPoP ${bound}`]],
      want: 'proof-invalid',
    },
    {
      name: 'bound, with an empty proof',
      headers: () => presentedWith(bound, ''),
      want: 'proof-invalid',
    },
    {
      name: 'bound, with two lines of proof',
      headers: (proof) => [...presentedWith(bound, proof), ['dpop', proof]],
      want: 'proof-invalid',
    },
    {
      name: 'bound, with a proof and an empty line',
      headers: (proof) => [...presentedWith(bound, proof), ['dpop', '']],
      want: 'proof-invalid',
    },
    {
      name: 'bound, with two proofs in a line',
      headers: (proof) => presentedWith(bound, `${proof},${proof}`),
      want: 'proof-invalid',
    },
    {
      name: 'bound, with bytes for a proof',
      headers: () => [
        ['authorization', `DPoP ${bound}`],
        ['dpop', Buffer.alloc(300, 0xff)],
      ],
      want: 'proof-invalid',
    },
    {
      name: 'two tokens that Envoy joined',
      headers: (proof) => presentedWith(`${bound},DPoP ${bound}`, proof),
      want: 'credential-malformed',
    },
    {
      name: 'no token',
      headers: (proof) => presentedWith('', proof),
      want: 'credential-malformed',
    },
    { name: 'a proof alone', headers: (proof) => [['dpop', proof]], want: 'not-applicable' },
    {
      name: 'a scheme that begins alike',
      headers: (proof) => [
        ['authorization', `DPoPs ${bound}`],
        ['dpop', proof],
      ],
      want: 'not-applicable',
    },
  ]
  for (const { name, token = bound, headers, want } of CASES) {
    it(`${name}: ${want}`, async () => {
      const proof = await caller.proof(token)
      assert.equal(await ask(authenticatorWith(), headers(proof)), want)
    })
  }

  it('of another issuer is passed on, and so is an opaque one', async () => {
    const foreign = await key.token(claimsOf({ iss: 'https://other' }))
    for (const token of [foreign, 'opaque']) {
      const outcome = await ask(
        authenticatorWith(),
        presentedWith(token, await caller.proof(token)),
      )
      assert.equal(outcome, 'not-applicable')
    }
  })

  it('is not read where proofs are not checked', async () => {
    const plain = bearerWith(keySetOf(key))
    for (const token of [bound, unbound]) {
      const outcome = await ask(plain, presentedWith(token, await caller.proof(token)))
      assert.equal(outcome, 'not-applicable')
    }
    assert.equal(await ask(plain, [['authorization', `Bearer ${bound}`]]), 'token-binding')
  })

  it('is proven itself, whatever the proof', async () => {
    const expired = await key.token(claimsOf({ exp: 1, cnf: { jkt: caller.thumbprint } }))
    const forged = await (await makeKey()).token(claimsOf({ cnf: { jkt: caller.thumbprint } }))
    const presented = async (token: string): Promise<string> =>
      await ask(authenticatorWith(), presentedWith(token, await caller.proof(token)))
    assert.equal(await presented(expired), 'token-expired')
    assert.equal(await presented(forged), 'token-signature')
  })
})

describe('a DPoP-bound token', () => {
  it('is accepted from the holder of its key, with any algorithm', async () => {
    for (const algorithm of ['RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'Ed25519']) {
      const [holder, thief] = await Promise.all([makeCaller(algorithm), makeCaller(algorithm)])
      const token = await key.token(claimsOf({ cnf: { jkt: holder.thumbprint } }))
      const authenticator = authenticatorWith()
      const presented = async (by: Caller) =>
        await ask(authenticator, presentedWith(token, await by.proof(token)))
      assert.deepEqual(
        [await presented(holder), await presented(thief), await presented(holder)],
        ['authenticated', 'proof-invalid', 'authenticated'],
      )
    }
  })

  it('is rejected with a proof for another token', async () => {
    const second = await key.token(claimsOf({ jti: 'x', cnf: { jkt: caller.thumbprint } }))
    const proof = await caller.proof(second)
    assert.equal(await ask(authenticatorWith(), presentedWith(bound, proof)), 'proof-invalid')
  })

  const JKT = [undefined, null, 1, '', ['x'], { jkt: 'x' }]
  for (const jkt of JKT) {
    it(`is rejected when its cnf.jkt is ${JSON.stringify(jkt)}`, async () => {
      const token = await key.token(claimsOf({ cnf: { jkt } }))
      const outcome = await ask(
        authenticatorWith(),
        presentedWith(token, await caller.proof(token)),
      )
      assert.equal(outcome, jkt === '' ? 'proof-invalid' : 'token-binding')
    })
  }

  it('needs the certificate as well when it is bound to both', async () => {
    const der = await presentedCertificate()
    const thumbprint = createHash('sha256').update(der).digest('base64url')
    const cnf = { jkt: caller.thumbprint, 'x5t#S256': thumbprint }
    const token = await key.token(claimsOf({ cnf }))
    const presented = async (peerCertificate: string) =>
      await ask(authenticatorWith(), presentedWith(token, await caller.proof(token)), {
        peerCertificate,
      })
    assert.equal(await presented(asEnvoySends(der)), 'authenticated')
    assert.equal(await presented(''), 'token-binding')
    const other = await presentedCertificate({ subject: [{ CN: 'bob' }] })
    assert.equal(await presented(asEnvoySends(other)), 'token-binding')
  })

  it('yields the same credential object each time', async () => {
    const authenticator = authenticatorWith()
    const presented = async () =>
      await answerTo(authenticator, presentedWith(bound, await caller.proof(bound)))
    const [first, second] = [await presented(), await presented()]
    assert.ok(first.outcome === 'authenticated' && second.outcome === 'authenticated')
    assert.equal(first.credential, second.credential)
    assert.equal(first.credential.user, `${ISSUER}#alice`)
  })
})

describe('where tokens have to be bound', () => {
  it('plain bearer tokens are refused, and those of a certificate are not', async () => {
    const der = await presentedCertificate()
    const thumbprint = createHash('sha256').update(der).digest('base64url')
    const ofCertificate = await key.token(claimsOf({ cnf: { 'x5t#S256': thumbprint } }))
    const authenticator = authenticatorWith({ require: true })
    const parts = { peerCertificate: asEnvoySends(der) }
    const bearer = (token: string): HeaderLines => [['authorization', `Bearer ${token}`]]
    assert.equal(await ask(authenticator, bearer(unbound), parts), 'token-binding')
    assert.equal(await ask(authenticator, bearer(ofCertificate), parts), 'authenticated')
    assert.equal(await ask(authenticator, bearer(ofCertificate)), 'token-binding')
    const proven = presentedWith(bound, await caller.proof(bound))
    assert.equal(await ask(authenticator, proven), 'authenticated')
  })
})
