// A search in bytes finds what a search in a string of them finds.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ByteSearch } from '../../src/request/byte-search.ts'

const isIn = (text: string, whole: string, start = 0, end = whole.length): boolean =>
  new ByteSearch(text).isIn(Buffer.from(whole, 'latin1'), start, end)

describe('a search in bytes', () => {
  it('finds a text at the beginning, in the middle and at the end', () => {
    for (const whole of ['needle in hay', 'hay needle hay', 'hay needle', 'needle']) {
      assert.ok(isIn('needle', whole), whole)
    }
  })

  it('keeps to the places that it is given', () => {
    const whole = 'needle'
    assert.ok(isIn('needl', whole, 0, 5))
    assert.ok(!isIn('needle', whole, 0, 5))
    assert.ok(!isIn('needle', whole, 1, 6))
    assert.ok(!isIn('needle', whole, 3, 3))
  })

  it('finds what a string finds, in every text of three letters of up to seven', () => {
    const texts = ['a', 'ab', 'ba', 'aab', 'aba', 'abc', 'bcb', 'abab', 'cabca']
    const searches = texts.map((text) => ({ text, search: new ByteSearch(text) }))
    for (let number = 0; number < 3 ** 7; number += 1) {
      const whole = number.toString(3).replaceAll(/./g, (digit) => 'abc'[Number(digit)] ?? '')
      const bytes = Buffer.from(whole)
      for (const { text, search } of searches) {
        assert.equal(
          search.isIn(bytes, 0, bytes.length),
          whole.includes(text),
          `${text} in ${whole}`,
        )
      }
    }
  })

  it('reads every byte value', () => {
    const bytes = Buffer.from(Array.from({ length: 512 }, (_, index) => 255 - (index % 256)))
    assert.ok(!new ByteSearch('__Host-x').isIn(bytes, 0, bytes.length))
    bytes.write('__Host-x', 300)
    assert.ok(new ByteSearch('__Host-x').isIn(bytes, 0, bytes.length))
  })
})
