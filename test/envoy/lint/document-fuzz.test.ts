// Envoy configurations with a value of another type in the place of each setting: the lint ends with findings.
//
// Slow: it checks some thousand configurations.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { lint } from '../../../src/envoy/lint/lint.ts'
import { GOOD } from './corpus/case.ts'

describe('a configuration', () => {
  it('of good.yaml, with another value in the place of every setting, is read', () => {
    /** Copies of a value, each with something else in the place of one of its parts. */
    const copies = (value: unknown, nonsense: unknown): readonly unknown[] => {
      if (typeof value !== 'object' || value === null) return [nonsense]
      const inside = Object.entries(value).flatMap(([key, part]) =>
        copies(part, nonsense).map((copy) =>
          Array.isArray(value) ? value.with(Number(key), copy) : { ...value, [key]: copy },
        ),
      )
      return [nonsense, ...inside]
    }
    for (const [turn, nonsense] of [null, 'x', {}, [[]]].entries()) {
      const documents = copies(parse(GOOD), nonsense).slice(1)
      for (const document of documents.filter((_, index) => index % 4 === turn)) {
        assert.equal(lint(JSON.stringify(document)).ok, true)
      }
    }
  })
})
