// How Countersign authenticates at an authorization server: what it sends, as other libraries read it.

import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, it } from 'node:test'
import { jwtVerify } from 'jose'
import type { Algorithm } from '../../../src/keys/algorithm.ts'
import {
  certificateOnly,
  readSigningKey,
  secretInForm,
  secretInHeader,
  signedAssertion,
} from '../../../src/clients/token-endpoint/client-authentication.ts'
import { systemClock } from '../../../src/runtime/clock.ts'

const ENDPOINT = new URL('https://login.example.org/introspect')

describe('a client secret', () => {
  // RFC 6749 §2.3.1, Appendix B.
  const CASES = [
    { id: 'plain', secret: 'secret', want: 'plain:secret' },
    { id: 'a:b', secret: 'c:d', want: 'a%3Ab:c%3Ad' },
    { id: 'with space', secret: 'p+q%r&s=t', want: 'with+space:p%2Bq%25r%26s%3Dt' },
    { id: ' %&+£€', secret: 'ü', want: '+%25%26%2B%C2%A3%E2%82%AC:%C3%BC' },
  ]
  for (const { id, secret, want } of CASES) {
    it(`is form-encoded in the header: ${want}`, () => {
      const { headers, form } = secretInHeader(id, secret)(ENDPOINT)
      const [scheme, encoded = ''] = (headers['authorization'] ?? '').split(' ')
      assert.equal(scheme, 'Basic')
      assert.equal(Buffer.from(encoded, 'base64').toString(), want)
      assert.deepEqual(form, {})
    })
  }

  it('is in the form where `method` is post', () => {
    const { headers, form } = secretInForm('a:b', 's')(ENDPOINT)
    assert.deepEqual(
      { headers, form },
      { headers: {}, form: { client_id: 'a:b', client_secret: 's' } },
    )
  })

  it('is left out with a certificate: the form has the client_id only', () => {
    assert.deepEqual(certificateOnly('c')(ENDPOINT), { headers: {}, form: { client_id: 'c' } })
  })

  it('is not in the output of inspect', () => {
    for (const make of [secretInHeader, secretInForm]) {
      assert.ok(!inspect(make('id', 'the-secret'), { depth: 9, showHidden: true }).includes('the-'))
    }
  })
})

const pemOf = (key: KeyObject): Buffer =>
  Buffer.from(key.export({ type: 'pkcs8', format: 'pem' }).toString())

const PAIRS = {
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  RS256: generateKeyPairSync('rsa', { modulusLength: 2_048 }),
  PS256: generateKeyPairSync('rsa', { modulusLength: 2_048 }),
  EdDSA: generateKeyPairSync('ed25519'),
} as const satisfies Readonly<Partial<Record<Algorithm, unknown>>>

describe('a signed client assertion', () => {
  for (const algorithm of ['ES256', 'RS256', 'PS256', 'EdDSA'] as const) {
    it(`is verified by jose: ${algorithm}`, async () => {
      const { publicKey, privateKey } = PAIRS[algorithm]
      const sign = signedAssertion({
        id: 'countersign',
        key: readSigningKey('client.key', pemOf(privateKey), algorithm),
        algorithm,
        keyId: 'k1',
        audience: undefined,
        lifetime: 60_000,
        clock: systemClock,
      })
      const { headers, form } = sign(ENDPOINT)
      assert.deepEqual(headers, {})
      assert.equal(form['client_id'], 'countersign')
      assert.equal(
        form['client_assertion_type'],
        'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      )
      const { payload, protectedHeader } = await jwtVerify(
        form['client_assertion'] ?? '',
        publicKey,
        {
          algorithms: [algorithm],
          issuer: 'countersign',
          subject: 'countersign',
          audience: ENDPOINT.href,
          requiredClaims: ['jti', 'exp', 'iat'],
        },
      )
      assert.equal(protectedHeader.kid, 'k1')
      assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 60)
    })
  }

  it('has the configured audience, no kid without a key id, and a new jti each time', async () => {
    const { publicKey, privateKey } = PAIRS.EdDSA
    const sign = signedAssertion({
      id: 'c',
      key: privateKey,
      algorithm: 'EdDSA',
      keyId: undefined,
      audience: 'https://login.example.org',
      lifetime: 60_000,
      clock: systemClock,
    })
    const texts = [1, 2].map(() => sign(ENDPOINT).form['client_assertion'] ?? '')
    const verified = await Promise.all(
      texts.map((text) => jwtVerify(text, publicKey, { audience: 'https://login.example.org' })),
    )
    assert.equal(new Set(verified.map(({ payload }) => payload.jti)).size, 2)
    assert.ok(verified.every(({ protectedHeader }) => !('kid' in protectedHeader)))
  })

  const short = generateKeyPairSync('rsa', { modulusLength: 1_024 })
  const pss = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const WRONG = [
    { name: 'a text', pem: Buffer.from('the-secret'), algorithm: 'ES256' },
    {
      name: 'a public key',
      pem: Buffer.from(PAIRS.ES256.publicKey.export({ type: 'spki', format: 'pem' })),
      algorithm: 'ES256',
    },
    { name: 'a key of another type', pem: pemOf(PAIRS.RS256.privateKey), algorithm: 'ES256' },
    { name: 'a key of another curve', pem: pemOf(pss.privateKey), algorithm: 'ES256' },
    { name: 'a key that is too short', pem: pemOf(short.privateKey), algorithm: 'RS256' },
    {
      name: 'an encrypted key',
      pem: Buffer.from(
        PAIRS.ES256.privateKey.export({
          type: 'pkcs8',
          format: 'pem',
          cipher: 'aes-256-cbc',
          passphrase: 'x',
        }),
      ),
      algorithm: 'ES256',
    },
  ] as const
  for (const { name, pem, algorithm } of WRONG) {
    it(`is refused with ${name} as its key`, () => {
      assert.throws(
        () => readSigningKey('client.key', pem, algorithm),
        (error) => {
          assert.ok(error instanceof Error && error.message.startsWith('client.key holds no '))
          const body = pem.toString().split('\n')[1] ?? 'the-secret'
          assert.ok(!inspect(error, { depth: 9 }).includes(body))
          return true
        },
      )
    })
  }
})
