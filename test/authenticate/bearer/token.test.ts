// What a bearer token is: a signed JWT, a malformed one, or an opaque token.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readToken } from '../../../src/authenticate/bearer/token.ts'
import { randomFrom } from '../../fakes/random.ts'
import { claimsOf, encode, headerText, makeKey } from './issuing.ts'

const HEADER = encode(headerText())
const CLAIMS = encode('{"iss":"x"}')
const SIGNATURE = encode('signature')

describe('a signed token', () => {
  it('is taken apart', async () => {
    const key = await makeKey()
    const text = await key.token()
    const reading = readToken(text)
    assert.equal(reading.outcome, 'token')
    const { header, claims, signed, signature } = reading.token
    assert.deepEqual(header, { alg: 'ES256', kid: 'k1' })
    assert.deepEqual(claims, claimsOf())
    assert.equal(`${signed.toString()}.${encode(signature)}`, text)
  })

  it('cannot be changed, however deep', () => {
    const reading = readToken(`${HEADER}.${encode('{"a":[{"b":{}}],"c":null}')}.${SIGNATURE}`)
    assert.equal(reading.outcome, 'token')
    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return
      assert.ok(Object.isFrozen(value))
      Object.values(value).forEach(visit)
    }
    visit(reading.token.claims)
  })
})

describe('a token of another kind', () => {
  const CASES = [
    { name: 'one word', input: 'abc' },
    { name: 'padding', input: 'abc==' },
    { name: 'dots', input: 'xoxe.xoxp-1-abc' },
    { name: 'three parts that hold no JSON', input: 'abc.def.ghi' },
    { name: 'dots alone', input: '..' },
    { name: 'an encrypted JWT', input: `${encode('{"alg":"dir","enc":"A256GCM"}')}.a.b.c.d` },
    { name: 'JSON, but no object', input: `${encode('["alg"]')}.${CLAIMS}.${SIGNATURE}` },
  ]
  for (const { name, input } of CASES) {
    it(`is not read as a JWT: ${name}`, () =>
      assert.deepEqual(readToken(input), { outcome: 'opaque' }))
  }
})

describe('a token that is broken', () => {
  const CASES = [
    { name: 'no signature', input: `${HEADER}.${CLAIMS}` },
    { name: 'an empty signature', input: `${HEADER}.${CLAIMS}.` },
    { name: 'no claims', input: `${HEADER}..${SIGNATURE}` },
    { name: 'four parts', input: `${HEADER}.${CLAIMS}.${SIGNATURE}.x` },
    { name: 'six parts', input: `${HEADER}.${CLAIMS}.${SIGNATURE}.x.y.z` },
    { name: 'a dot behind', input: `${HEADER}.${CLAIMS}.${SIGNATURE}.` },
    { name: 'padding', input: `${HEADER}.${CLAIMS}.${encode('ab')}=` },
    { name: 'left-over bits in the signature', input: `${HEADER}.${CLAIMS}.YR` },
    {
      name: 'left-over bits in the header',
      input: `${encode('{}')}.${CLAIMS}.YQ`.replace(/0/, '1'),
    },
    { name: 'the other alphabet', input: `${HEADER}.${CLAIMS}.a+/b` },
    { name: 'white space in a part', input: `${HEADER}.${CLAIMS}.YQ \n` },
    { name: 'claims that are not JSON', input: `${HEADER}.${encode('alice')}.${SIGNATURE}` },
    { name: 'claims that are not an object', input: `${HEADER}.${encode('["a"]')}.${SIGNATURE}` },
    { name: 'claims that are a JWT', input: `${HEADER}.${encode(`${HEADER}.a.b`)}.${SIGNATURE}` },
    { name: 'a header that is cut', input: `${encode('{"alg":')}.${CLAIMS}.${SIGNATURE}` },
    {
      name: 'a header with a name twice',
      input: `${encode('{"alg":"none","alg":"ES256"}')}.${CLAIMS}.${SIGNATURE}`,
    },
    {
      name: 'claims with a name twice',
      input: `${HEADER}.${encode(String.raw`{"iss":"x","\u0069ss":"y"}`)}.${SIGNATURE}`,
    },
    {
      name: 'claims nested too deep',
      input: `${HEADER}.${encode(`{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}`)}.${SIGNATURE}`,
    },
  ]
  for (const { name, input } of CASES) {
    it(`is rejected as a malformed JWT: ${name}`, () =>
      assert.deepEqual(readToken(input), { outcome: 'malformed' }))
  }
})

