// Parameters of queries that hold credentials: read in one spelling, recognised in all, and taken
// out without a trace on the rest.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SecretParameters, valuesOf } from '../../src/request/query.ts'
import { randomFrom } from '../fakes/random.ts'
import { cpuTime } from '../fakes/cpu-time.ts'

const secret = new SecretParameters(['api_key'])

const VALUES: readonly { name: string; query: string; want: readonly string[] }[] = [
  { name: 'nothing', query: '', want: [] },
  { name: 'another', query: 'a=b', want: [] },
  { name: 'one', query: 'api_key=S', want: ['S'] },
  { name: 'one parameter of several', query: 'a=1&api_key=S&b', want: ['S'] },
  { name: 'two', query: 'api_key=S&a&api_key=T', want: ['S', 'T'] },
  { name: 'an empty one', query: 'api_key=', want: [''] },
  { name: 'one without a value', query: 'api_key', want: [''] },
  { name: 'one with "="', query: 'api_key=S=T==', want: ['S=T=='] },
  { name: 'a longer name', query: 'api_key2=S&xapi_key=T', want: [] },
  { name: 'what only looks like it', query: 'API_KEY=S&%61pi_key=T', want: [] },
]

describe('the values of a parameter', () => {
  for (const { name, query, want } of VALUES) {
    it(`are read from a query: ${name}`, () => assert.deepEqual(valuesOf(query, 'api_key'), want))
  }
})

const DISGUISED: readonly { name: string; query: string }[] = [
  { name: 'a letter percent-encoded', query: '%61pi_key=S' },
  { name: 'the underscore percent-encoded', query: 'a=b&api%5Fkey=S' },
  { name: 'every letter percent-encoded', query: '%61%70%69%5f%6b%65%79=S' },
  { name: 'encoded twice', query: '%2561pi_key=S' },
  { name: 'encoded three times', query: '%252561pi_key=S' },
  { name: 'encoded as IIS reads it', query: '%u0061pi_key=S' },
  { name: 'another case', query: 'API_KEY=S' },
  { name: 'another case, encoded', query: '%41pi_Key=S' },
  { name: 'a hyphen', query: 'api-key=S' },
  { name: 'a dot, which PHP makes an underscore of', query: 'api.key=S' },
  { name: 'a space, which PHP makes an underscore of', query: 'api+key=S' },
  { name: 'an encoded space', query: 'api%20key=S' },
  { name: 'a bracket, which PHP makes an underscore of', query: 'api[key=S' },
  { name: 'a list', query: 'api_key[]=S' },
  { name: 'a list, encoded', query: 'api_key%5B%5D=S' },
  { name: 'a map', query: 'api_key[a][b]=S' },
  { name: 'a space before it', query: '+api_key=S' },
  { name: 'a space behind it', query: 'api_key%20=S' },
  { name: 'a line feed behind it', query: 'api_key%0a=S' },
  { name: 'a NUL behind it', query: 'api_key%00=S' },
  { name: 'more behind a NUL', query: 'api_key%00x=S' },
  { name: 'separated by ";"', query: 'a=b;api_key=S' },
  { name: 'separated by ";" from itself', query: 'api_key=S;api_key=T' },
  { name: 'separated by "&amp;"', query: 'a=b&amp;api_key=S' },
  { name: 'behind a second "?"', query: 'a=b?api_key=S' },
  { name: 'behind "??"', query: '?api_key=S' },
  { name: 'with its "=" percent-encoded', query: 'api_key%3DS' },
  { name: 'without a value', query: 'API_KEY' },
  { name: 'without a value, before a separator', query: 'api_key?' },
  { name: 'before a separator and "="', query: 'api_key;=S' },
  { name: 'together with the right spelling', query: 'api_key=S&Api_Key=T' },
]

const HARMLESS: readonly { name: string; query: string }[] = [
  { name: 'nothing', query: '' },
  { name: 'the right spelling', query: 'api_key=S' },
  { name: 'the right spelling twice', query: 'api_key=S&api_key=T' },
  { name: 'the right spelling before ";"', query: 'api_key=S;a=b' },
  { name: 'a longer name', query: 'api_keys=S&my_api_key=T' },
  { name: 'a shorter name', query: 'api=S&key=T' },
  { name: 'a value that is the name', query: 'a=api_key' },
  { name: 'a nested address, encoded', query: 'next=%2Fa%3Fapi_key%3DS' },
  { name: 'empty parts', query: '&&=&a&' },
  { name: 'broken encoding', query: '%=1&%zz=2&a=%' },
]

