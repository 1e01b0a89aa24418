// Elements of lists, found by how they begin and taken out.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { elementsBeginning, withoutElements } from '../../src/request/list.ts'
import { cpuTime } from '../fakes/cpu-time.ts'
import { randomFrom } from '../fakes/random.ts'

const CASES: readonly { name: string; list: string; found: readonly string[]; left: string }[] = [
  { name: 'an empty list', list: '', found: [], left: '' },
  { name: 'one alone', list: 'k=1', found: ['k=1'], left: '' },
  { name: 'one element of several', list: 'a=1; k=1; b', found: ['k=1'], left: 'a=1; b' },
  { name: 'without blanks', list: 'a=1;k=1;b', found: ['k=1'], left: 'a=1; b' },
  { name: 'with many blanks', list: ' \t k=1 \t ; b ', found: ['k=1'], left: 'b' },
  { name: 'one after the other', list: 'k=1; k=2;k=3', found: ['k=1', 'k=2', 'k=3'], left: '' },
  { name: 'the end of another', list: 'ak=1; xk=; k', found: [], left: 'ak=1; xk=; k' },
  { name: 'the value of another', list: 'a=k=1; k=2', found: ['k=2'], left: 'a=k=1' },
  { name: 'one that holds itself', list: 'k=k=1', found: ['k=k=1'], left: '' },
  { name: 'one behind a blank alone', list: 'a k=1', found: [], left: 'a k=1' },
  { name: 'empty elements at the ends', list: '; ;k=1;;', found: ['k=1'], left: '' },
  { name: 'empty elements between', list: 'a;;b;k=1', found: ['k=1'], left: 'a;;b' },
]

describe('the elements of a list that begin with a text', () => {
  for (const { name, list, found, left } of CASES) {
    it(`of ${name}`, () => {
      const elements = elementsBeginning(list, ';', 'k=')
      assert.deepEqual(
        elements.map(({ text }) => text),
        found,
      )
      assert.equal(withoutElements(list, ';', elements), left)
    })
  }

  const SEED = 5
  it(`are those that splitting finds, and the rest stays (seed ${SEED})`, () => {
    const random = randomFrom(SEED)
    const pieces = ['k=', 'k', '=', ';', ' ', '\t', 'a', '\u00a0']
    for (let round = 0; round < 20_000; round++) {
      const list = Array.from({ length: random(10) }, () => pieces[random(pieces.length)]).join('')
      const all = list.split(';').map((element) => element.trim())
      const elements = elementsBeginning(list, ';', 'k=')
      assert.deepEqual(
        elements.map(({ text }) => text),
        all.filter((element) => element.startsWith('k=')),
        list,
      )
      const left = withoutElements(list, ';', elements).split(';')
      assert.deepEqual(
        left.map((element) => element.trim()).filter((element) => element !== ''),
        all.filter((element) => element !== '' && !element.startsWith('k=')),
        list,
      )
    }
  })

  it('are found in time linear in the list', () => {
    for (const piece of [';', ' ', 'k=', ' k=', 'k=;', '; ', 'a;', 'kk=']) {
      const list = piece.repeat(1_000_000 / piece.length)
      const began = cpuTime()
      withoutElements(list, ';', elementsBeginning(list, ';', 'k='))
      // Some tens of milliseconds; what is quadratic takes minutes.
      assert.ok(cpuTime() - began < 2_000, piece)
    }
  })
})
