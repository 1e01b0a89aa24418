// Where a request has its API key, and which requests have a malformed key or more than one credential.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { keyReader, type KeyLocation } from '../../../src/authenticate/api-key/locations.ts'
import { Headers } from '../../../src/request/headers.ts'
import { linesOf, type HeaderLines } from '../../fakes/envoy.ts'
import { randomFrom } from '../../fakes/random.ts'

const PLACES: readonly KeyLocation[] = [
  { kind: 'header', name: 'x-api-key' },
  { kind: 'header', name: 'authorization', scheme: 'ApiKey' },
  { kind: 'query', name: 'api_key' },
]
const read = keyReader(PLACES)

const reading = (headers: HeaderLines, query = ''): string => {
  const credentials = read({ headers: new Headers(linesOf(headers)), query })
  return credentials.outcome === 'present' ? `key ${credentials.text}` : credentials.outcome
}

interface Case {
  readonly name: string
  readonly headers?: HeaderLines
  readonly query?: string
  readonly want: string
}

const CASES: readonly Case[] = [
  { name: 'no header and no query', want: 'absent' },
  {
    name: 'other headers and parameters',
    headers: [['accept', '*/*']],
    query: 'a=b&key=c',
    want: 'absent',
  },
  { name: 'a header', headers: [['x-api-key', 'abc']], want: 'key abc' },
  { name: 'a parameter', query: 'a=1&api_key=abc&b', want: 'key abc' },
  { name: 'a scheme', headers: [['authorization', 'ApiKey abc']], want: 'key abc' },
  { name: 'a scheme in another case', headers: [['authorization', 'aPIkEY abc']], want: 'key abc' },
  { name: 'a scheme and spaces', headers: [['authorization', 'ApiKey   abc']], want: 'key abc' },
  { name: 'another scheme', headers: [['authorization', 'Basic YTpi']], want: 'absent' },
  {
    name: 'a scheme that begins alike',
    headers: [['authorization', 'ApiKeys abc']],
    want: 'absent',
  },
  { name: 'a token without a scheme', headers: [['authorization', 'abc']], want: 'absent' },
]

const MALFORMED: readonly Case[] = [
  { name: 'an empty header', headers: [['x-api-key', '']], want: 'malformed' },
  { name: 'an empty parameter', query: 'api_key=', want: 'malformed' },
  { name: 'a parameter without a value', query: 'api_key', want: 'malformed' },
  { name: 'a scheme without a key', headers: [['authorization', 'ApiKey']], want: 'malformed' },
  { name: 'a scheme and space', headers: [['authorization', 'ApiKey ']], want: 'malformed' },
  {
    name: 'two lines',
    headers: [
      ['x-api-key', 'a'],
      ['x-api-key', 'b'],
    ],
    want: 'malformed',
  },
  {
    name: 'the same line twice',
    headers: [
      ['x-api-key', 'a'],
      ['x-api-key', 'a'],
    ],
    want: 'malformed',
  },
  { name: 'two lines, joined', headers: [['x-api-key', 'a,b']], want: 'malformed' },
  {
    name: 'two lines of a scheme, joined',
    headers: [['authorization', 'ApiKey a,ApiKey b']],
    want: 'malformed',
  },
  {
    name: 'two lines of a scheme',
    headers: [
      ['authorization', 'ApiKey a'],
      ['authorization', 'ApiKey b'],
    ],
    want: 'malformed',
  },
  { name: 'two parameters', query: 'api_key=a&api_key=a', want: 'malformed' },
  { name: 'an underscored name', headers: [['x_api_key', 'a']], want: 'malformed' },
  { name: 'a name with dots', headers: [['x.api.key', 'a']], want: 'malformed' },
  { name: 'a name with another symbol', headers: [['x-api~key', 'a']], want: 'malformed' },
  {
    name: 'an underscored name next to the configured one',
    headers: [
      ['x-api-key', 'a'],
      ['x_api-key', 'b'],
    ],
    want: 'malformed',
  },
  { name: 'a name in upper case', headers: [['X-API-KEY', 'a']], want: 'malformed' },
  { name: 'space within', headers: [['x-api-key', 'a b']], want: 'malformed' },
  { name: 'a tab', headers: [['x-api-key', 'a\tb']], want: 'malformed' },
  {
    name: 'bytes that are not ASCII',
    headers: [['x-api-key', Buffer.from([0x61, 0xff])]],
    want: 'malformed',
  },
  { name: 'letters that are not ASCII', headers: [['x-api-key', 'clé']], want: 'malformed' },
  { name: 'a DEL', headers: [['x-api-key', 'a\x7f']], want: 'malformed' },
  { name: 'a NUL', headers: [['x-api-key', 'a\0']], want: 'malformed' },
  { name: 'a line feed', headers: [['x-api-key', 'a\n']], want: 'malformed' },
  { name: 'too much', headers: [['x-api-key', 'a'.repeat(257)]], want: 'malformed' },
  { name: 'far too much', query: `api_key=${'a'.repeat(50_000)}`, want: 'malformed' },
  {
    name: 'quotes around nothing but space',
    headers: [['authorization', 'ApiKey "a b"']],
    want: 'malformed',
  },
]

