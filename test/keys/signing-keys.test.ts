// The list of signing keys: what it may look like, and what is refused before anything in it is
// published.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { thumbprintOf } from '../../src/keys/public-key.ts'
import {
  formatSigningKeys,
  NO_SIGNING_KEYS,
  parseSigningKeys,
} from '../../src/keys/signing-keys.ts'
import { RFC_7515_A_2, RFC_7638_3_1, RFC_8037_A } from '../fixtures/jose-vectors.ts'

const SOURCE = '/etc/countersign/keys/keys.json'

const TIME = '2026-01-01T00:00:00Z'
const ED = {
  kid: RFC_8037_A.thumbprint,
  algorithm: 'EdDSA',
  jwk: RFC_8037_A.jwk,
  created: TIME,
  signsFrom: TIME,
}
const RSA = { ...ED, kid: RFC_7638_3_1.thumbprint, algorithm: 'RS256', jwk: RFC_7638_3_1.jwk }

const WEAK = {
  kty: 'RSA',
  n: Buffer.alloc(128, 0xfd).toString('base64url'),
  e: 'AQAB',
} as const

const listOf = (...keys: readonly object[]): string => JSON.stringify({ version: 1, keys })

const refusalOf = (text: string): string => {
  try {
    parseSigningKeys(SOURCE, text)
  } catch (cause) {
    assert.ok(cause instanceof Error && 'code' in cause)
    assert.equal(cause.code, 'signing-keys-invalid')
    return cause.message
  }
  return 'taken'
}

describe('a list of signing keys', () => {
  it('is read as it was written', () => {
    const list = parseSigningKeys(SOURCE, listOf(ED, { ...RSA, revoked: TIME }))
    assert.deepEqual(parseSigningKeys(SOURCE, formatSigningKeys(list)), list)
    assert.equal(list.keys[1]?.revoked, TIME)
  })

  it('may be empty', () => {
    assert.deepEqual(parseSigningKeys(SOURCE, listOf()), NO_SIGNING_KEYS)
  })

  it('may have times with any offset', () => {
    const text = listOf({ ...ED, signsFrom: '2026-01-01T02:00:00.25+02:00' })
    assert.equal(
      Date.parse(parseSigningKeys(SOURCE, text).keys[0]?.signsFrom ?? ''),
      Date.UTC(2026) + 250,
    )
  })
})

describe('a malformed list of signing keys', () => {
  const whole = listOf(ED, RSA)
  const CASES: readonly { readonly name: string; readonly input: string; readonly want: RegExp }[] =
    [
      { name: 'an empty file', input: '', want: /is not JSON; restore it/ },
      { name: 'a truncated list', input: whole.slice(0, -20), want: /is not JSON; restore it/ },
      { name: 'a private key', input: '-----BEGIN PRIVATE KEY-----', want: /is not JSON/ },
      {
        name: 'a key set',
        input: JSON.stringify({ keys: [ED.jwk] }),
        want: /is not a list of signing keys/,
      },
      { name: 'the list of a later version', input: '{"version":2,"keys":[]}', want: /at version/ },
      { name: 'null in place of a list', input: 'null', want: /is not a list/ },
      {
        name: 'a list with __proto__',
        input: `{"__proto__":{"keys":[]},${whole.slice(1)}`,
        want: /Unrecognized key: "__proto__"/,
      },
      {
        name: 'a key with __proto__',
        input: listOf(ED).replace('{"kid"', '{"__proto__":{"revoked":null},"kid"'),
        want: /at keys\.0: Unrecognized key: "__proto__"/,
      },
      {
        name: 'an unknown algorithm',
        input: listOf({ ...ED, algorithm: 'HS256' }),
        want: /at keys\.0\.algorithm/,
      },
      {
        name: 'the algorithm none',
        input: listOf({ ...ED, algorithm: 'none' }),
        want: /at keys\.0\.algorithm/,
      },
      {
        name: 'a symmetric key',
        input: listOf({ ...ED, jwk: { kty: 'oct', k: 'AA' } }),
        want: /at keys\.0\.jwk/,
      },
      {
        name: 'a key with its private part, which would be published',
        input: listOf({
          ...ED,
          jwk: { ...ED.jwk, d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A' },
        }),
        want: /at keys\.0\.jwk: Unrecognized key: "d"/,
      },
      {
        name: 'an invalid time',
        input: listOf({ ...ED, signsFrom: 'soon' }),
        want: /at keys\.0\.signsFrom/,
      },
      {
        name: 'an invalid day',
        input: listOf({ ...ED, created: '2026-02-30T00:00:00Z' }),
        want: /at keys\.0\.created/,
      },
      {
        name: 'a revocation that is not a time',
        input: listOf({ ...ED, revoked: true }),
        want: /at keys\.0\.revoked/,
      },
      {
        name: 'a repeated key',
        input: listOf(ED, RSA, { ...ED, signsFrom: '2027-01-01T00:00:00Z' }),
        want: /holds a key twice$/,
      },
      // The private half of a retired key is not read: a wrong public one would be published.
      {
        name: 'a key with the kid of another',
        input: listOf({ ...RSA, kid: ED.kid }),
        want: /does not match its name/,
      },
      {
        name: 'a key with one character changed',
        input: listOf({ ...RSA, jwk: { ...RSA.jwk, n: RSA.jwk.n.replace('0vx7', '0vx8') } }),
        want: /does not match its name/,
      },
      {
        name: 'a key of another algorithm',
        input: listOf({ ...ED, algorithm: 'ES256' }),
        want: /is not a key for ES256$/,
      },
      {
        name: 'a weak key',
        input: listOf({
          ...RSA,
          kid: thumbprintOf(WEAK),
          jwk: WEAK,
        }),
        want: /has 1024 bits, where 2048 to 8192 belong$/,
      },
    ]
  for (const { name, input, want } of CASES) {
    it(`is ${name}`, () => {
      const message = refusalOf(input)
      assert.match(message, want)
      assert.ok(message.startsWith(SOURCE), message)
      assert.ok(!message.includes('nWGxne_9'), message)
    })
  }

  // The name of a key becomes the name of a file.
  const KIDS = [
    '../x',
    `../${'x'.repeat(40)}`,
    `/etc/${'x'.repeat(38)}`,
    `..${'/..'.repeat(13)}/x`,
    `${'x'.repeat(42)}/`,
    `${'x'.repeat(42)}\\`,
    `${'x'.repeat(42)}.`,
    `${'x'.repeat(42)}\n`,
    `${'x'.repeat(43)}\n`,
    `${'x'.repeat(42)}\0`,
    'x'.repeat(42),
    'x'.repeat(44),
    '',
    '.',
    '..',
    'keys.json',
    'ä'.repeat(43),
  ]
  for (const kid of KIDS) {
    it(`has the kid ${JSON.stringify(kid)}, which could leave the folder`, () => {
      assert.match(refusalOf(listOf({ ...ED, kid })), /at keys\.0\.kid: must be a thumbprint/)
    })
  }
})

describe('the error about a list of signing keys', () => {
  it('does not quote the text, which may be secret', () => {
    const pem = RFC_7515_A_2.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    assert.ok(!refusalOf(pem).includes('BEGIN'))
  })
})
