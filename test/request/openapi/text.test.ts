// Untrusted text, read as JSON or YAML: what is read, and what is refused before it costs much.
//
// Slow: it reads texts of many megabytes.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readDocument } from '../../../src/request/openapi/text.ts'
import { cpuTime } from '../../fakes/cpu-time.ts'

const READ: readonly { name: string; text: string; want: unknown }[] = [
  { name: 'JSON', text: ' {"a": {"b": [1]}}', want: { a: { b: [1] } } },
  { name: 'JSON behind a byte order mark', text: '\uFEFF{"a":1}', want: { a: 1 } },
  { name: 'YAML', text: 'a:\n  b: [1]\n', want: { a: { b: [1] } } },
  { name: 'keys of YAML that are numbers', text: '200: ok', want: { 200: 'ok' } },
  { name: 'a few aliases', text: 'a: &a {x: 1}\nb: *a', want: { a: { x: 1 }, b: { x: 1 } } },
  {
    name: 'a string that looks like a repeated key',
    text: '{"a":"\\"b\\":","b":{"a":1}}',
    want: { a: '"b":', b: { a: 1 } },
  },
]

describe('readDocument', () => {
  for (const { name, text, want } of READ) {
    it(`reads a description in ${name}`, () => {
      assert.deepEqual(readDocument(text), want)
    })
  }

  it('reads JSON with a string of 16 million characters, plain, escaped or both', () => {
    for (const part of ['x', '\\n', 'x\\"', '\\\\']) {
      const text = `{"a": "${part.repeat(16e6 / part.length)}", "b": 1}`
      assert.deepEqual(Object.keys(readDocument(text)), ['a', 'b'], part)
    }
  })

  it('finds a key that occurs twice behind a long string', () => {
    for (const part of ['x', '\\n', 'x\\"', '\\\\']) {
      const text = `{"a": "${part.repeat(16e6 / part.length)}",\n "a": 1}`
      assert.throws(() => readDocument(text), { message: /line 2: the key "a" occurs twice/ })
    }
  })

  it('keeps a key named __proto__ a key', () => {
    for (const text of ['{"__proto__": {"a": 1}}', '__proto__: {a: 1}']) {
      const document = readDocument(text)
      assert.deepEqual(Object.keys(document), ['__proto__'])
      assert.equal(Object.getPrototypeOf(document), Object.prototype)
    }
  })
})

const bomb = (): string => {
  const levels = Array.from(
    { length: 12 },
    (_, index) => `a${index + 1}: &a${index + 1} [${`*a${index},`.repeat(10)}]`,
  )
  return ['a0: &a0 [x]', ...levels].join('\n')
}

const REFUSED: readonly { name: string; text: () => string; says: RegExp }[] = [
  { name: 'nothing', text: () => '', says: /^#: must be an object/ },
  { name: 'a list', text: () => '- a', says: /^#: must be an object/ },
  {
    name: 'broken JSON',
    text: () => '{"a": }',
    says: /^#: not JSON, though it begins with "\{": /,
  },
  { name: 'broken YAML', text: () => 'a: [1', says: /^#: not YAML: .* at line 1, column 6$/ },
  { name: 'two YAML documents', text: () => 'a: 1\n---\nb: 1', says: /multiple documents/ },
  {
    name: 'a key twice in JSON',
    text: () => '{"a": {\n"b": 1, "c": {"b": 2},\n "\\u0062": 1}}',
    says: /^#: line 3: the key "b" occurs twice in one object/,
  },
  {
    name: 'a key twice in YAML',
    text: () => 'a:\n  b: 1\n  "b": 2',
    says: /^#: line 3: the key "b" occurs twice/,
  },
  { name: 'a key that is a list', text: () => '[a]: 1\n? [b]\n: 1', says: /^#: / },
  {
    name: '50 MB of JSON',
    text: () => `{"a":"${'x'.repeat(50e6)}"}`,
    says: /longer than 32 million characters of JSON/,
  },
  {
    name: '50 MB of YAML',
    text: () => `a: "${'x'.repeat(50e6)}"`,
    says: /longer than 4 million characters of YAML.*convert it to JSON/,
  },
  {
    name: 'JSON that is a million levels deep',
    text: () => `{"a":${'['.repeat(1e6)}${']'.repeat(1e6)}}`,
    says: /nested more than 200 levels deep/,
  },
  {
    name: '5 million empty objects in JSON',
    text: () => `{"a":[${'{},'.repeat(5e6)}1]}`,
    says: /more than 4000000 values/,
  },
  { name: 'a bomb of aliases', text: bomb, says: /Excessive alias count/ },
  {
    name: 'a large list 90 times over',
    text: () => `a: &a [${'x,'.repeat(50_000)}]\nb: [${'*a,'.repeat(90)}]`,
    says: /more than 4000000 values/,
  },
  {
    name: 'YAML that holds itself',
    text: () => 'a: &a\n  b: *a',
    says: /nested more than 200 levels deep/,
  },
  {
    name: 'flow collections that are deep',
    text: () => `a: ${'['.repeat(3e6)}`,
    says: /nested more than 200 levels deep/,
  },
  {
    name: 'block collections that are deep',
    text: () => `a:\n${'- '.repeat(1e5)}`,
    says: /^#: not YAML: /,
  },
  {
    name: 'a million aliases',
    text: () => `a: &x 1\nb:\n${'  - *x\n'.repeat(5e5)}`,
    says: /more than 2000 anchors, aliases and tags/,
  },
  {
    name: 'a million tags',
    text: () => `a: ${'!!str '.repeat(6e5)}`,
    says: /more than 2000 anchors, aliases and tags/,
  },
  {
    name: 'a million keys of nothing',
    text: () => '? '.repeat(2e6),
    says: /too much YAML; convert it to JSON/,
  },
]

describe('readDocument refuses', () => {
  for (const { name, text, says } of REFUSED) {
    it(`refuses a description of ${name}`, () => {
      const hostile = text()
      const started = cpuTime()
      assert.throws(() => readDocument(hostile), { code: 'malformed-openapi', message: says })
      assert.ok(cpuTime() - started < 20_000)
    })
  }
})
