// Positions as numbers: for every path the same as in the document itself.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LineCounter, parseDocument } from 'yaml'
import { PositionFinder } from '../../src/config/positions.ts'
import { offsetOf, type DocumentPath } from '../../src/config/yaml-position.ts'
import { readYaml } from '../../src/config/yaml-text.ts'

const TEXTS: Readonly<Record<string, string>> = {
  'mappings and lists': 'a: 1\nb:\n  - x\n  - y: [1, 2, { z: 3 }]\nc: { d: null, e: }\n',
  'a list at the top': '- a\n- - b\n  - c\n-\n',
  'a text at the top': '\n\n  hello\n',
  'keys that are numbers, out of order': '10: a\n2: b\nx: c\n1: { 7: d, 3: [e] }\n0x10: f\n',
  'aliases of mappings':
    'one: &m\n  a: [1, { b: 2 }]\ntwo: *m\nlist:\n  - *m\n  - x\n  - *m\nlast: y\n',
  'an alias before others, of a key sorted behind it':
    'z: &z { a: { b: 1 } }\n5: *z\n1: { c: *z }\n',
  'aliases in an anchor': 'a: &a { x: 1 }\nb: &b { y: *a, z: 2 }\nc: [*b, *a]\n',
  'complex keys': '? [a, b]\n: c\nd: e\n',
  'empty keys and values': 'a:\n? b\n"": c\n~: d\n',
  'a key __proto__': '__proto__: { a: 1 }\nb: 2\n',
  'a BOM, CRLF and comments':
    '\uFEFF# first\r\na: 1\r\n\r\nb: # second\r\n  - |\r\n    text\r\n    more\r\n  - c\r\n',
  'block scalars': 'a: >\n  x\n  y\nb: "x\n\n  y"\nc: d',
  JSON: '{"a": [1, {"b": "c"}],\n "d": {"e": null}}',
}

/** Every path of a value, and after each one that is not there. */
const pathsOf = (value: unknown, path: DocumentPath = []): readonly DocumentPath[] => {
  const missing = [...path, 'missing']
  if (typeof value !== 'object' || value === null) return [path, missing, [...missing, 0]]
  const members = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
  return [
    path,
    missing,
    [...path, 99],
    ...members.flatMap(([key, member]) => pathsOf(member, [...path, key])),
  ]
}

describe('positions', () => {
  for (const [name, text] of Object.entries(TEXTS)) {
    it(`are those of the document: ${name}`, () => {
      const reading = readYaml(text)
      assert.ok(reading.ok, JSON.stringify(reading))
      const lines = new LineCounter()
      const document = parseDocument(text, { lineCounter: lines })
      const finder = new PositionFinder(reading.raw, reading.positions)
      const paths = pathsOf(reading.raw)
      for (const path of paths) {
        const { line, col } = lines.linePos(offsetOf(document, path) ?? Number.NaN)
        assert.deepEqual(finder.find(path), { line, column: col }, JSON.stringify(path))
      }
      assert.ok(paths.length > 2)
    })
  }
})
