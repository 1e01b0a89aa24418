import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { cutText, hasControlCharacter, replaceUnprintable } from '../../src/runtime/text.ts'

const CHARACTERS = [
  { name: 'a line feed', text: 'a\nb', isControl: true, want: 'a?b' },
  { name: 'an escape sequence', text: 'a\u{1b}[2Jb', isControl: true, want: 'a?[2Jb' },
  { name: 'the control character DEL', text: 'a\u{7f}b', isControl: true, want: 'a?b' },
  { name: 'a control of C1', text: 'a\u{9b}b', isControl: true, want: 'a?b' },
  {
    name: 'an override of the direction of text',
    text: 'a\u{202e}b',
    isControl: false,
    want: 'a?b',
  },
  { name: 'a zero-width space', text: 'a\u{200b}b', isControl: false, want: 'a?b' },
  { name: 'a line separator', text: 'a\u{2028}b', isControl: false, want: 'a?b' },
  { name: 'letters beyond ASCII', text: 'Zoë 東京', isControl: false, want: 'Zoë 東京' },
] as const

describe('untrusted text', () => {
  for (const { name, text, isControl, want } of CHARACTERS) {
    it(`with ${name}: has ${isControl ? 'a' : 'no'} control character, and is printed as ${JSON.stringify(want)}`, () => {
      assert.equal(hasControlCharacter(text), isControl)
      assert.equal(replaceUnprintable(text, '?'), want)
    })
  }

  it('takes the replacement of an unprintable character from a function', () => {
    const hex = (character: string) => `<${character.codePointAt(0)?.toString(16)}>`
    assert.equal(replaceUnprintable('a\u{1b}\u{e0001}b', hex), 'a<1b><e0001>b')
  })

  it('is cut to a length without half a surrogate pair', () => {
    assert.equal(cutText('abc', 3), 'abc')
    assert.equal(cutText('abcd', 3), 'abc…')
    assert.equal(cutText('ab😀d', 3), 'ab\u{fffd}…')
  })
})
