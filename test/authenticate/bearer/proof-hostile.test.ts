// Hostile DPoP proofs: each would let an attacker use a stolen token if it were accepted.

import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { describe, it } from 'node:test'
import { calculateJwkThumbprint } from 'jose'
import { MAX_PROOF_LENGTH } from '../../../src/authenticate/bearer/proof.ts'
import type { RequestParts } from '../../fakes/envoy.ts'
import { encode, NOW } from './issuing.ts'
import {
  bodyOf,
  caller,
  claiming,
  headerOf,
  heading,
  judge,
  other,
  rsa,
  signed,
  SKEW,
  tableOf,
  TOKEN,
} from './judging.ts'
import { claimsOf, type Members } from './proving.ts'

describe('a DPoP proof for another request', () => {
  const path = { path: '/admin' }
  const at = (htu: unknown, parts: RequestParts = path) => ({
    proof: claiming({ htu }),
    parts,
  })
  const ORIGIN = 'https://app.example.org'
  tableOf(true, [{ name: 'accepts the proof of this request (control)', ...at(`${ORIGIN}/admin`) }])
  tableOf(false, [
    { name: 'another method', proof: claiming({ htm: 'POST' }) },
    { name: 'the method in lower case', proof: claiming({ htm: 'get' }) },
    { name: 'several methods', proof: claiming({ htm: ['GET'] }) },
    { name: 'no method', proof: claiming({ htm: undefined }) },
    { name: 'no URI', ...at(undefined) },
    { name: 'several URIs', ...at([`${ORIGIN}/admin`]) },
    { name: 'an empty URI', ...at('') },
    { name: 'a path alone', ...at('/admin') },
    { name: 'another path', ...at(`${ORIGIN}/public`) },
    { name: 'a path that begins alike', ...at(`${ORIGIN}/admin2`) },
    { name: 'a path above', ...at(`${ORIGIN}/`) },
    { name: 'a slash behind', ...at(`${ORIGIN}/admin/`) },
    { name: 'a slash left out', ...at(`${ORIGIN}/admin`, { path: '/admin/' }) },
    { name: 'two slashes', ...at(`${ORIGIN}//admin`) },
    { name: 'another case of the path', ...at(`${ORIGIN}/Admin`) },
    { name: 'the query kept', ...at(`${ORIGIN}/admin?a=b`, { path: '/admin?a=b' }) },
    { name: 'an empty query', ...at(`${ORIGIN}/admin?`) },
    { name: 'a fragment', ...at(`${ORIGIN}/admin#x`) },
    { name: 'encoded dots that lead elsewhere', ...at(`${ORIGIN}/admin/%2e%2e/public`) },
    { name: 'an encoded slash', ...at(`${ORIGIN}/a%2Fb`, { path: '/a/b' }) },
    { name: 'an encoded semicolon', ...at(`${ORIGIN}/a%3Bb`, { path: '/a;b' }) },
    { name: 'a semicolon for an encoded one', ...at(`${ORIGIN}/a;b`, { path: '/a%3Bb' }) },
    { name: 'a question mark for an encoded one', ...at(`${ORIGIN}/a?b`, { path: '/a%3Fb' }) },
    { name: 'another host', ...at('https://app.example.com/admin') },
    { name: 'a host below', ...at('https://x.app.example.org/admin') },
    { name: 'a user before the host', ...at('https://alice@app.example.org/admin') },
    { name: 'the host as a user', ...at('https://app.example.org@evil.example/admin') },
    { name: 'another scheme', ...at('http://app.example.org/admin') },
    { name: 'a WebSocket scheme', ...at('wss://app.example.org/admin') },
    { name: 'another port', ...at(`${ORIGIN}:8443/admin`) },
    {
      name: 'the port that the request itself names',
      ...at(`${ORIGIN}:8443/admin`, { ...path, host: 'app.example.org:8443' }),
    },
    { name: 'a backslash', ...at(String.raw`${ORIGIN}\admin`) },
    { name: 'space before', ...at(` ${ORIGIN}/admin`) },
    { name: 'space behind', ...at(`${ORIGIN}/admin `) },
    { name: 'a line break', ...at(`${ORIGIN}/ad\nmin`) },
  ])
  tableOf(true, [
    { name: 'accepts the host in upper case', ...at('HTTPS://APP.EXAMPLE.ORG/admin') },
    { name: 'accepts the default port', ...at(`${ORIGIN}:443/admin`) },
    { name: 'accepts an encoded letter', ...at(`${ORIGIN}/%61dmin`) },
    { name: 'accepts dots that lead to its path', ...at(`${ORIGIN}/x/%2E%2e/./admin`) },
    {
      name: 'accepts hexadecimal digits in lower case',
      ...at(`${ORIGIN}/%c3%bc`, { path: '/%C3%BC' }),
    },
    {
      name: 'accepts an encoded letter in the request',
      ...at(`${ORIGIN}/~a`, { path: '/%7e%61' }),
    },
    { name: 'accepts an origin without a path', ...at(ORIGIN, { path: '/' }) },
  ])
})

