// Countersign's cookies, among the cookies of a request.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { cookiesBeginning, cookiesNamed, cookiesWithoutOurs } from '../../src/request/cookies.ts'
import { Headers } from '../../src/request/headers.ts'
import { linesOf } from '../fakes/envoy.ts'

const NAME = '__Host-countersign'

const headers = (...values: readonly string[]): Headers =>
  new Headers(linesOf(values.map((value) => ['cookie', value] as const)))

describe('cookies', () => {
  for (const { name, input, found, left } of [
    { name: 'none at all', input: [], found: [], left: undefined },
    { name: 'no cookie of Countersign', input: ['a=1; b=2'], found: [], left: undefined },
    { name: 'a cookie of Countersign alone', input: [`${NAME}=x`], found: ['x'], left: '' },
    {
      name: 'a cookie of Countersign between two',
      input: [`a=1; ${NAME}=x; b=2`],
      found: ['x'],
      left: 'a=1; b=2',
    },
    { name: 'without spaces', input: [`a=1;${NAME}=x;b=2`], found: ['x'], left: 'a=1; b=2' },
    { name: 'several lines', input: ['a=1', `${NAME}=x`, 'b=2'], found: ['x'], left: 'a=1; b=2' },
    { name: 'a login under way', input: [`a=1; ${NAME}-begun-abc=y`], found: [], left: 'a=1' },
    { name: 'twice', input: [`${NAME}=x; ${NAME}=y`], found: ['x', 'y'], left: '' },
    { name: 'hostile: in a value', input: [`a=${NAME}=x`], found: [], left: `a=${NAME}=x` },
    { name: 'hostile: a longer name', input: [`${NAME}s=x; a=1`], found: [], left: 'a=1' },
    { name: 'hostile: without a value', input: [`${NAME}; a=1`], found: [], left: 'a=1' },
    { name: 'hostile: nothing but separators', input: [`; ;${NAME}=x;;`], found: ['x'], left: '' },
    {
      name: 'not ASCII',
      input: [`a=ü; ${NAME}=x`],
      found: ['x'],
      left: Buffer.from('a=ü').toString('latin1'),
    },
  ]) {
    it(`are read from the header: ${name}`, () => {
      assert.deepEqual(cookiesNamed(headers(...input), NAME), found)
      assert.equal(cookiesWithoutOurs(headers(...input)), left)
    })
  }

  it('are found by how their names begin', () => {
    assert.deepEqual(cookiesBeginning(headers('abcd=1; b=2; abce=3=4', 'a=5; abcf'), 'ab', 2), [
      { name: 'abcd', value: '1' },
      { name: 'abce', value: '3=4' },
      { name: 'abcf', value: '' },
    ])
  })

  for (const name of ['ab', 'abc', 'abcde', `ab${'c'.repeat(30_000)}`, 'abc,', 'ab c', 'abü']) {
    it(`hostile: are not found by another name: ${name.slice(0, 10)}`, () => {
      assert.deepEqual(cookiesBeginning(headers(`${name}=1; a=2`, name), 'ab', 2), [])
    })
  }
})
