// JSON of a known writer: what JSON.parse reads, whatever names were read before.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseJson } from '../../src/runtime/strict-json.ts'
import { confusedWith } from '../fakes/confused-names.ts'

describe('a text with names from elsewhere', () => {
  const CASES = [
    { name: 'a backslash', names: ['CORP\\a'] },
    { name: 'a quotation mark', names: ['a"b'] },
    { name: 'a line feed', names: ['a\nb'] },
    { name: 'several of them', names: ['\\', '\\a', '"', 'plain'] },
  ]
  for (const { name, names } of CASES) {
    it(`has them as they were written: ${name}`, () => {
      const value = Object.fromEntries([['iss', 0], ...names.map((one, index) => [one, index])])
      for (let round = 0; round < 3; round += 1) {
        JSON.parse(JSON.stringify({ iss: 0, [confusedWith(names[0] ?? '')]: 1 }))
        assert.deepEqual(parseJson(JSON.stringify({ value: [value] })), { value: [value] })
      }
    })
  }

  it('is read as by JSON.parse', () => {
    const TEXTS = [
      '{"a":1,"a":2,"b":[{}]}',
      String.raw`{"a":1,"\u0061":2}`,
      String.raw`{"b":"\"x\":1","a":"\\"}`,
      String.raw`{"b":"\n","1":1,"0":2}`,
      String.raw`"\n"`,
      String.raw`["\n",1,null,{"a" : {"b"` + ':true}}]',
      String.raw`{"\t":1,"__proto__":{"admin":true}}`,
    ]
    for (const text of TEXTS) {
      assert.deepEqual(parseJson(text), JSON.parse(text), text)
      assert.equal(JSON.stringify(parseJson(text)), JSON.stringify(JSON.parse(text)), text)
    }
  })

  it('is refused where it is not JSON', () => {
    const TEXTS = ['', '{', String.raw`\"a":1`, String.raw`{"\x":1}`, String.raw`{"a":"\"}`, '{\\}']
    for (const text of TEXTS) assert.throws(() => parseJson(text), SyntaxError, text)
  })

  it('hostile: is refused where it is nested too deep to be walked', () => {
    const depth = 100_000
    const text = String.raw`{"\n":` + `${'['.repeat(depth)}${']'.repeat(depth)}}`
    assert.throws(() => parseJson(text), SyntaxError)
  })
})
