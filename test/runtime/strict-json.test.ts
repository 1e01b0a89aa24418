// JSON that has one reading, and JSON that has two.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readJsonObject } from '../../src/runtime/strict-json.ts'
import { cpuTime } from '../fakes/cpu-time.ts'
import { randomFrom } from '../fakes/random.ts'

const read = (text: string | Buffer): unknown => readJsonObject(Buffer.from(text))

const nested = (depth: number): string => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`

describe('an object that has one reading', () => {
  const CASES = [
    { name: 'the empty one', input: '{}' },
    { name: 'white space between tokens', input: ' {\n\t"a" : 1 ,\r\n "b" : 2 } ' },
    { name: 'the same name in two objects', input: '{"a":{"a":1},"b":[{"a":1},{"a":2}]}' },
    { name: 'names in another case', input: '{"iss":1,"ISS":2}' },
    { name: 'a value like a name', input: '{"a":"b","b":"a","c":["a","a"]}' },
    { name: 'a value with a colon', input: '{"a":"\\"a\\":1","b":"{\\"a\\":"}' },
    { name: 'brackets in a value', input: '{"a":"]}]}","b":"[[[[[[[[[[[[[[[[[[[["}' },
    { name: 'backslashes at the end of a value', input: String.raw`{"a":"\\","b":"\\\\"}` },
    { name: 'names of built-in properties', input: '{"constructor":1,"toString":2}' },
    { name: 'the deepest allowed nesting', input: nested(16) },
    { name: 'a long text', input: `{"a":"${'x'.repeat(250_000)}","b":"${'\\n'.repeat(50_000)}"}` },
  ]
  for (const { name, input } of CASES) {
    it(name, () => assert.deepEqual(read(input), JSON.parse(input)))
  }
})

describe('a name with an escape', () => {
  // V8 13.6 remembers the names of earlier objects, and compares them with the escaped text.
  const CASES = [
    {
      name: 'a letter, after a backslash',
      earlier: String.raw`{"b":0,"\\":1}`,
      input: String.raw`{"b":0,"\u0061":1}`,
      want: { b: 0, a: 1 },
    },
    {
      name: 'a claim whose slashes are escaped, after its escaped beginning',
      earlier: String.raw`{"iss":"x","https:\\/\\/a.example\\":1}`,
      input: String.raw`{"iss":"x","https:\/\/a.example\/r":["admin"]}`,
      want: { iss: 'x', 'https://a.example/r': ['admin'] },
    },
    {
      name: 'the same name twice, after its escaped beginning',
      earlier: String.raw`{"sub":"x","su\\":"y"}`,
      input: String.raw`{"sub":"alice","su\u0062":"bob"}`,
      want: undefined,
    },
    {
      name: 'a backslash, a quotation mark and a line feed',
      earlier: '{}',
      input: String.raw`{"CORP\\a":1,"\"":2,"\n":3}`,
      want: { 'CORP\\a': 1, '"': 2, '\n': 3 },
    },
    {
      name: 'digits, which are kept before letters',
      earlier: '{}',
      input: String.raw`{"\u0062":1,"\u0031":2}`,
      want: { 1: 2, b: 1 },
    },
  ]
  for (const { name, earlier, input, want } of CASES) {
    it(`is read as it is spelt: ${name}`, () => {
      for (let round = 0; round < 3; round += 1) {
        assert.notEqual(read(earlier), undefined)
        JSON.parse(earlier)
        assert.deepEqual(read(input), want)
      }
    })
  }
})

describe('an object that has two readings, or none', () => {
  const CASES = [
    { name: 'an empty text', input: '' },
    { name: 'an array as the document', input: '[]' },
    { name: 'null as the document', input: 'null' },
    { name: 'a string as the document', input: '"{}"' },
    { name: 'two objects', input: '{}{}' },
    { name: 'a comma at the end', input: '{"a":1,}' },
    { name: 'a comment in an object', input: '{"a":1/**/}' },
    { name: 'a name in single quotes', input: "{'a':1}" },
    { name: 'a byte order mark', input: '\ufeff{}' },
    {
      name: 'bytes that are not UTF-8',
      input: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
    },
    { name: 'a text in UTF-16', input: Buffer.from('{}', 'utf16le') },
    { name: 'a name twice', input: '{"iss":"a","iss":"b"}' },
    { name: 'a name twice with the same value', input: '{"iss":"a","iss":"a"}' },
    { name: 'a name twice, once escaped', input: String.raw`{"iss":"a","\u0069ss":"b"}` },
    { name: 'a name twice, escaped in two ways', input: String.raw`{"\u002f":1,"\/":2}` },
    { name: 'the empty name twice', input: '{"":1,"":2}' },
    { name: 'a name twice far apart', input: '{"a":1,"b":{"c":[{}]},"a":2}' },
    { name: 'a name twice further in', input: '{"b":[[{"a":1,"a":2}]]}' },
    { name: 'space before the second colon', input: '{"a":1,"a" \n:2}' },
    { name: 'a name that sets the prototype', input: '{"__proto__":{"admin":true}}' },
    { name: 'the same further in, escaped', input: String.raw`{"a":{"__\u0070roto__":1}}` },
    { name: 'objects nested too deep', input: nested(17) },
    { name: 'far too deep', input: nested(100_000) },
  ]
  for (const { name, input } of CASES) {
    it(`is refused as JSON: ${name}`, () => assert.equal(read(input), undefined))
  }
})

describe('any JSON', () => {
  const ROUNDS = 20_000
  const random = randomFrom(20_260_103)
  const NAMES = ['"a"', '"b"', String.raw`"\u0061"`, '"c\\""', '""', String.raw`"\\"`]
  const pick = (list: readonly string[]): string => list[random(list.length)] ?? ''

  interface Value {
    readonly text: string
    /** What the text says; not by JSON.parse, which misreads some escaped names. */
    readonly value: unknown
    /** Whether a name occurs twice in one of its objects. */
    readonly twice: boolean
  }
  const value = (depth: number): Value => {
    if (depth === 0 || random(3) === 0) {
      const text = pick([...NAMES, '1', 'null', 'true', '"{:}"'])
      return { text, value: JSON.parse(text), twice: false }
    }
    const values = Array.from({ length: random(4) }, () => value(depth - 1))
    const within = values.some(({ twice }) => twice)
    if (random(2) === 0) {
      const text = `[${values.map((inner) => inner.text).join()}]`
      return { text, value: values.map((inner) => inner.value), twice: within }
    }
    const names = values.map(() => pick(NAMES))
    const decoded = names.map((name) => String(JSON.parse(name)))
    const members = values.map(({ text }, index) => `${names[index]}${pick(['', ' '])}:${text}`)
    return {
      text: `{${members.join()}}`,
      value: Object.fromEntries(values.map((inner, index) => [decoded[index], inner.value])),
      twice: within || new Set(decoded).size < names.length,
    }
  }

  it('is refused exactly where a name occurs twice', () => {
    let refused = 0
    for (let round = 0; round < ROUNDS; round += 1) {
      const { text: inner, value: root, twice } = value(4)
      const text = `{"root":${inner}}`
      if (twice) refused += 1
      assert.deepEqual(read(text), twice ? undefined : { root }, text)
    }
    assert.ok(refused > ROUNDS / 20 && refused < ROUNDS, `${refused}`)
  })
})

describe('hostile: text that is not JSON', () => {
  const TEXTS = [
    { name: 'a string of escaped quotation marks without an end', unit: String.raw`\"` },
    { name: 'strings with escapes without a comma', unit: String.raw`"\n"` },
    { name: 'quotation marks behind an escape', unit: '"' },
  ]
  for (const { name, unit } of TEXTS) {
    it(`is refused in linear time: ${name}`, () => {
      const bytes = Buffer.from(String.raw`{"\\` + unit.repeat(50_000))
      const before = cpuTime()
      assert.equal(readJsonObject(bytes), undefined)
      assert.ok(cpuTime() - before < 200, `${cpuTime() - before} ms`)
    })
  }
})
