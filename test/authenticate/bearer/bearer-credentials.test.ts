// Which requests carry a bearer token, and that arbitrary bytes do not break the reader.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  MAX_TOKEN_LENGTH,
  readBearerCredentials,
  type BearerCredentials,
} from '../../../src/authenticate/bearer/bearer-credentials.ts'
import { Headers } from '../../../src/request/headers.ts'
import { linesOf, type HeaderLines } from '../../fakes/envoy.ts'
import { randomFrom } from '../../fakes/random.ts'

const read = (headers: HeaderLines): BearerCredentials =>
  readBearerCredentials(new Headers(linesOf(headers)))

const authorization = (value: string): HeaderLines => [['authorization', value]]

const PREFIX = 'base64url.bearer.authorization.k8s.io.'
const offer = (token: string): string => PREFIX + Buffer.from(token).toString('base64url')
const webSocket = (...protocols: readonly string[]): HeaderLines => [
  ['upgrade', 'websocket'],
  ...protocols.map((value) => ['sec-websocket-protocol', value] as const),
]

describe('a bearer token that is present', () => {
  const CASES = [
    { name: 'the plain form', input: authorization('Bearer abc'), token: 'abc' },
    { name: 'any case of the scheme', input: authorization('bEaReR abc'), token: 'abc' },
    { name: 'several spaces', input: authorization('Bearer   abc'), token: 'abc' },
    {
      name: 'every character there is',
      input: authorization('Bearer aZ09-._~+/=='),
      token: 'aZ09-._~+/==',
    },
    {
      name: 'the longest',
      input: authorization(`Bearer ${'x'.repeat(MAX_TOKEN_LENGTH)}`),
      token: 'x'.repeat(MAX_TOKEN_LENGTH),
    },
    {
      name: 'a subprotocol and another',
      input: webSocket(`${offer('a.b.c')}, v4.channel.k8s.io`),
      token: 'a.b.c',
    },
    {
      name: 'a subprotocol on a line of its own',
      input: webSocket('v4.channel.k8s.io', offer('a.b.c')),
      token: 'a.b.c',
    },
    {
      name: 'a subprotocol next to another scheme',
      input: [...webSocket(`x,${offer('abc')}`), ...authorization('Basic YTpi')],
      token: 'abc',
    },
  ]
  for (const { name, input, token } of CASES) {
    it(`is read from the header: ${name}`, () => {
      assert.deepEqual(read(input), { outcome: 'present', scheme: 'bearer', token })
    })
  }
})

describe('a bearer token that is absent', () => {
  const CASES = [
    { name: 'no header', input: [] },
    { name: 'an empty header', input: authorization('') },
    { name: 'another scheme', input: authorization('Basic YTpi') },
    { name: 'a scheme that needs more than the token', input: authorization('DPoP abc') },
    { name: 'a scheme that begins alike', input: authorization('Bearers abc') },
    { name: 'the token alone', input: authorization('abc') },
    { name: 'space before', input: authorization(' Bearer abc') },
    { name: 'a tab after the scheme', input: authorization('Bearer\tabc') },
    { name: 'other subprotocols', input: webSocket('v4.channel.k8s.io') },
    {
      name: 'a subprotocol where there is no WebSocket',
      input: [['sec-websocket-protocol', `${offer('abc')},x`]] as const,
    },
    {
      name: 'a subprotocol in another case',
      input: webSocket(`${offer('abc').replace('bearer', 'Bearer')},x`),
    },
  ]
  for (const { name, input } of CASES) {
    it(`is absent from the header: ${name}`, () =>
      assert.deepEqual(read(input), { outcome: 'absent' }))
  }
})