describe('each part of a token', () => {
  const GOOD = [HEADER, CLAIMS, SIGNATURE]
  // Its second character holds bits that a decoder drops where it is the last one.
  const SPELLINGS = [
    { name: 'padded', spell: (part: string) => `${part}==` },
    { name: 'with a space before it', spell: (part: string) => ` ${part}` },
    {
      name: 'with a line feed in it',
      spell: (part: string) => `${part.slice(0, 4)}\n${part.slice(4)}`,
    },
    {
      name: 'with a character of base64',
      spell: (part: string) => `${part.slice(0, 8)}+${part.slice(9)}`,
    },
    {
      name: 'with a character of neither',
      spell: (part: string) => `${part.slice(0, 8)}*${part.slice(8)}`,
    },
    { name: 'with a character too many', spell: (part: string) => `${part}A` },
    { name: 'with bits that are dropped', spell: leftOver },
  ]
  for (const [place, name] of ['header', 'claims', 'signature'].entries()) {
    for (const { name: how, spell } of SPELLINGS) {
      it(`has one spelling: the ${name} ${how}`, () => {
        assert.equal(readToken(GOOD.join('.')).outcome, 'token') // its header may be kept
        const parts = GOOD.map((part, index) => (index === place ? spell(part) : part))
        assert.notEqual(readToken(parts.join('.')).outcome, 'token')
      })
    }
  }
})

/** The same bytes, with another last character: the text is lengthened until there are bits to drop. */
function leftOver(part: string): string {
  const bytes = Buffer.from(part, 'base64url')
  const text = bytes.length % 3 === 0 ? encode(Buffer.concat([bytes, Buffer.from(' ')])) : part
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const other = text.slice(0, -1) + alphabet[alphabet.indexOf(text.slice(-1)) + 1]
  assert.deepEqual(Buffer.from(other, 'base64url'), Buffer.from(text, 'base64url'))
  return other
}

describe('the headers of many tokens', () => {
  it('are each read as they are, whichever were read before', () => {
    const read = (kid: string): unknown => {
      const reading = readToken(`${encode(headerText({ kid }))}.${CLAIMS}.${SIGNATURE}`)
      assert.equal(reading.outcome, 'token')
      assert.ok(Object.isFrozen(reading.token.header))
      return reading.token.header
    }
    for (let round = 0; round < 2; round += 1) {
      for (let kid = 0; kid < 500; kid += 1) {
        assert.deepEqual(read(`k${kid}`), { alg: 'ES256', kid: `k${kid}` })
      }
    }
  })

  it('are kept once, and long ones not at all', () => {
    const header = (kid: string): unknown => {
      const reading = readToken(`${encode(headerText({ kid }))}.${CLAIMS}.${SIGNATURE}`)
      return reading.outcome === 'token' ? reading.token.header : undefined
    }
    assert.equal(header('short'), header('short'))
    assert.notEqual(header('x'.repeat(600)), header('x'.repeat(600)))
    const first = header('first')
    for (let kid = 0; kid < 64; kid += 1) header(`other ${kid}`)
    assert.notEqual(header('first'), first)
  })
})

describe('any text', () => {
  const ROUNDS = 30_000
  const random = randomFrom(20_260_104)
  const PIECES = [
    HEADER,
    CLAIMS,
    SIGNATURE,
    '.',
    '.',
    '.',
    '=',
    'YR',
    '\n',
    encode('{'),
    encode('{}'),
  ]

  it('is parsed without an exception, and a token only in its one spelling', () => {
    let tokens = 0
    for (let round = 0; round < ROUNDS; round += 1) {
      const pieces = Array.from({ length: random(6) }, () => PIECES[random(PIECES.length)])
      const text = pieces.join(random(2) === 0 ? '' : '.')
      const reading = readToken(text)
      if (reading.outcome !== 'token') continue
      tokens += 1
      const { signed, signature } = reading.token
      assert.equal(`${signed.toString('latin1')}.${encode(signature)}`, text)
    }
    assert.ok(tokens > 20, `${tokens}`)
  })

  it('one flipped bit of a good token is never the same token', async () => {
    const key = await makeKey()
    const good = Buffer.from(await key.token())
    for (let at = 0; at < good.length; at += 1) {
      const changed = Buffer.from(good)
      changed[at] = (changed[at] ?? 0) ^ (1 << random(7))
      const text = changed.toString('latin1')
      const reading = readToken(text)
      if (reading.outcome !== 'token') continue
      const { signed, signature } = reading.token
      assert.equal(`${signed.toString('latin1')}.${encode(signature)}`, text)
    }
  })
})