describe('a DPoP proof of another time', () => {
  tableOf(false, [
    { name: 'stale', proof: claiming({ iat: NOW - 60 }) },
    {
      name: 'stale by more than the skew',
      proof: claiming({ iat: NOW - 65 }),
      rules: { skew: SKEW },
    },
    { name: 'of the future', proof: claiming({ iat: NOW + 1 }) },
    { name: 'of a far future', proof: claiming({ iat: NOW + 5.1 }), rules: { skew: SKEW } },
    { name: 'no time', proof: claiming({ iat: undefined }) },
    { name: 'the time as text', proof: claiming({ iat: String(NOW) }) },
    { name: 'the time in milliseconds', proof: claiming({ iat: NOW * 1_000 }) },
    {
      name: 'an infinite time',
      proof: () => signed(headerOf(), bodyOf().replace(`${NOW}`, '1e999')),
    },
    { name: 'a negative time', proof: claiming({ iat: -NOW }) },
    { name: 'a time that is null', proof: claiming({ iat: null }) },
    { name: 'expired by its own exp', proof: claiming({ exp: NOW }) },
    { name: 'not yet valid by its own nbf', proof: claiming({ nbf: NOW + 1 }) },
    { name: 'an exp that is not a number', proof: claiming({ exp: 'never' }) },
  ])
})

describe('a DPoP proof for another token', () => {
  tableOf(false, [
    { name: 'the hash of another', proof: () => caller.proof(`${TOKEN}x`) },
    { name: 'no hash', proof: claiming({ ath: undefined }) },
    { name: 'the token itself', proof: claiming({ ath: TOKEN }) },
    { name: 'padding', proof: claiming({ ath: `${String(claimsOf(TOKEN)['ath'])}=` }) },
    { name: 'a list', proof: claiming({ ath: [claimsOf(TOKEN)['ath']] }) },
  ])
})

describe('the jti of a DPoP proof that is refused', () => {
  tableOf(false, [
    { name: 'missing', proof: claiming({ jti: undefined }) },
    { name: 'empty', proof: claiming({ jti: '' }) },
    { name: 'a number', proof: claiming({ jti: 1 }) },
    { name: 'null', proof: claiming({ jti: null }) },
  ])
})