describe('a bearer token that is malformed', () => {
  const CASES = [
    { name: 'the scheme alone', input: authorization('Bearer') },
    { name: 'nothing after the scheme', input: authorization('Bearer ') },
    { name: 'two lines that Envoy joined', input: authorization('Bearer abc,Bearer abc') },
    { name: 'two lines that another proxy joined', input: authorization('Bearer abc, Basic x') },
    { name: 'two tokens', input: authorization('Bearer abc abc') },
    { name: 'space after', input: authorization('Bearer abc ') },
    { name: 'a tab after', input: authorization('Bearer abc\t') },
    { name: 'quotes', input: authorization('Bearer "abc"') },
    { name: 'padding alone', input: authorization('Bearer ==') },
    { name: 'padding within', input: authorization('Bearer a=b') },
    { name: 'parameters', input: authorization('Bearer abc; x=y') },
    { name: 'a NUL', input: authorization('Bearer a\0c') },
    { name: 'a line break', input: authorization('Bearer abc\n') },
    { name: 'UTF-8', input: authorization('Bearer äbc') },
    { name: 'too long', input: authorization(`Bearer ${'x'.repeat(MAX_TOKEN_LENGTH + 1)}`) },
    { name: 'a subprotocol alone', input: webSocket(offer('abc')) },
    { name: 'two subprotocols', input: webSocket(`${offer('abc')},${offer('abc')},x`) },
    { name: 'two on two lines', input: webSocket(`${offer('abc')},x`, offer('def')) },
    { name: 'an empty subprotocol', input: webSocket(`${PREFIX},x`) },
    { name: 'padding in the subprotocol', input: webSocket(`${PREFIX}YQ==,x`) },
    { name: 'left-over bits in the subprotocol', input: webSocket(`${PREFIX}YR,x`) },
    { name: 'a space in the subprotocol', input: webSocket(`${offer('a b')},x`) },
    { name: 'a comma in the subprotocol', input: webSocket(`${offer('a,b')},x`) },
    {
      name: 'a token in both locations',
      input: [...webSocket(`${offer('abc')},x`), ...authorization('Bearer abc')],
    },
    {
      name: 'a token in the one, a broken one in the other',
      input: [...webSocket(`${offer('abc')},x`), ...authorization('Bearer')],
    },
  ]
  for (const { name, input } of CASES) {
    it(`is rejected as malformed: ${name}`, () => {
      assert.deepEqual(read(input), { outcome: 'malformed', scheme: 'bearer' })
    })
  }
})

describe('a token with the scheme DPoP, for a reader of proofs', () => {
  const PRESENT = { outcome: 'present', scheme: 'dpop', token: 'abc' } as const
  const MALFORMED = { outcome: 'malformed', scheme: 'dpop' } as const
  const CASES: readonly { name: string; input: HeaderLines; want: BearerCredentials }[] = [
    { name: 'the plain form', input: authorization('DPoP abc'), want: PRESENT },
    { name: 'any case of the scheme', input: authorization('dpoP  abc'), want: PRESENT },
    { name: 'two lines joined', input: authorization('DPoP abc,DPoP abc'), want: MALFORMED },
    { name: 'nothing after the scheme', input: authorization('DPoP'), want: MALFORMED },
    {
      name: 'a scheme that begins alike',
      input: authorization('DPoPs a'),
      want: { outcome: 'absent' },
    },
    {
      name: 'a token in a subprotocol as well',
      input: [...webSocket(`${offer('abc')},x`), ...authorization('DPoP abc')],
      want: MALFORMED,
    },
    {
      name: 'the scheme Bearer',
      input: authorization('Bearer abc'),
      want: { ...PRESENT, scheme: 'bearer' },
    },
  ]
  for (const { name, input, want } of CASES) {
    it(name, () => {
      const headers = new Headers(linesOf(input))
      assert.deepEqual(readBearerCredentials(headers, ['bearer', 'dpop']), want)
    })
  }
})

describe('any bytes', () => {
  const ROUNDS = 30_000
  const random = randomFrom(20_260_102)
  const ALPHABET = ['Bearer ', 'bearer  ', 'a.b.c', '=', ' ', ',', '\0', 'é', '~+/', PREFIX, 'YQ']
  const bytes = (): Buffer => Buffer.from(Array.from({ length: random(24) }, () => random(256)))
  const text = (): string =>
    Array.from({ length: random(6) }, () => ALPHABET[random(ALPHABET.length)]).join('')

  it('are read whole or not at all', () => {
    let present = 0
    for (let round = 0; round < ROUNDS; round += 1) {
      const value = random(2) === 0 ? Buffer.concat([Buffer.from('Bearer '), bytes()]) : text()
      const reading = read([
        ['authorization', value],
        ...webSocket(random(3) === 0 ? `${text()},x` : 'x'),
      ])
      if (reading.outcome !== 'present') continue
      present += 1
      assert.match(reading.token, /^[A-Za-z0-9._~+/-]+=*$/)
    }
    assert.ok(present > ROUNDS / 200, `${present}`)
  })
})
