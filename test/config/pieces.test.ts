// A value in pieces and the same value again.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { packed, unpacked } from '../../src/config/pieces.ts'
import { Slices } from '../../src/runtime/slices.ts'

const list = (length: number, member: (index: number) => unknown = (index) => index): unknown[] =>
  Array.from({ length }, (_, index) => member(index))

const mapping = (length: number, member: (index: number) => unknown): unknown =>
  Object.fromEntries(list(length).map((_, index) => [`k${index}`, member(index)]))

const own = (key: string, value: unknown): object => Object.fromEntries([[key, value]])

const CASES: readonly { name: string; value: unknown }[] = [
  { name: 'a text', value: 'x' },
  { name: 'null', value: null },
  { name: 'numbers that JSON does not have', value: [Number.NaN, Number.POSITIVE_INFINITY, -0] },
  { name: 'empty containers', value: { list: [], mapping: {} } },
  { name: 'a long list', value: list(5_000) },
  { name: 'a long list of objects', value: { routes: [{ rules: list(3_000, (id) => ({ id })) }] } },
  { name: 'long mappings in long lists', value: list(100, () => mapping(100, (id) => ({ id }))) },
  {
    name: 'a long list in a long list in a long list',
    value: list(65, () => list(65, () => list(65))),
  },
  { name: 'a key __proto__', value: own('__proto__', { a: 1 }) },
  {
    name: 'a key __proto__ among many',
    value: { a: mapping(70, () => own('__proto__', list(70))), b: own('__proto__', list(70)) },
  },
  {
    name: 'keys that are numbers',
    value: Object.fromEntries(list(200).map((index) => [200 - Number(index), index])),
  },
]

describe('a value in pieces', () => {
  for (const { name, value } of CASES) {
    it(`is the same again: ${name}`, async () => {
      for (const whole of [false, true]) {
        const again = await unpacked(packed(value, whole), new Slices())
        assert.deepStrictEqual(again, value)
      }
    })
  }

  it('has no big piece', () => {
    const value = { users: mapping(10_000, (id) => ({ id, groups: ['a', 'b'] })) }
    const { ends } = packed(value, false)
    const sizes = ends.map((end, index) => end - (ends[index - 1] ?? 0))
    assert.ok(Math.max(...sizes) < 32_768, `${Math.max(...sizes)} bytes`)
  })

  it('keeps objects that occur twice, as a whole', async () => {
    const shared = { a: 1 }
    const again = await unpacked(packed([shared, shared], true), new Slices())
    assert.ok(Array.isArray(again) && again[0] === again[1])
  })
})