describe('an algorithm of a DPoP proof that is refused', () => {
  const unsigned = (header: Members, signature = 'YQ'): string =>
    `${encode(headerOf(header))}.${encode(bodyOf())}.${signature}`
  const hmac = (secret: string | Buffer, header: Members): string => {
    const text = `${encode(headerOf(header))}.${encode(bodyOf())}`
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
  }
  const OCT = { kty: 'oct', k: encode('secret') }
  tableOf(false, [
    { name: 'none', proof: () => unsigned({ alg: 'none' }, '') },
    { name: 'none, signed', proof: () => unsigned({ alg: 'none' }) },
    {
      name: 'HS256 with a secret of its own',
      proof: () => hmac('secret', { alg: 'HS256', jwk: OCT }),
    },
    {
      name: 'HS256 with the public key',
      proof: () => hmac(JSON.stringify(caller.jwk), { alg: 'HS256' }),
    },
    { name: 'no algorithm', proof: heading({ alg: undefined }) },
    { name: 'another of the same type of key', proof: heading({ alg: 'ES384' }) },
    {
      name: 'one of another curve, though the signature would hold',
      proof: () => {
        const text = `${encode(headerOf({ alg: 'ES384' }))}.${encode(bodyOf())}`
        const privateKey = { key: caller.privateKey, dsaEncoding: 'ieee-p1363' } as const
        return `${text}.${encode(sign('sha384', Buffer.from(text), privateKey))}`
      },
    },
    { name: 'one of another type of key', proof: heading({ alg: 'RS256' }) },
    {
      name: 'one that the key is not for',
      by: rsa,
      proof: () => rsa.proof(TOKEN, {}, { jwk: { ...rsa.jwk, alg: 'PS256' } }),
    },
    { name: 'one that is not allowed', proof: heading({}), rules: { algorithms: ['ES384'] } },
  ])
  tableOf(true, [
    { name: 'accepts RS256 with a public key', by: rsa, proof: () => rsa.proof(TOKEN) },
  ])
})

describe('the key of a DPoP proof that is refused', () => {
  const withKey = (more: Members) => (): string =>
    signed(headerOf({ jwk: { ...caller.jwk, ...more } }), bodyOf())
  const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
  tableOf(false, [
    { name: 'missing', proof: heading({ jwk: undefined }) },
    { name: 'null', proof: heading({ jwk: null }) },
    { name: 'text', proof: heading({ jwk: 'x' }) },
    { name: 'a list', proof: () => signed(headerOf({ jwk: [caller.jwk] }), bodyOf()) },
    {
      name: 'a whole private key',
      proof: () => signed(headerOf({ jwk: caller.privateJwk }), bodyOf()),
    },
    ...PRIVATE.map((member) => ({ name: `with "${member}"`, proof: withKey({ [member]: 'AQ' }) })),
    { name: 'with "d" that is null', proof: withKey({ d: null }) },
    { name: 'of another type', proof: withKey({ kty: 'RSA' }) },
    { name: 'of a type that is a property', proof: withKey({ kty: 'constructor' }) },
    { name: 'not on its curve', proof: withKey({ y: caller.jwk.x }) },
    { name: 'with a coordinate that is huge', proof: withKey({ x: 'A'.repeat(3_000) }) },
    { name: 'with a coordinate that is a number', proof: withKey({ x: 1 }) },
    { name: 'with padding', proof: withKey({ x: `${caller.jwk.x}=` }) },
    { name: 'for encryption', proof: withKey({ use: 'enc' }) },
    { name: 'for signing', proof: withKey({ key_ops: ['sign'] }) },
    { name: "another's", proof: () => other.proof(TOKEN) },
    { name: "the token's, signed by another", proof: () => signed(headerOf(), bodyOf(), other) },
  ])

  const weak =
    (modulusLength: number, publicExponent = 65_537) =>
    async (): Promise<boolean> => {
      const { publicKey, privateKey } = generateKeyPairSync('rsa', {
        modulusLength,
        publicExponent,
      })
      const jwk = publicKey.export({ format: 'jwk' })
      const text = `${encode(headerOf({ alg: 'RS256', jwk }))}.${encode(bodyOf())}`
      const proof = `${text}.${encode(sign('sha256', Buffer.from(text), privateKey))}`
      const by = { ...rsa, thumbprint: await calculateJwkThumbprint({ ...jwk, kty: 'RSA' }) }
      return await judge(proof, { by })
    }
  it('refuses an RSA key of 1024 bits', async () => assert.ok(!(await weak(1_024)())))
  it('accepts an RSA key of 2048 bits', async () => assert.ok(await weak(2_048)()))
  it('accepts an RSA key with the exponent 3', async () => assert.ok(await weak(2_048, 3)()))

  it('refuses an exponent that only costs time', async () => {
    const e = encode(Buffer.alloc(256, 0xff))
    const jwk = { kty: 'RSA', n: String(rsa.jwk.n), e }
    const by = { ...rsa, thumbprint: await calculateJwkThumbprint(jwk) }
    assert.ok(!(await judge(await rsa.proof(TOKEN, {}, { jwk }), { by })))
  })
})