describe('a parameter is recognised in disguise', () => {
  for (const { name, query } of DISGUISED) {
    it(`is recognised in disguise: ${name}`, () => {
      assert.ok(secret.areDisguisedIn(query))
      assert.ok(secret.areIn(query))
      assert.doesNotMatch(secret.withheldIn(query), /[=D][ST]/)
    })
  }
})

describe('nothing is taken for it', () => {
  for (const { name, query } of HARMLESS) {
    it(`is not taken for the parameter: ${name}`, () => assert.ok(!secret.areDisguisedIn(query)))
  }
})

const TAKEN: readonly { name: string; query: string; want: string | undefined }[] = [
  { name: 'of nothing', query: '', want: undefined },
  { name: 'of other parameters', query: 'a=1&b', want: undefined },
  { name: 'alone', query: 'api_key=S', want: '' },
  { name: 'first', query: 'api_key=S&b=1&a=2', want: 'b=1&a=2' },
  { name: 'last', query: 'b=1&a=2&api_key=S', want: 'b=1&a=2' },
  { name: 'in between', query: 'z=1&api_key=S&b=2&a=3&b=1', want: 'z=1&b=2&a=3&b=1' },
  { name: 'twice', query: 'api_key=S&a&api_key=T', want: 'a' },
  { name: 'without a value', query: 'a&api_key&b', want: 'a&b' },
  { name: 'with all that ";" adds', query: 'api_key=S;x=1&a', want: 'a' },
  {
    name: 'from among odd ones',
    query: '&&b&=x&api_key=S&%zz=%&c=a+b%20%2F&&',
    want: '&&b&=x&%zz=%&c=a+b%20%2F&&',
  },
]

describe('a parameter is taken out', () => {
  for (const { name, query, want } of TAKEN) {
    it(`is removed from a query: ${name}`, () => assert.equal(secret.takenFrom(query), want))
  }
})

describe('a query for the audit log', () => {
  it('is whole except for the secret', () => {
    assert.equal(
      secret.withheldIn('a=1&api_key=S&API_KEY=S=T&b=2;api_key=S&c'),
      'a=1&api_key=[withheld]&API_KEY=[withheld]&b=[withheld]&c',
    )
  })
})

describe('several parameters', () => {
  const several = new SecretParameters(['key', 'X.Token'])
  it('are all taken out', () => assert.equal(several.takenFrom('key=S&a=1&X.Token=T'), 'a=1'))
  it('are all recognised', () => {
    for (const query of ['Key=S', 'x_token=T', 'x.token=T']) {
      assert.ok(several.areDisguisedIn(query), query)
    }
  })
})

describe('any query at all', () => {
  // What a lenient reader would do: split at everything, decode until nothing changes, fold.
  const lenient = (query: string): readonly string[] =>
    query.split(/[&;?]/).map((part) => {
      let name = part.split('=', 1)[0] ?? ''
      for (let before = ''; before !== name;) {
        before = name
        name = name.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
          String.fromCharCode(Number.parseInt(hex, 16)),
        )
      }
      return name.toLowerCase()
    })

  const SEED = 11
  it(`leaves nothing of the parameter that a lenient reader would find (seed ${SEED})`, () => {
    const random = randomFrom(SEED)
    const pieces = [
      'api_key',
      'API_KEY',
      '%61',
      'pi_key',
      '%25',
      '61',
      'a',
      '=',
      '&',
      ';',
      '?',
      'S',
    ]
    let disguised = 0
    let taken = 0
    for (let round = 0; round < 20_000; round++) {
      const query = Array.from(
        { length: 1 + random(8) },
        () => pieces[random(pieces.length)] ?? '',
      ).join('')
      if (secret.areDisguisedIn(query)) {
        disguised += 1
        continue
      }
      const kept = secret.takenFrom(query)
      if (kept !== undefined) taken += 1
      assert.ok(!lenient(kept ?? query).includes('api_key'), query)
    }
    assert.ok(disguised > 1_000 && taken > 100, `${disguised}, ${taken}`)
  })

  it('takes time in proportion to its length', () => {
    for (const piece of ['%25', '+', '%', '[', ';', '&', '%00', '=', ' ', '?a']) {
      const query = piece.repeat(60_000 / piece.length)
      const began = cpuTime()
      secret.areDisguisedIn(query)
      secret.withheldIn(query)
      // Some milliseconds; what is quadratic takes many seconds.
      assert.ok(cpuTime() - began < 2_000, piece)
    }
  })
})