const CONFLICT: readonly Case[] = [
  {
    name: 'header and parameter',
    headers: [['x-api-key', 'a']],
    query: 'api_key=a',
    want: 'conflict',
  },
  {
    name: 'header and scheme',
    headers: [
      ['x-api-key', 'a'],
      ['authorization', 'ApiKey a'],
    ],
    want: 'conflict',
  },
  {
    name: 'all three',
    headers: [
      ['authorization', 'ApiKey a'],
      ['x-api-key', 'a'],
    ],
    query: 'api_key=a',
    want: 'conflict',
  },
  {
    name: 'a key and an empty place',
    headers: [['x-api-key', 'a']],
    query: 'api_key=',
    want: 'conflict',
  },
  {
    name: 'an empty place and a key',
    headers: [['x-api-key', '']],
    query: 'api_key=a',
    want: 'conflict',
  },
  {
    name: 'a key and a password',
    headers: [
      ['x-api-key', 'a'],
      ['authorization', 'Basic YTpi'],
    ],
    want: 'conflict',
  },
  {
    name: 'a password and a parameter',
    headers: [['authorization', 'Basic YTpi']],
    query: 'api_key=a',
    want: 'conflict',
  },
]

describe('an API key is read from', () => {
  for (const { name, headers = [], query, want } of CASES) {
    it(`${name}: ${want}`, () => assert.equal(reading(headers, query), want))
  }
})

describe('an API key is malformed:', () => {
  for (const { name, headers = [], query, want } of MALFORMED) {
    it(`is rejected as malformed: ${name}`, () => assert.equal(reading(headers, query), want))
  }
})

describe('credentials are in conflict:', () => {
  for (const { name, headers = [], query, want } of CONFLICT) {
    it(`are refused as a conflict: ${name}`, () => assert.equal(reading(headers, query), want))
  }
})

describe('a location that is not configured', () => {
  const only = keyReader([{ kind: 'header', name: 'x-api-key' }])
  it('is not read', () => {
    const request = {
      headers: new Headers(linesOf([['authorization', 'ApiKey a']])),
      query: 'api_key=a&x-api-key=b',
    }
    assert.deepEqual(only(request), { outcome: 'absent' })
  })
})

describe('any request', () => {
  const SEED = 23
  it(`yields at most one API key, and only one that the request contains (seed ${SEED})`, () => {
    const random = randomFrom(SEED)
    const pick = (pieces: readonly string[]): string => pieces[random(pieces.length)] ?? ''
    const names = ['x-api-key', 'X-Api-Key', 'x_api_key', 'authorization', 'accept', 'x-api-keys']
    const values = [
      'abc',
      '',
      'ApiKey abc',
      'apikey',
      'Basic abc',
      'a,b',
      ' ',
      'ü',
      '\0',
      'x'.repeat(300),
    ]
    const queries = [
      'api_key=abc',
      'api_key',
      'api_key=',
      'API_KEY=abc',
      '',
      'a=b',
      'api_key=%61',
      ';',
    ]
    const outcomes = new Map<string, number>()
    for (let round = 0; round < 20_000; round++) {
      const headers = Array.from(
        { length: random(4) },
        () => [pick(names), pick(values) + pick(values)] as const,
      )
      const query = Array.from({ length: random(3) }, () => pick(queries)).join('&')
      const credentials = read({ headers: new Headers(linesOf(headers)), query })
      outcomes.set(credentials.outcome, (outcomes.get(credentials.outcome) ?? 0) + 1)
      if (credentials.outcome === 'absent') {
        assert.ok(headers.every(([name]) => name !== 'x-api-key' && name !== 'x_api_key'))
      }
      if (credentials.outcome !== 'present') continue
      assert.match(credentials.text, /^[\x21-\x7e]{1,256}$/)
      const places = [
        ...headers.filter(([name]) => /^x[-_]api[-_]key$/i.test(name)),
        ...headers.filter(([name]) => name === 'authorization'),
        ...query.split('&').filter((part) => part.split('=', 1)[0] === 'api_key'),
      ]
      assert.equal(places.length, 1)
      assert.ok([...headers.flat(), query].some((text) => text.includes(credentials.text)))
    }
    for (const outcome of ['absent', 'malformed', 'conflict', 'present']) {
      assert.ok((outcomes.get(outcome) ?? 0) > 100, outcome)
    }
  })
})