describe('a header of a DPoP proof that demands more, or refers to another key', () => {
  tableOf(false, [
    { name: 'no type', proof: heading({ typ: undefined }) },
    { name: 'the type of an access token', proof: heading({ typ: 'at+jwt' }) },
    { name: 'the type of any token', proof: heading({ typ: 'JWT' }) },
    { name: 'the type in upper case', proof: heading({ typ: 'DPoP+JWT' }) },
    { name: 'the type as a list', proof: heading({ typ: ['dpop+jwt'] }) },
    { name: 'crit', proof: heading({ crit: ['exp'], exp: 1 }) },
    { name: 'an empty crit', proof: heading({ crit: [] }) },
    { name: 'crit null', proof: heading({ crit: null }) },
    { name: 'b64', proof: heading({ b64: true }) },
    {
      name: 'jku in place of a key',
      proof: heading({ jwk: undefined, jku: 'https://attacker.example/jwks' }),
    },
    { name: 'kid in place of a key', proof: heading({ jwk: undefined, kid: 'k1' }) },
  ])
  // RFC 7515 §4: parameters that are not understood are ignored; these are never read.
  tableOf(true, [
    {
      name: 'ignores kid, jku, x5u and x5c next to jwk',
      proof: heading({
        kid: '../k',
        jku: 'https://a.example',
        x5u: 'https://b.example',
        x5c: ['x'],
      }),
    },
  ])
})

describe('a DPoP header that is not exactly one JWT', () => {
  tableOf(false, [
    { name: 'nothing', proof: () => '' },
    { name: 'no dots', proof: () => 'abc' },
    { name: 'an encrypted one', proof: async () => `${await caller.proof(TOKEN)}.a.b` },
    { name: 'a fourth part', proof: async () => `${await caller.proof(TOKEN)}.a` },
    { name: 'no signature', proof: async () => (await caller.proof(TOKEN)).replace(/[^.]+$/, '') },
    {
      name: 'two, joined with a comma',
      proof: async () => `${await caller.proof(TOKEN)},${await caller.proof(TOKEN)}`,
    },
    { name: 'space before', proof: async () => ` ${await caller.proof(TOKEN)}` },
    { name: 'padding', proof: async () => `${await caller.proof(TOKEN)}=` },
    { name: 'claims that are a list', proof: () => signed(headerOf(), '[]') },
    {
      name: 'two methods',
      proof: () => signed(headerOf(), bodyOf().replace('{', '{"htm":"POST",')),
    },
    {
      name: 'two keys',
      proof: () =>
        signed(headerOf().replace('{', `{"jwk":${JSON.stringify(other.jwk)},`), bodyOf()),
    },
    {
      name: 'two keys, one escaped',
      proof: () => signed(headerOf().replace('{', String.raw`{"j\u0077k":{},`), bodyOf()),
    },
    {
      name: 'nested too deep',
      proof: claiming({ x: JSON.parse('['.repeat(40) + ']'.repeat(40)) }),
    },
    { name: 'too long', proof: claiming({ x: 'x'.repeat(MAX_PROOF_LENGTH) }) },
  ])
  tableOf(true, [{ name: 'accepts a long JWT', proof: claiming({ x: 'x'.repeat(4_000) }) }])
})
